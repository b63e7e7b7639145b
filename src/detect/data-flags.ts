/** What is remarkable about the windows a verdict rests on, each with a sentence. */
import { armStillCompiles, loadSentence, mixSentence } from './cpu-doubt.ts';
import type { Doubt } from './doubt.ts';
import { FEWEST_PODS_FOR_A_VARIANCE } from './few-baseline-pods.ts';
import type { Immaturity } from './maturity.ts';
import {
  type ArmFacts,
  type GateFacts,
  isSeenByBoth,
  loadRatio,
  type PodFacts,
  partOf,
  sumOver,
} from './pod-facts.ts';
import type { RouteMix } from './route-mix.ts';
import type { CpuFlag, DataFlag } from './verdict.ts';

const THROTTLED_PART = 0.05; // of the CPU time used
const UNEQUAL_LOAD_RATIO = 1.3; // of a pod, one arm over the other
const MOVED_PART = 0.1; // of requests
const LOST_PART = 0.01; // of samples, or of requests

export interface FlagInput {
  readonly facts: GateFacts;
  readonly warmUpExcluded: boolean;
  /** Of checks and functions that grew: what else explains it. */
  readonly doubts: readonly Doubt[];
  readonly mix?: RouteMix | undefined;
  /** What functions and samples add. */
  readonly remarks?: readonly DataFlag[];
  /** Whether a check of requests had nothing but an assumption to know its pods by. */
  readonly assumesPods?: boolean;
  readonly podVarianceFactor?: number | undefined;
}

/** Each flag once; what a doubt says of it comes before what is true of all windows. */
export function dataFlags(input: FlagInput): readonly DataFlag[] {
  const { facts, doubts } = input;
  const flags = new Map<CpuFlag, string>();
  const add = (flag: CpuFlag, message: string | undefined) => {
    if (message !== undefined && !flags.has(flag)) flags.set(flag, message);
  };
  for (const { kind, message } of doubts) add(kind, message);
  if (facts.baseline.size > 0 || facts.canary.size > 0) {
    add('AssumedVariance', assumedVariance(facts));
    add('ProfilingFlagsDiffer', flagsDiffer(facts));
    add('Throttled', throttled(facts));
    add('UnequalLoad', unequalLoad(facts));
    add('WarmUp', compiling(facts));
    add('SlowerCpu', cpusDiffer(facts));
    add('SamplesLost', lost(facts));
    add('PodsScaled', scaled(facts));
  }
  if (input.mix !== undefined && input.mix.moved >= MOVED_PART)
    add('RouteMixShifted', mixSentence(input.mix));
  if (input.warmUpExcluded)
    add('WarmUpExcluded', 'windows of pods that were younger than warmUp, or still compiled, were left out');
  if (input.assumesPods === true)
    add(
      'FewBaselinePods',
      `${facts.baseline.size} baseline pods and nothing of before the rollout: that pods of one version differ by 5 % in latency is assumed`,
    );
  for (const { flag, message } of input.remarks ?? []) add(flag, message);
  const { podVarianceFactor = 1 } = input;
  if (podVarianceFactor > 1)
    add(
      'PodVarianceInflated',
      `the variance between pods counts ${podVarianceFactor} times, as placebo gates showed`,
    );
  return [...flags].map(([flag, message]) => ({ flag, message }));
}

const percent = (part: number): string => `${(100 * part).toFixed(part < 0.1 ? 1 : 0)} %`;

function assumedVariance({ baseline }: GateFacts): string | undefined {
  if (baseline.size >= FEWEST_PODS_FOR_A_VARIANCE) return undefined;
  return `with ${baseline.size} baseline pods how far functions of one version differ is assumed in part; ${FEWEST_PODS_FOR_A_VARIANCE} would tell`;
}

function flagsDiffer({ baseline, canary }: GateFacts): string | undefined {
  const of = (arm: ArmFacts): string =>
    [...new Set([...arm.values()].map(({ flags }) => flags || 'none'))].sort().join(', ');
  const all = new Set([...baseline.values(), ...canary.values()].map(({ flags }) => flags));
  return all.size > 1
    ? `profiling flags of the JVMs: baseline ${of(baseline)}; canary ${of(canary)}`
    : undefined;
}

