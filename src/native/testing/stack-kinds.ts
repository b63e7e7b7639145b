/** For tests: what a recording of stacks has to have, so that its replay goes through the unwinder's rules. */
import type { Release } from '../../jvm/testing/a-jvm.ts';
import type { ReplayedStack } from './replayed-stacks.ts';

type Kind = readonly [name: string, holds: (stack: ReplayedStack) => boolean];

const has =
  (pattern: RegExp) =>
  ({ frames }: ReplayedStack) =>
    frames.some((frame) => pattern.test(frame));
const KINDS: readonly Kind[] = [
  ['compiled', has(/^[\w.$]+:\d+$/)],
  ['inlined', has(/ inlined( ~)?$/)],
  ['at a leaf that is not certain', has(/ ~$/)],
  ['interpreted', has(/ interpreted$/)],
  ['entered from native code', has(/^\[call_stub\]$/)],
  ['in native code below Java', (stack) => has(/^\[lib(z|zip)\./)(stack) && has(/^Shapes\.compress:/)(stack)],
  ['in the kernel below Java', (stack) => has(/^kernel /)(stack) && has(/^Shapes\.systemCalls:/)(stack)],
  ["past native code by the JVM's anchor", has(/^<skippedFrames>$/)],
  ['cut', has(/^<stackCut>$/)],
  ['a recursion', ({ frames }) => countOf(frames, 'Shapes.deep') === 41],
  ['of a starting JVM', ({ recording, frames }) => recording === 'starting' && frames.length > 20],
  ['a coroutine with callers that wait', has(/^suspended resumed\.\S+ at \d+$/)],
  ['a coroutine to its builder', has(/^suspended kotlinx\.coroutines\.\w+Coroutine$/)],
];
const VIRTUAL: Kind = ['a virtual thread with callers in the heap', has(/^<frozenFrames>$/)];

/** Names of kinds of which there is no stack. */
export function missingKinds(stacks: readonly ReplayedStack[], release: Release): readonly string[] {
  const kinds = release === 17 ? KINDS : [...KINDS, VIRTUAL];
  return kinds.flatMap(([name, holds]) => (stacks.some(holds) ? [] : name));
}

export function countOf(frames: readonly string[], method: string): number {
  return frames.filter((frame) => frame.startsWith(`${method}:`)).length;
}
