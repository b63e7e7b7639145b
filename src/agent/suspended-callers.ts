/** The suspended callers of one JVM's coroutines: what the addon needs to find them in its heap, and their names. */
import { createClassReader } from '../jvm/class-reader.ts';
import { readHeapLayout } from '../jvm/heap-layout.ts';
import type { HeapUnsupported } from '../jvm/heap-reader.ts';
import type { Hotspot } from '../jvm/hotspot.ts';
import type { ReadMemory } from '../jvm/read-memory.ts';
import {
  createSuspendedFrames,
  type MetClass,
  type SuspendedCaller,
  type SuspendedPlace,
} from '../jvm/suspended-frames.ts';
import { isAlive, type ProcessFacts } from './process-facts.ts';
import { openProcessMemory } from './process-memory.ts';

export interface SuspendedCallers {
  /** As the addon takes it. */
  readonly heap: BigInt64Array;
  /** Reads the names of classes, while the process is there. Never throws. */
  learn(classes: readonly MetClass[]): void;
  /** As a frame of a stack. */
  nameOf(place: SuspendedPlace): string;
  /** With where it waited when last seen. */
  callerAt(place: SuspendedPlace): SuspendedCaller | undefined;
  /** Numbers begin anew. */
  forget(): void;
}

/** Off: they were not asked for. */
export type SuspendedOutcome =
  | { readonly kind: 'Chains'; readonly callers: SuspendedCallers }
  | { readonly kind: 'Unsupported'; readonly reason: HeapUnsupported['reason'] }
  | { readonly kind: 'Off' };

/** Unsupported if this JVM's heap cannot be followed: its collector moves objects at any time, or its tables lack something. */
export function readSuspendedCallers(
  facts: ProcessFacts,
  hotspot: Hotspot,
  procRoot: string,
  read: ReadMemory,
): SuspendedOutcome {
  const heap = readHeapLayout(read, hotspot);
  let now: ReadMemory = () => undefined;
  const reader = createClassReader((address, length) => now(address, length), hotspot);
  if (heap.kind !== 'layout') return { kind: 'Unsupported', reason: heap.reason };
  if (!reader) return { kind: 'Unsupported', reason: 'HeapUnknown' };
  const frames = createSuspendedFrames();
  const callers: SuspendedCallers = {
    heap: heap.layout,
    learn(classes) {
      try {
        using memory = openProcessMemory(procRoot, facts.pid);
        if (isAlive(procRoot, facts)) now = memory.read;
        frames.learn(classes, reader);
      } catch {
        frames.learn(classes, reader); // it ended: their names are known, not what the compiler wrote down
      } finally {
        now = () => undefined;
      }
    },
    nameOf: frames.nameOf,
    callerAt: frames.callerAt,
    forget: frames.forget,
  };
  return { kind: 'Chains', callers };
}
