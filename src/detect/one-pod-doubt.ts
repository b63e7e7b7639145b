/** Whether one pod of the canary explains growth of a check of requests as well as all of them do. */
import type { Doubt } from './doubt.ts';
import type { EffectEvidence } from './effect-evidence.ts';
import { AGEING_SD } from './latency-evidence.ts';
import { oddPod, type PodGrowth } from './odd-pod.ts';
import type { Counted, PodCounts } from './pod-counts.ts';
import { type GateFacts, nameOfPod } from './pod-facts.ts';
import { differenceOf, type Restarts, type Stretch, type ThresholdShape } from './restarts.ts';
import type { TrustedNoise } from './trusted-requests.ts';

export interface OnePodInput {
  readonly evidence: Pick<EffectEvidence, 'onset'>;
  readonly counts: { readonly canary: PodCounts };
  readonly restarts: Restarts;
  readonly shape: ThresholdShape;
  readonly noise: Pick<TrustedNoise, 'podVariance' | 'waveVariance'>;
  /** Of the baseline's pods: Σ of squared weights. */
  readonly baselineConcentration: number;
  readonly facts: Pick<GateFacts, 'canary'>;
}

export function doubtOfPods(input: OnePodInput): Doubt | undefined {
  const { baselineConcentration, facts } = input;
  const { pods, ofBaseline, ofPods } =
    input.evidence.onset === undefined ? sinceStart(input) : sinceOnset(input, input.evidence.onset.block);
  const worst = oddPod(pods, ofBaseline + ofPods * baselineConcentration);
  if (worst === undefined) return undefined;
  const name = nameOfPod(facts.canary.get(worst.name), worst.name);
  const message = `${name} alone, one of ${pods.length} canary pods, explains it better than all of them being slower`;
  return { kind: 'OnePod', message };
}

interface PodGrowths {
  readonly pods: readonly PodGrowth[];
  /** Variance of the baseline by its requests. */
  readonly ofBaseline: number;
  /** Of one pod, whatever it served. */
  readonly ofPods: number;
}

function sinceStart({ counts, restarts, shape, noise }: OnePodInput): PodGrowths {
  const { sum } = restarts;
  const ofPods = noise.podVariance + noise.waveVariance / sum.looks;
  const pods = [...counts.canary.byPod()].flatMap(([name, served]) => {
    if (served.requests === 0) return [];
    return [
      { name, growth: growthOf(served, sum, shape), variance: ofPods + samplingOf(served, sum, shape) },
    ];
  });
  return { pods, ofPods, ofBaseline: baselineOf(sum, shape) };
}

/** Against each pod's own past, as such growth is proven: which pods they are cancels, and how they age is left. */
function sinceOnset({ counts, restarts, shape, noise }: OnePodInput, block: number): PodGrowths {
  const { sum, starts } = restarts;
  const before = starts.find((start) => start.block === block)?.before ?? sum;
  const after = differenceOf(sum, before);
  const ofPods = AGEING_SD ** 2 + noise.waveVariance * (1 / before.looks + 1 / after.looks);
  const since = new Map(counts.canary.since(block));
  const pods = [...counts.canary.byPod()].flatMap(([name, whole]) => {
    const served = since.get(name) ?? NOTHING;
    const past = { requests: whole.requests - served.requests, counted: whole.counted - served.counted };
    if (served.requests === 0 || past.requests === 0) return [];
    const growth = growthOf(served, after, shape) - growthOf(past, before, shape);
    const sampling = samplingOf(served, after, shape) + samplingOf(past, before, shape);
    return [{ name, growth, variance: ofPods + sampling }];
  });
  return { pods, ofPods, ofBaseline: baselineOf(after, shape) + baselineOf(before, shape) };
}

const NOTHING: Counted = { requests: 0, counted: 0 };

const partOf = ({ expected, requests }: Stretch): number => expected / requests;

/** On the scale of latency that all pods are proven on: by counts over the density and by the shift that they are, whichever is less. */
function growthOf(
  { requests, counted }: Counted,
  beside: Stretch,
  { density, shiftOf }: ThresholdShape,
): number {
  const part = partOf(beside);
  const byCount = (counted / requests - part) / density;
  return byCount > 0 ? Math.min(byCount, shiftOf(counted / requests) - shiftOf(part)) : byCount;
}

function samplingOf({ requests }: Counted, beside: Stretch, { density }: ThresholdShape): number {
  const part = partOf(beside);
  return (part * (1 - part)) / (requests * density ** 2);
}

function baselineOf(beside: Stretch, { density }: ThresholdShape): number {
  const part = partOf(beside);
  return (part * (1 - part) * beside.squares) / (beside.requests * density) ** 2;
}
