import type { Finding } from './culprits.ts';
import type { Block } from './looks.ts';
import type { PodWindow } from './pod-window.ts';
import type { CpuFlag } from './verdict.ts';

const FEWEST_PODS_FOR_A_VARIANCE = 8; // baseline pods; below, the spread between pods rests on an assumption
const THROTTLED_PART = 0.05; // of the CPU time used
const UNEQUAL_LOAD_RATIO = 1.3; // CPU per pod and second, one arm over the other

/** What is remarkable about the windows a verdict rests on. */
export function flagsOf(
  blocks: readonly Block[],
  findings: readonly Finding[],
  warmUpExcluded: boolean,
): CpuFlag[] {
  const baseline = blocks.flatMap((block) => block.baseline);
  const canary = blocks.flatMap((block) => block.canary);
  const all = [...baseline, ...canary];
  const flags: CpuFlag[] = [];
  if (all.length > 0 && new Set(baseline.map(({ pod }) => pod)).size < FEWEST_PODS_FOR_A_VARIANCE) {
    flags.push('AssumedVariance');
  }
  if (new Set(all.map((window) => window.flags)).size > 1) flags.push('ProfilingFlagsDiffer');
  if ([baseline, canary].some(armIsThrottled)) flags.push('Throttled');
  if (warmUpExcluded) flags.push('WarmUpExcluded');
  if (loadIsUnequal(baseline, canary)) flags.push('UnequalLoad');
  if (findings.some(({ onePod }) => onePod)) flags.push('OnePod');
  return flags;
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

function armIsThrottled(windows: readonly PodWindow[]): boolean {
  const used = sum(windows.map(({ cpuUsec }) => cpuUsec));
  return sum(windows.map(({ throttledUsec }) => throttledUsec)) > THROTTLED_PART * used;
}

// Fixed work (polling, timers, GC of caches) is a larger share of a pod with less to do, with no change of code.
function loadIsUnequal(baseline: readonly PodWindow[], canary: readonly PodWindow[]): boolean {
  const rate = (windows: readonly PodWindow[]): number =>
    sum(windows.map(({ cpuUsec }) => cpuUsec)) / sum(windows.map(({ startMs, endMs }) => endMs - startMs));
  const [low = 0, high = 0] = [rate(baseline), rate(canary)].sort((a, b) => a - b);
  return low > 0 && high / low > UNEQUAL_LOAD_RATIO;
}
