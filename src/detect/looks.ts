import type { PodWindow } from './pod-window.ts';

/** The windows of one arm and the other. */
export interface ArmWindows {
  readonly baseline: readonly PodWindow[];
  readonly canary: readonly PodWindow[];
}

/** The warm windows between two looks. */
export interface Block extends ArmWindows {
  /** Event time of the look that closes it. */
  readonly lookAtMs: number;
  readonly warmUpExcluded: boolean;
}

export interface LookPlan {
  readonly startedAtMs: number;
  readonly deadlineMs: number;
  readonly warmUpMs: number;
}

export const LOOK_MS = 30_000; // three windows: a look costs a pass over all functions and little is new sooner
// A window is pushed up to some seconds after its end. A look that waits this long sees the same windows now
// and when it is judged again by the next leader.
export const LATE_MS = 15_000;

/** How many blocks are closed at `nowMs`: they are numbered from 0. The deadline closes its last one at once. */
export function closedBlocks(plan: LookPlan, nowMs: number): number {
  const endMs = plan.startedAtMs + plan.deadlineMs;
  const closedMs = nowMs >= endMs ? endMs : nowMs - LATE_MS;
  return Math.max(0, Math.floor((closedMs - plan.startedAtMs) / LOOK_MS));
}

/** End of block `number`. Its windows are those that end after the block before it and no later than this. */
export const blockEndMs = (plan: LookPlan, number: number): number =>
  plan.startedAtMs + (number + 1) * LOOK_MS;

/** Block `number` of an evaluation out of the windows that belong to it, in any order. */
export function cutBlock(windows: ArmWindows, plan: LookPlan, number: number): Block {
  const isWarm = (window: PodWindow): boolean => window.startMs - window.podStartedAtMs >= plan.warmUpMs;
  const baseline = windows.baseline.filter(isWarm);
  const canary = windows.canary.filter(isWarm);
  return {
    lookAtMs: blockEndMs(plan, number),
    baseline: inOrder(baseline),
    canary: inOrder(canary),
    warmUpExcluded: baseline.length + canary.length < windows.baseline.length + windows.canary.length,
  };
}

/** Cuts the evaluation into its closed blocks by event time; those without any window are left out. */
export function planLooks(windows: ArmWindows, plan: LookPlan, nowMs: number): Block[] {
  const closed = closedBlocks(plan, nowMs);
  const byBlock = (ofArm: readonly PodWindow[]): Map<number, PodWindow[]> =>
    Map.groupBy(
      ofArm.filter((window) => window.startMs >= plan.startedAtMs && blockOf(window, plan) < closed),
      (window) => blockOf(window, plan),
    );
  const baseline = byBlock(windows.baseline);
  const canary = byBlock(windows.canary);
  const numbers = [...new Set([...baseline.keys(), ...canary.keys()])].sort((a, b) => a - b);
  return numbers.map((number) =>
    cutBlock({ baseline: baseline.get(number) ?? [], canary: canary.get(number) ?? [] }, plan, number),
  );
}

const blockOf = (window: PodWindow, plan: LookPlan): number =>
  Math.floor((window.endMs - 1 - plan.startedAtMs) / LOOK_MS);

// Sums do not depend on the order, but the numbering of stacks and with it the choice among equals does.
const inOrder = (windows: readonly PodWindow[]): PodWindow[] =>
  [...windows].sort((a, b) => a.startMs - b.startMs || (a.pod < b.pod ? -1 : a.pod > b.pod ? 1 : 0));
