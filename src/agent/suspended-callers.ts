/** The suspended callers of one JVM's coroutines: what the addon needs to find them in its heap, and their names. */
import { createClassReader } from '../jvm/class-reader.ts';
import { readHeapLayout } from '../jvm/heap-layout.ts';
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

/** Undefined if this JVM's heap cannot be followed: a collector that moves objects at any time, or tables that lack something. */
export function readSuspendedCallers(
  facts: ProcessFacts,
  hotspot: Hotspot,
  procRoot: string,
  read: ReadMemory,
): SuspendedCallers | undefined {
  const heap = readHeapLayout(read, hotspot);
  let now: ReadMemory = () => undefined;
  const reader = createClassReader((address, length) => now(address, length), hotspot);
  if (heap.kind !== 'layout' || !reader) return undefined;
  const frames = createSuspendedFrames();
  return {
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
}
