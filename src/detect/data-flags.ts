import { addCollector, type CollectorCounts, collectsMore } from './collector-cost.ts';
import type { Finding } from './culprits.ts';
import type { Block } from './looks.ts';
import type { PodWindow } from './pod-window.ts';
import type { StackIndex } from './stack-index.ts';
import type { CpuFlag, CpuSettings } from './verdict.ts';

const FEWEST_PODS_FOR_A_VARIANCE = 8; // baseline pods; below, the spread between pods rests on an assumption
const THROTTLED_PART = 0.05; // of the CPU time used
const UNEQUAL_LOAD_RATIO = 1.3; // CPU per pod and second, one arm over the other

/** What one arm's windows say besides their stacks. */
interface ArmFacts {
  readonly pods: Set<string>;
  readonly collector: CollectorCounts;
  cpuUsec: number;
  throttledUsec: number;
  windowMs: number;
}

/** What the windows of all looks so far say besides their stacks. */
export interface WindowFacts {
  readonly baseline: ArmFacts;
  readonly canary: ArmFacts;
  /** Profiling flags of the JVMs, each once. */
  readonly jvmFlags: Set<string>;
}

export function createWindowFacts(): WindowFacts {
  const nothing = (): ArmFacts => ({
    ...{ pods: new Set<string>(), collector: new Map() },
    ...{ cpuUsec: 0, throttledUsec: 0, windowMs: 0 },
  });
  return { baseline: nothing(), canary: nothing(), jvmFlags: new Set() };
}

export function addFacts(facts: WindowFacts, block: Block, index: StackIndex): void {
  addArm(facts.baseline, block.baseline);
  addArm(facts.canary, block.canary);
  addCollector(facts.baseline.collector, block.baseline, index);
  addCollector(facts.canary.collector, block.canary, index);
  for (const { flags } of [...block.baseline, ...block.canary]) facts.jvmFlags.add(flags);
}

function addArm(arm: ArmFacts, windows: readonly PodWindow[]): void {
  for (const window of windows) {
    arm.pods.add(window.pod);
    arm.cpuUsec += window.cpuUsec;
    arm.throttledUsec += window.throttledUsec;
    arm.windowMs += window.endMs - window.startMs;
  }
}

/** What is remarkable about the windows a verdict rests on. */
export function flagsOf(
  facts: WindowFacts,
  findings: readonly Finding[],
  warmUpExcluded: boolean,
  settings: CpuSettings,
): CpuFlag[] {
  const { baseline, canary, jvmFlags } = facts;
  const flags: CpuFlag[] = [];
  if (jvmFlags.size > 0 && baseline.pods.size < FEWEST_PODS_FOR_A_VARIANCE) flags.push('AssumedVariance');
  if (jvmFlags.size > 1) flags.push('ProfilingFlagsDiffer');
  if ([baseline, canary].some(armIsThrottled)) flags.push('Throttled');
  if (warmUpExcluded) flags.push('WarmUpExcluded');
  if (loadIsUnequal(baseline, canary)) flags.push('UnequalLoad');
  if (findings.some(({ onePod }) => onePod)) flags.push('OnePod');
  flags.push(...codeChanges(findings));
  if (collectsMore(canary.collector, baseline.collector, settings.functionMargin))
    flags.push('GarbageCollection');
  return flags;
}

function codeChanges(findings: readonly Finding[]): CpuFlag[] {
  const seen = new Set(findings.map(({ moved }) => moved?.change));
  return (['Renamed', 'InliningChanged', 'CostMoved'] as const).filter((change) => seen.has(change));
}

const armIsThrottled = (arm: ArmFacts): boolean => arm.throttledUsec > THROTTLED_PART * arm.cpuUsec;

// Fixed work (polling, timers, GC of caches) is a larger share of a pod with less to do, with no change of code.
function loadIsUnequal(baseline: ArmFacts, canary: ArmFacts): boolean {
  const rate = (arm: ArmFacts): number => arm.cpuUsec / arm.windowMs;
  const [low = 0, high = 0] = [rate(baseline), rate(canary)].sort((a, b) => a - b);
  return low > 0 && high / low > UNEQUAL_LOAD_RATIO;
}
