/** Whether stacks of a JVM are complete, from the leaf to where the thread began. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { Release } from '../../jvm/testing/a-jvm.ts';
import { anUnwoundJvm, type Stack } from './unwound-jvm.ts';

// A few hundred samples tell what is broken; whether 99.5 % are complete, `make bench-jvm` tells.
export const NEARLY_ALL = 0.97;

export const COMPILERS = [
  ['interpreted', ['-Xint']],
  ['compiled by C1', ['-XX:TieredStopAtLevel=1']],
  ['with frame pointers', ['-XX:+PreserveFramePointer']],
] as const;

export async function stacksAreComplete(
  t: TestContext,
  release: Release,
  [name, flags]: (typeof COMPILERS)[number],
): Promise<void> {
  const jvm = await anUnwoundJvm(t, release, ['recursive', 'collections'], flags);

  const stacks = await jvm.profile(2);

  t.diagnostic(`complete: ${percent(stacks)}`);
  assert(completeShare(stacks) >= NEARLY_ALL);
  const isInterpreted = (frame: string) => frame.endsWith(' interpreted');
  const interpretedLeaves = stacks.filter(({ frames }) => isInterpreted(frames[0] ?? ''));
  assert.equal(sum(interpretedLeaves) > 0.5 * sum(stacks), name === 'interpreted');
}

/** Of those with a Java frame, which is all but the JVM's own threads. */
export function completeShare(stacks: readonly Stack[]): number {
  const java = stacks.filter(({ frames }) =>
    frames.some((frame) => !isNative(frame) && !frame.startsWith('<')),
  );
  return sum(java.filter(isComplete)) / sum(java);
}

export function percent(stacks: readonly Stack[]): string {
  return `${(100 * completeShare(stacks)).toFixed(2)} % of ${sum(stacks)}`;
}

export function isComplete({ frames }: Stack): boolean {
  return isNative(frames.at(-1));
}

export function isNative(frame: string | undefined): boolean {
  return frame?.startsWith('0x') ?? false;
}

export function sum(stacks: readonly Stack[]): number {
  return stacks.reduce((total, { count }) => total + count, 0);
}
