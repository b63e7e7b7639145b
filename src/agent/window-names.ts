/** Names for the frames of one window's samples. Each distinct frame is named once per process. */
import { frameOf, type JavaFrame, type Mark } from '../native/frame-word.ts';
import type { SampleRow } from '../native/sample-batch.ts';
import { cleanName } from '../symbols/clean-name.ts';
import { javaName } from '../symbols/java-name.ts';
import { type KernelSymbols, kernelAddress } from '../symbols/kallsyms.ts';
import type { Jvm } from './jvm.ts';
import type { SuspendedCallers } from './suspended-callers.ts';
import type { TrackedProcess } from './tracked-process.ts';

export const UNKNOWN = '[unknown]';
export const UNNAMED_CODE = '[jit]';
/** In place of callers: the stack goes on, and its root is not known. */
export const TRUNCATED = '[truncated]';
/** Of a mark with callers behind it: a virtual thread's are those of its carrier, its own wait in the heap. */
const MARK_NAMES: ReadonlyMap<Mark | undefined, string> = new Map([
  ['frozenFrames', '[virtual thread]'],
  ['skippedFrames', '[native]'],
]);
const KERNEL_SUFFIX = '_[k]';
/** Inlined at the leaf of a stack, and only sure to be so at the next safepoint. */
const SAFEPOINT_SUFFIX = '_[s]';

/** Whether what is inlined at the leaf is only sure to be so at the next safepoint. */
export function isDoubtful(stack: readonly string[]): boolean {
  return stack.find((name) => !name.endsWith(KERNEL_SUFFIX))?.endsWith(SAFEPOINT_SUFFIX) === true;
}

/** What names come from: the process's mappings, and its JVM. */
export interface NamedProcess extends Pick<TrackedProcess, 'regionAt'> {
  readonly jvm:
    | (Pick<Jvm, 'frames' | 'perfMap' | 'leafIsExact'> & {
        readonly suspended: Pick<SuspendedCallers, 'nameOf'> | undefined;
      })
    | undefined;
}

export interface WindowNames {
  /** Leaf first, kernel before user; equal neighbours in brackets are one. */
  stackOf(row: SampleRow, process: NamedProcess | undefined): readonly string[];
  /** Whether a frame lies in code that the process made itself and for which there is no name yet. */
  hasUnnamedCode(row: SampleRow, process: NamedProcess): boolean;
}

const decode = (bytes: Uint8Array) =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');

/** `frames`: the distinct frames of the batch, as its rows refer to them. */
export function nameWindow(frames: BigUint64Array, kernel: KernelSymbols | undefined): WindowNames {
  const words = new Uint32Array(frames.buffer, frames.byteOffset, frames.length * 2); // little-endian
  const kernelNames = new Map<number, string>();
  const userNames = new Map<NamedProcess, ProcessNames>();
  const low = (index: number) => words[2 * index] ?? 0;
  const high = (index: number) => words[2 * index + 1] ?? 0;
  const userAddress = (index: number, depth: number) => high(index) * 2 ** 32 + calledFrom(low(index), depth);
  const isAddress = (index: number) => high(index) >>> 24 === 0;

  const kernelName = (index: number, depth: number): string => {
    const name = kernel?.nameAt(kernelAddress(high(index), calledFrom(low(index), depth)));
    return name ? `${cleanName(decode(name))}${KERNEL_SUFFIX}` : '[kernel]';
  };
  const namesOf = (process: NamedProcess): ProcessNames => {
    const names = userNames.get(process) ?? { frames: new Map(), methods: new Map() };
    userNames.set(process, names);
    return names;
  };
  const userName = (process: NamedProcess, names: ProcessNames, index: number, depth: number): string =>
    isAddress(index)
      ? nativeName(process, userAddress(index, depth))
      : unwoundName(process, names, frames[index] ?? 0n);

  return {
    stackOf(row, process) {
      const stack: string[] = [];
      row.kernel.forEach((index, depth) => {
        push(
          stack,
          cached(kernelNames, keyOf(index, depth), () => kernelName(index, depth)),
        );
      });
      const names = process && namesOf(process);
      row.user.forEach((index, depth) => {
        const name =
          names && cached(names.frames, keyOf(index, depth), () => userName(process, names, index, depth));
        push(stack, name ?? UNKNOWN);
      });
      return stack.length > 0 ? stack : [UNKNOWN];
    },
    hasUnnamedCode: (row, process) =>
      row.user.some((index, depth) => isAddress(index) && isUnnamedCode(process, userAddress(index, depth))),
  };
}

interface ProcessNames {
  /** By place in the batch. */
  readonly frames: Map<number, string>;
  /** By number: a method has many places. */
  readonly methods: Map<number, string>;
}

/** A return address may be the first one behind its function: the call lies before it. The leaf is exact. */
function calledFrom(low: number, depth: number): number {
  return depth === 0 ? low : low - 1;
}

function nativeName(process: NamedProcess, address: number): string {
  const region = process.regionAt(address);
  if (!region) return UNKNOWN;
  if (region.kind === 'file') return region.name;
  const name = process.jvm?.perfMap?.nameAt(address);
  return name ? javaName(decode(name)) : UNNAMED_CODE;
}

function unwoundName({ jvm }: NamedProcess, names: ProcessNames, word: bigint): string {
  const frame = frameOf(word);
  switch (frame.kind) {
    case 'java': {
      const { methodId } = frame;
      const name = cached(names.methods, methodId, () => jvm?.frames.methodName(methodId) ?? UNNAMED_CODE);
      return isUncertain(frame) && jvm?.leafIsExact !== true ? `${name}${SAFEPOINT_SUFFIX}` : name;
    }
    case 'stub':
      return jvm?.frames.stubName(frame.nameId) ?? UNNAMED_CODE;
    case 'suspended':
      return jvm?.suspended?.nameOf(frame) ?? UNNAMED_CODE;
    case 'mark':
      return MARK_NAMES.get(frame.mark) ?? TRUNCATED;
    case 'address':
      return UNKNOWN;
  }
}

/** The outermost method of a piece of compiled code is what was compiled, wherever in it the instruction stands. */
function isUncertain({ isSafepointPlace, isInlined }: JavaFrame): boolean {
  return isSafepointPlace && isInlined;
}

function isUnnamedCode(process: NamedProcess, address: number): boolean {
  return process.regionAt(address)?.kind === 'anonymous' && !process.jvm?.perfMap?.holds(address);
}

/** One address can be a leaf here and a return address there. */
function keyOf(index: number, depth: number): number {
  return 2 * index + (depth === 0 ? 0 : 1);
}

function cached(names: Map<number, string>, key: number, make: () => string): string {
  const known = names.get(key);
  if (known !== undefined) return known;
  const name = make();
  names.set(key, name);
  return name;
}

function push(stack: string[], name: string): void {
  if (name.startsWith('[') && stack.at(-1) === name) return;
  stack.push(name);
}
