/** Whole runs of two builds, counted by function: shares of named code and samples a second, round by round. */
import { foldingOf } from '../profile/folding.ts';
import type { StackCount } from '../profile/stack-counts.ts';
import { createStackIndex, type StackIndex } from './stack-index.ts';

/** One start of one build. */
export interface ProfiledRun {
  /** As sampled: they are folded together with those of all other runs. */
  readonly stacks: readonly StackCount[];
  readonly seconds: number;
}

/** Both builds, one right after the other. */
export interface RunPair {
  readonly baseline: ProfiledRun;
  readonly canary: ProfiledRun;
}

export interface CountedRun {
  /** By node of the index. */
  readonly counts: ReadonlyMap<number, number>;
  /** By stack of the index. */
  readonly stackCounts: ReadonlyMap<number, number>;
  /** With a function of the service on the stack: the whole of every share (ADR 7). The JIT and the collector are not in it. */
  readonly named: number;
  readonly seconds: number;
}

export interface CountedPair {
  readonly baseline: CountedRun;
  readonly canary: CountedRun;
}

export interface CountedRuns {
  readonly index: StackIndex;
  readonly pairs: readonly CountedPair[];
}

export function countRuns(pairs: readonly RunPair[]): CountedRuns {
  const { fold } = foldingOf(...pairs.flatMap(({ baseline, canary }) => [baseline.stacks, canary.stacks]));
  const index = createStackIndex();
  const counted = (run: ProfiledRun): CountedRun => {
    const counts = new Map<number, number>();
    const stackCounts = new Map<number, number>();
    let named = 0;
    for (const stack of run.stacks) {
      const { id, nodes } = index.of(fold(stack).frames);
      if (nodes.length === 0) continue;
      named += stack.count;
      stackCounts.set(id, (stackCounts.get(id) ?? 0) + stack.count);
      for (const node of nodes) counts.set(node, (counts.get(node) ?? 0) + stack.count);
    }
    return { counts, stackCounts, named, seconds: run.seconds };
  };
  return {
    index,
    pairs: pairs.map(({ baseline, canary }) => ({ baseline: counted(baseline), canary: counted(canary) })),
  };
}

/** Of a run's named code. */
export const shareOf = ({ counts, named }: CountedRun, node: number): number =>
  (counts.get(node) ?? 0) / Math.max(1, named);
