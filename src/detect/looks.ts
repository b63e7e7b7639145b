import type { PodWindow } from './pod-window.ts';

/** The windows of both arms between two looks. */
export interface Block {
  /** Event time of the look that closes it. */
  readonly lookAtMs: number;
  readonly baseline: readonly PodWindow[];
  readonly canary: readonly PodWindow[];
}

export interface Looks {
  readonly blocks: readonly Block[];
  readonly warmUpExcluded: boolean;
}

export interface LookPlan {
  readonly startedAtMs: number;
  readonly nowMs: number;
  readonly deadlineMs: number;
  readonly warmUpMs: number;
}

export const LOOK_MS = 30_000; // three windows: a look costs a pass over all functions and little is new sooner
// A window is pushed up to some seconds after its end. A look that waits this long sees the same windows now
// and when it is judged again by the next leader.
const LATE_MS = 15_000;

/**
 * Cuts the evaluation into looks by event time. A block counts only where both arms have windows: what the
 * whole service did in a minute that one arm was not there for would look like a difference between them.
 */
export function planLooks(
  baseline: readonly PodWindow[],
  canary: readonly PodWindow[],
  plan: LookPlan,
): Looks {
  const endMs = plan.startedAtMs + plan.deadlineMs;
  const closedMs = plan.nowMs >= endMs ? endMs : plan.nowMs - LATE_MS;
  const lastBlock = Math.floor((closedMs - plan.startedAtMs) / LOOK_MS) - 1;
  const inTime = (window: PodWindow): boolean =>
    window.startMs >= plan.startedAtMs && blockOf(window, plan) <= lastBlock;
  const isWarm = (window: PodWindow): boolean => window.startMs - window.podStartedAtMs >= plan.warmUpMs;
  const baselineInTime = baseline.filter(inTime);
  const canaryInTime = canary.filter(inTime);
  const baselineBlocks = Map.groupBy(baselineInTime.filter(isWarm), (window) => blockOf(window, plan));
  const canaryBlocks = Map.groupBy(canaryInTime.filter(isWarm), (window) => blockOf(window, plan));
  const blocks: Block[] = [];
  for (const [block, ofCanary] of [...canaryBlocks].sort(([a], [b]) => a - b)) {
    const ofBaseline = baselineBlocks.get(block);
    if (ofBaseline === undefined) continue;
    blocks.push({
      lookAtMs: plan.startedAtMs + (block + 1) * LOOK_MS,
      baseline: inOrder(ofBaseline),
      canary: inOrder(ofCanary),
    });
  }
  const warmUpExcluded = ![...baselineInTime, ...canaryInTime].every(isWarm);
  return { blocks, warmUpExcluded };
}

const blockOf = (window: PodWindow, plan: LookPlan): number =>
  Math.floor((window.endMs - 1 - plan.startedAtMs) / LOOK_MS);

// Sums do not depend on the order, but the numbering of stacks and with it the choice among equals does.
const inOrder = (windows: readonly PodWindow[]): PodWindow[] =>
  [...windows].sort((a, b) => a.startMs - b.startMs || (a.pod < b.pod ? -1 : a.pod > b.pod ? 1 : 0));