function throttled({ baseline, canary }: GateFacts): string | undefined {
  const part = (arm: ArmFacts): number => partOf(arm, 'throttledUsec', 'cpuUsec');
  if (Math.max(part(baseline), part(canary)) <= THROTTLED_PART) return undefined;
  return `throttled for ${percent(part(canary))} of the CPU time used in the canary, ${percent(part(baseline))} in the baseline`;
}

function unequalLoad(facts: GateFacts): string | undefined {
  const ratio = loadRatio(facts);
  if (Math.max(ratio, 1 / ratio) <= UNEQUAL_LOAD_RATIO) return undefined;
  return `${loadSentence(ratio)} (${isSeenByBoth(facts) ? 'by requests' : 'by CPU'})`;
}

/** Why the canary is no match for the baseline yet. */
export function immatureSentence({ pods, compiling: [of, beside], cost }: Immaturity): string {
  const dearer = cost === undefined ? '' : `, and a request takes ${cost.toFixed(2)} times the CPU`;
  return `${pods} canary pods' JVMs are not as far as the baseline's: compilers take ${percent(of)} of their samples, ${percent(beside)} of the baseline's${dearer}`;
}

function compiling(facts: GateFacts): string | undefined {
  const { why } = facts.maturity;
  if (why !== undefined) return immatureSentence(why);
  if (!armStillCompiles(facts)) return undefined;
  const part = (arm: ArmFacts): string => percent(partOf(arm, 'compilerSamples', 'samples'));
  return `compilers took ${part(facts.canary)} of the canary's samples and ${part(facts.baseline)} of the baseline's`;
}

function cpusDiffer({ baseline, canary }: GateFacts): string | undefined {
  const modelsOf = (arm: ArmFacts): Map<string, PodFacts[]> =>
    Map.groupBy(arm.values(), ({ host }) => host?.cpuModel ?? '');
  const [ofBaseline, ofCanary] = [modelsOf(baseline), modelsOf(canary)];
  if (ofBaseline.has('') || ofCanary.has('')) return undefined;
  const alone = [...ofCanary].filter(([model]) => !ofBaseline.has(model));
  if (alone.length === 0) return undefined;
  const pods = alone.reduce((sum, [, all]) => sum + all.length, 0);
  return `${pods} of ${canary.size} canary pods run on ${alone.map(([model]) => model).join(', ')}, no baseline pod does`;
}

function lost({ baseline, canary }: GateFacts): string | undefined {
  const samples = (arm: ArmFacts): number => lostPart(arm, 'samplesLost', 'samples');
  const requests = (arm: ArmFacts): number => lostPart(arm, 'requestsLost', 'requests');
  const most = Math.max(...[baseline, canary].flatMap((arm) => [samples(arm), requests(arm)]));
  if (most <= LOST_PART) return undefined;
  return `lost of samples: canary ${percent(samples(canary))}, baseline ${percent(samples(baseline))}; of requests: ${percent(requests(canary))}, ${percent(requests(baseline))}`;
}

const lostPart = (
  arm: ArmFacts,
  lostKey: 'samplesLost' | 'requestsLost',
  kept: 'samples' | 'requests',
): number => sumOver(arm, lostKey) / Math.max(1, sumOver(arm, lostKey) + sumOver(arm, kept));

const AWAY_MS = 60_000; // a pod that missed two looks was not there

function scaled({ baseline, canary, firstLookAtMs, lastLookAtMs }: GateFacts): string | undefined {
  const came = (arm: ArmFacts): number =>
    [...arm.values()].filter((pod) => pod.firstLookAtMs - firstLookAtMs > AWAY_MS).length;
  const went = (arm: ArmFacts): number =>
    [...arm.values()].filter((pod) => lastLookAtMs - pod.lastLookAtMs > AWAY_MS).length;
  if ([baseline, canary].every((arm) => came(arm) + went(arm) === 0)) return undefined;
  return `pods came and went: baseline ${came(baseline)} and ${went(baseline)} of ${baseline.size}, canary ${came(canary)} and ${went(canary)} of ${canary.size}`;
}
