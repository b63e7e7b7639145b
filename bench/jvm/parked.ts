/** Threads of a service that rests: what we unwind against what the JVM prints, frame by frame with lines. */
import { isDeepStrictEqual } from 'node:util';
import type { UnwindLayout } from '../../src/jvm/unwind-layout.ts';
import { printedThreads, unwoundThreads } from '../../src/native/testing/stopped-threads.ts';

export interface Parked {
  readonly frames: number;
  readonly equalFrames: number;
  readonly different: readonly string[];
}

/** Threads that moved between two prints, before and after our look, say nothing. */
export function compareParkedThreads(pid: number, layout: UnwindLayout): Parked {
  const before = printedThreads(pid);
  const unwound = unwoundThreads(pid, layout, [...before.keys()]);
  const after = printedThreads(pid);
  const different: string[] = [];
  let [frames, equalFrames] = [0, 0];
  for (const [tid, { name, frames: printed }] of before) {
    if (!isDeepStrictEqual(printed, after.get(tid)?.frames)) continue;
    const ours = unwound.get(tid)?.frames ?? [];
    frames += printed.length;
    equalFrames += printed.filter((frame, i) => frame === ours[i]).length;
    if (!isDeepStrictEqual(printed, ours)) different.push(name);
  }
  return { frames, equalFrames, different };
}
