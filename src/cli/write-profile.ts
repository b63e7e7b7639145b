/** A profile into a user's file: collapsed stacks by the end of its name (.collapsed, .folded, .txt), else gzipped pprof. */
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { encodeCollapsed } from '../profile/collapsed.ts';
import { NOWHERE } from '../profile/place.ts';
import { createPprof } from '../profile/pprof-writer.ts';
import type { StackCount } from '../profile/stack-counts.ts';
import { writeBytes } from './files.ts';

export interface ProfileTimes {
  readonly startMs: number;
  readonly endMs: number;
  /** Samples of a busy CPU in a second. */
  readonly frequencyHz: number;
}

const IS_COLLAPSED = /\.(collapsed|folded|txt)$/;
/** What no reader of files bounds; those of a server are the writer's own default. */
const OF_FILES = { bytes: 256 * 1024 * 1024, samples: 1_000_000, frames: 10_000 };

export async function writeProfile(
  path: string,
  stacks: readonly StackCount[],
  { frequencyHz, ...times }: ProfileTimes,
): Promise<void> {
  if (IS_COLLAPSED.test(path)) {
    await writeBytes(path, Buffer.from(encodeCollapsed(stacks)));
    return;
  }
  const pprof = createPprof(Math.round(1e9 / frequencyHz), OF_FILES);
  for (const { frames, places, count } of stacks) {
    const named = frames.map((name, i) => ({ name, place: places?.[i] ?? NOWHERE }));
    pprof.add(named, count);
  }
  await writeBytes(path, await promisify(gzip)(pprof.finish(times)));
}
