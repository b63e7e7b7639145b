/** Which function of the platform is called on a stack, and which of the service, or of a library, calls it. */

const SAFEPOINT = '_[s]';
const NO_JAVA = /\]$/; // code without a name, of a library, of the kernel, or a caller that waits in the heap
/** Whose methods are called by applications to wait, to read and to write, and call each other. */
const PLATFORM = /^(java|javax|jdk|sun|com\.sun|kotlin|kotlinx)\./;

export interface PlatformCall {
  readonly call: string;
  readonly caller: string;
}

export const plainName = (name: string): string =>
  name.endsWith(SAFEPOINT) ? name.slice(0, -SAFEPOINT.length) : name;

export const isJavaName = (name: string): boolean => !NO_JAVA.test(name);

export const isPlatformName = (name: string): boolean => PLATFORM.test(name);

/** `frames`: names, leaf first. Both are the leaf where that is no method of the platform; undefined without a Java frame. */
export function platformCallOf(frames: readonly string[]): PlatformCall | undefined {
  const java = frames.map(plainName).filter(isJavaName);
  const first = java[0];
  if (first === undefined) return undefined;
  const caller = java.findIndex((name) => !isPlatformName(name));
  if (caller <= 0) return { call: first, caller: first };
  return { call: java[caller - 1] ?? first, caller: java[caller] ?? first };
}
