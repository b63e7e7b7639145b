/** Names of callers that wait in the heap, by the numbers that the addon gave their classes. */
import { functionOfContinuation, suspendName } from '../profile/kotlin-names.ts';
import { cleanName } from '../symbols/clean-name.ts';
import type { ClassReader } from './class-reader.ts';
import { functionOfMetadata } from './debug-metadata.ts';

/** A class as the addon met it: where the JVM described it, and its name then. */
export interface MetClass {
  readonly id: number;
  readonly address: bigint;
  /** "shop/Orders$checkout$1" */
  readonly name: string;
}

/** As frames of native/frame_word.h refer to it. */
export interface SuspendedPlace {
  readonly classId: number;
  readonly label: number | undefined;
  /** Not a caller, but the coroutine itself. */
  readonly isCoroutine: boolean;
}

export interface SuspendedCaller {
  /** "suspend shop.Orders.checkout", or "[launch]" */
  readonly name: string;
  readonly file: string | undefined;
  /** Where it waited when last seen. */
  readonly line: number | undefined;
}

export interface SuspendedFrames {
  /** Reads what the compiler wrote down of them, while they are there to be read. */
  learn(classes: readonly MetClass[], reader: ClassReader): void;
  /** Undefined for whatever was not learned. */
  callerAt(place: SuspendedPlace): SuspendedCaller | undefined;
  /** As a frame of a stack: "suspend shop.Orders.checkout_[a]", for it did not run. */
  nameOf(place: SuspendedPlace): string;
  /** Numbers begin anew. */
  forget(): void;
}

interface Known {
  readonly caller: string;
  readonly coroutine: string;
  readonly file: string | undefined;
  readonly lines: readonly number[];
}

const MAX_CLASSES = 16_384; // kMaxClasses of native/continuation_classes.cc; a large service has some thousand
const PACKAGE = 'kotlinx.coroutines.';
const BUILDERS: ReadonlyMap<string, string> = new Map([
  ['StandaloneCoroutine', '[launch]'],
  ['LazyStandaloneCoroutine', '[launch]'],
  ['DeferredCoroutine', '[async]'],
  ['LazyDeferredCoroutine', '[async]'],
  ['BlockingCoroutine', '[runBlocking]'],
]);
const OTHER_BUILDER = '[coroutine]';

const UNKNOWN = '[suspended]';
export const SUSPENDED_SUFFIX = '_[a]';

export function createSuspendedFrames(): SuspendedFrames {
  const known = new Map<number, Known>();
  const nameOf = ({ classId, isCoroutine }: SuspendedPlace): string => {
    const found = known.get(classId);
    if (!found) return UNKNOWN;
    return isCoroutine ? found.coroutine : `${found.caller}${SUSPENDED_SUFFIX}`;
  };
  return {
    nameOf,
    learn(classes, reader) {
      for (const met of classes) if (known.size < MAX_CLASSES) known.set(met.id, knowledgeOf(met, reader));
    },
    callerAt({ classId, label, isCoroutine }) {
      const found = known.get(classId);
      if (!found) return undefined;
      if (isCoroutine) return { name: found.coroutine, file: undefined, line: undefined };
      const line = label === undefined ? undefined : found.lines[label - 1];
      return { name: found.caller, file: found.file, line };
    },
    forget: () => known.clear(),
  };
}

/** Another class may have taken the place of one that was unloaded. */
function knowledgeOf({ address, name }: MetClass, reader: ClassReader): Known {
  const className = name.replaceAll('/', '.');
  const metadata = reader.nameOf(address) === name ? reader.debugMetadataOf(address) : undefined;
  const caller = metadata ? functionOfMetadata(metadata) : functionOfContinuation(className);
  const simpleName = className.startsWith(PACKAGE) ? className.slice(PACKAGE.length) : '';
  return {
    caller: cleanName(suspendName(caller)),
    coroutine: BUILDERS.get(simpleName) ?? OTHER_BUILDER,
    file: metadata && cleanName(metadata.file),
    lines: metadata?.lines ?? [],
  };
}
