/**
 * Who waits for a coroutine: from the continuation that runs, along `completion`, to the coroutine that was started. The
 * callers are not on any stack; only the heap has them.
 */
import type { ClassReader } from './class-reader.ts';
import type { DebugMetadata } from './debug-metadata.ts';
import type { HeapReader } from './heap-reader.ts';

/** A caller that is suspended. */
export interface SuspendedFrame {
  /** "shop/OrderService$checkout$1" */
  readonly className: string;
  /** Undefined if the compiler or a shrinker left it out. */
  readonly metadata: DebugMetadata | undefined;
  /** Where it waits, as it was when last seen; undefined if it has no line. */
  readonly line: number | undefined;
}

export type CoroutineChain =
  | {
      readonly kind: 'chain';
      /** Innermost first. */
      readonly frames: readonly SuspendedFrame[];
      /** Address of the coroutine that was started: the same for all that a request does in it, until a collection. */
      readonly root: bigint;
      readonly rootClass: string;
    }
  | { readonly kind: 'none'; readonly reason: NoChain };

/**
 * HeapMoved: a collection ran since the sample, or runs. NotAContinuation: something in the chain is none, so the memory
 * was not what it seemed. NoJob: the chain ends in something else (sequences, callbacks). TooLong: there is no end.
 */
export type NoChain = 'HeapMoved' | 'NotAContinuation' | 'NoJob' | 'TooLong';

/** What of a class decides how the chain goes on. Kept by whoever walks many chains: classes are few, objects many. */
export type ContinuationClass =
  | {
      readonly kind: 'function';
      readonly className: string;
      readonly completion: number;
      readonly label: number | undefined;
      readonly metadata: DebugMetadata | undefined;
    }
  | { readonly kind: 'passing on'; readonly className: string; readonly continuation: number }
  | { readonly kind: 'coroutine'; readonly className: string }
  | { readonly kind: 'other' };

const FUNCTION = 'kotlin/coroutines/jvm/internal/BaseContinuationImpl';
/** Continuations that only pass on to another one: their class, and the field that leads there. */
const PASSING_ON: readonly (readonly [className: string, field: string])[] = [
  ['kotlinx/coroutines/internal/ScopeCoroutine', 'uCont'], // withContext, coroutineScope, withTimeout
  ['kotlinx/coroutines/flow/internal/SafeCollector', 'completion_'], // a function too, but of no one's
];
const COROUTINE = 'kotlinx/coroutines/AbstractCoroutine'; // launch, async, runBlocking: a Job
const MAX_LINKS = 256; // deeper than any stack of suspended functions that is written by hand

/** Undefined when the class cannot be read. */
export function continuationClass(classes: ClassReader, klass: bigint): ContinuationClass | undefined {
  const lineage = classes.lineageOf(klass);
  const className = lineage?.[0];
  if (!lineage || className === undefined) return undefined;
  const passing = PASSING_ON.find(([name]) => lineage.includes(name));
  if (passing) {
    const continuation = classes.fieldOffset(klass, passing[1]);
    return continuation === undefined ? undefined : { kind: 'passing on', className, continuation };
  }
  if (lineage.includes(FUNCTION)) {
    const completion = classes.fieldOffset(klass, 'completion');
    if (completion === undefined) return undefined;
    const label = classes.fieldOffset(klass, 'label');
    return { kind: 'function', className, completion, label, metadata: classes.debugMetadataOf(klass) };
  }
  return lineage.includes(COROUTINE) ? { kind: 'coroutine', className } : { kind: 'other' };
}

export interface ChainSource {
  readonly heap: HeapReader;
  /** continuationClass, remembered or not. */
  classAt(klass: bigint): ContinuationClass | undefined;
}

/**
 * The chain from the continuation `start`, an address taken when `collectionsThen` collections had run. Rather none than
 * a wrong one: every link has to be a continuation, the last a coroutine, and nothing may have moved.
 */
export function walkChain(source: ChainSource, start: bigint, collectionsThen: number): CoroutineChain {
  const chain = links(source, start);
  return source.heap.collections() === collectionsThen ? chain : none('HeapMoved');
}

function links({ heap, classAt }: ChainSource, start: bigint): CoroutineChain {
  const frames: SuspendedFrame[] = [];
  let object = start;
  for (let i = 0; i < MAX_LINKS; i++) {
    const klass = object === 0n ? undefined : heap.classOf(object);
    const link = klass === undefined ? undefined : classAt(klass);
    if (!link) return none('NotAContinuation');
    switch (link.kind) {
      case 'function': {
        const { className, metadata } = link;
        frames.push({ className, metadata, line: lineOf(link, heap, object) });
        object = heap.reference(object, link.completion) ?? 0n;
        break;
      }
      case 'passing on':
        object = heap.reference(object, link.continuation) ?? 0n;
        break;
      case 'coroutine':
        return { kind: 'chain', frames, root: object, rootClass: link.className };
      case 'other':
        return none(i === 0 ? 'NotAContinuation' : 'NoJob');
    }
  }
  return none('TooLong');
}

const LABEL_MASK = 0x7fff_ffff; // the highest bit is set while the function runs

function lineOf(
  { label, metadata }: Extract<ContinuationClass, { kind: 'function' }>,
  heap: HeapReader,
  object: bigint,
): number | undefined {
  const value = label === undefined ? undefined : heap.int(object, label);
  return value === undefined ? undefined : metadata?.lines[(value & LABEL_MASK) - 1];
}

function none(reason: NoChain): CoroutineChain {
  return { kind: 'none', reason };
}
