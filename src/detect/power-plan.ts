/**
 * What a gate over these pods could see, before anyone has a canary: the engine's own detectable growth, for numbers of canary
 * pods and times that have not been. A canary pod is taken to carry what a baseline pod carries; with less it takes longer.
 */
import {
  addSketch,
  countAbove,
  createHistogram,
  densityAt,
  logQuantile,
  totalOf,
} from '../requests/latency-histogram.ts';
import { countOf } from '../requests/latency-sketch.ts';
import { comparableRow } from '../requests/request-window.ts';
import { type BaselineHistory, blocksOf, relabelled } from './baseline-history.ts';
import { openCpuEvaluation } from './cpu-evaluation.ts';
import { type Dispersion, estimateDispersion } from './dispersion.ts';
import type { GateSettings } from './gate-evaluation.ts';
import type { GrowthBound } from './growth-bound.ts';
import {
  ASSUMED_OF_LATENCY,
  boundOf,
  detectableGrowth,
  hasEnough,
  podAlphaOf,
  slowerThan,
} from './latency-evidence.ts';
import { candidateNodes } from './look-evidence.ts';
import { LOOK_MS } from './looks.ts';
import { BOUND_ALPHA, type LookContext } from './node-evidence.ts';
import { PodCounts } from './pod-counts.ts';
import { studentFactor, studentQuantile } from './quantiles.ts';
import { detectableInMost } from './report.ts';
import {
  type LatencySettings,
  latencyAlpha,
  latencyCheckName,
  type RequestSettings,
} from './request-settings.ts';
import { BLOCK_MS, estimateSpread, inflated, podFactors, type RequestSpread } from './request-spread.ts';
import type { ThresholdShape } from './restarts.ts';
import { createStackIndex } from './stack-index.ts';
import { type ArmTally, addBlock, createArmTally } from './tally.ts';

/** Growth that would be seen by then with 90 % probability. */
export interface Power {
  /** By check, those that can be compared at all; absent: too few requests by then. */
  readonly latency: readonly LatencyPower[];
  /** Of one function, as a share of CPU; absent where pods have no samples. */
  readonly cpu?: number;
}

export interface LatencyPower {
  readonly check: string;
  readonly ms: number;
}

export interface PowerRow {
  readonly canaryPods: number;
  /** At REFERENCE_MS, or the deadline if that is sooner. */
  readonly atMs: number;
  readonly power: Power;
  /** When this many pods see what the first row sees at `atMs`; absent: not by the deadline. */
  readonly sameAfterMs?: number;
  /** When growth of the margins' size is seen a second time, of every check; absent: not by the deadline. */
  readonly marginAfterMs?: number;
}

export interface PowerPlan {
  readonly baselinePods: number;
  readonly rows: readonly PowerRow[];
}

const REFERENCE_MS = 10 * 60_000;

/** One row for each number of canary pods; yields after each step of some tens of milliseconds. */
export function* planPower(
  history: BaselineHistory,
  settings: GateSettings,
  { canaryPods, baselinePods }: { readonly canaryPods: readonly number[]; readonly baselinePods: number },
): Generator<undefined, PowerPlan> {
  const service = { ...(yield* measure(history, settings)), pods: baselinePods };
  const atMs = Math.min(REFERENCE_MS, settings.deadlineMs);
  const margins = marginsOf(service, settings);
  const rows: PowerRow[] = [];
  let reference: Power | undefined;
  for (const pods of canaryPods) {
    const power = powerAt(service, pods, atMs);
    yield;
    reference ??= power;
    const sameAfterMs = yield* seenAfter(service, pods, reference, settings.deadlineMs);
    const marginSeenMs = yield* seenAfter(service, pods, margins, settings.deadlineMs - LOOK_MS);
    rows.push({
      canaryPods: pods,
      atMs,
      power,
      ...(sameAfterMs === undefined ? {} : { sameAfterMs }),
      ...(marginSeenMs === undefined ? {} : { marginAfterMs: marginSeenMs + LOOK_MS }),
    });
  }
  return { baselinePods, rows };
}

/** What is known of the pods' noise. */
interface Service {
  /** Of the baseline. */
  readonly pods: number;
  readonly cpu: CpuService | undefined;
  readonly latency: readonly LatencyService[];
}

interface CpuService {
  readonly dispersion: Dispersion;
  readonly candidates: readonly { readonly node: number; readonly baselineShare: number }[];
  readonly samplesPerPodMs: number;
  readonly namedPart: number;
  readonly nodeAlpha: number;
}

interface LatencyService {
  readonly check: LatencySettings;
  readonly alpha: number;
  readonly bound: GrowthBound;
  readonly baselineMs: number;
  readonly density: number;
  readonly slower: number;
  readonly fixed: ThresholdShape;
  readonly spread: RequestSpread;
  readonly answeredPerPodMs: number;
}

function* measure(
  history: BaselineHistory,
  settings: GateSettings,
): Generator<undefined, Omit<Service, 'pods'>> {
  const cpu = yield* measureCpu(history, settings);
  const latency: LatencyService[] = [];
  const { requests } = settings;
  for (const check of requests?.latency ?? []) {
    const measured = requests && measureLatency(history, { ...settings, requests }, check);
    if (measured !== undefined) latency.push(measured);
    yield;
  }
  return { cpu, latency };
}

const NO_CANARIES: ReadonlySet<string> = new Set();

function* measureCpu(
  history: BaselineHistory,
  settings: GateSettings,
): Generator<undefined, CpuService | undefined> {
  const index = createStackIndex();
  const arms = { baseline: createArmTally(), canary: createArmTally() };
  for (let number = 0; number < blocksOf(history); number++) {
    addBlock(arms, relabelled(history, number, NO_CANARIES), index);
    yield;
  }
  const { baseline } = arms;
  if (baseline.samples === 0) return undefined;
  const { levels } = openCpuEvaluation(settings, 0, index);
  const nodes = candidateNodes({ baseline, canary: baseline });
  return {
    dispersion: estimateDispersion([baseline], levels.podVarianceFactor),
    candidates: nodes.map((node) => ({
      node,
      baselineShare: (baseline.counts[node] ?? 0) / baseline.samples,
    })),
    samplesPerPodMs: baseline.samples / (baseline.blocks * LOOK_MS) / baseline.pods.size,
    namedPart: baseline.samples / baseline.allSamples,
    nodeAlpha: levels.familyAlpha / Math.max(1, nodes.length),
  };
}

function measureLatency(
  history: BaselineHistory,
  settings: GateSettings & { readonly requests: RequestSettings },
  check: LatencySettings,
): LatencyService | undefined {
  const histogram = createHistogram();
  const counts = new PodCounts();
  const blocks = Array.from({ length: blocksOf(history) }, (_, number) => [
    ...history.block(number).values(),
  ]);
  let served = 0;
  for (const windows of blocks) {
    const rows = windows.flatMap(({ requests }) => requests?.routes.map(comparableRow) ?? []);
    for (const { latency } of rows) addSketch(histogram, latency);
    if (rows.some(({ latency }) => countOf(latency) > 0)) served += 1;
  }
  const answered = totalOf(histogram);
  const threshold = logQuantile(histogram, check.quantile);
  const density = answered > 0 ? densityAt(histogram, threshold) : 0;
  if (!(density > 0)) return undefined;
  for (const [number, windows] of blocks.entries()) {
    for (const { pod, requests } of windows) {
      const rows = requests?.routes.map(comparableRow) ?? [];
      counts.add(pod, Math.floor((number * LOOK_MS) / BLOCK_MS), slowerThan(rows, threshold));
    }
  }
  const alpha = latencyAlpha(settings.falseFailureRate, settings.requests, check);
  return {
    check,
    alpha,
    bound: boundOf(alpha, settings.deadlineMs / BLOCK_MS),
    baselineMs: Math.exp(threshold) / 1_000,
    density,
    slower: countAbove(histogram, threshold) / answered,
    fixed: { density, shiftOf: (part) => threshold - logQuantile(histogram, 1 - part) },
    spread: inflated(estimateSpread([counts], density, ASSUMED_OF_LATENCY), settings.podVarianceFactor),
    answeredPerPodMs: answered / (served * LOOK_MS) / history.pods.length,
  };
}

function powerAt(service: Service, canaryPods: number, afterMs: number): Power {
  const latency = service.latency.flatMap((one) => {
    const ms = latencyPower(one, { canaryPods, baselinePods: service.pods, afterMs });
    return ms === undefined ? [] : [{ check: latencyCheckName(one.check), ms }];
  });
  if (service.cpu === undefined) return { latency };
  return { latency, cpu: cpuPower(service.cpu, { canaryPods, baselinePods: service.pods, afterMs }) };
}

interface Trial {
  readonly canaryPods: number;
  readonly baselinePods: number;
  readonly afterMs: number;
}

function latencyPower(service: LatencyService, trial: Trial): number | undefined {
  const { canaryPods, baselinePods, afterMs } = trial;
  const { density, slower, spread, answeredPerPodMs, alpha } = service;
  const answered = answeredPerPodMs * canaryPods * afterMs;
  if (!hasEnough(answered, service.check.quantile)) return undefined;
  const concentration = 1 / canaryPods + 1 / baselinePods;
  const perRequest = concentration / (answeredPerPodMs * afterMs);
  const noise = {
    sampling:
      (slower * (1 - slower) * perRequest) / density ** 2 +
      (spread.waveVariance * concentration * BLOCK_MS) / afterMs,
    pods: spread.podVariance * concentration,
    factors: podFactors(spread, podAlphaOf(alpha), canaryPods),
  };
  const plan = { alpha, bound: service.bound, blocks: afterMs / BLOCK_MS };
  return service.baselineMs * Math.expm1(detectableGrowth(noise, plan, service));
}

function cpuPower(service: CpuService, { canaryPods, baselinePods, afterMs }: Trial): number {
  const { dispersion, nodeAlpha, samplesPerPodMs, namedPart } = service;
  const perPod = samplesPerPodMs * afterMs;
  const context: LookContext = {
    canary: equalPods(canaryPods, perPod),
    baseline: equalPods(baselinePods, perPod),
    dispersion,
    scale: 1,
    boundFactor: 1,
    podBoundFactor: studentQuantile(1 - BOUND_ALPHA, dispersion.degreesOfFreedom),
    podTestFactor: studentFactor(nodeAlpha, dispersion.degreesOfFreedom),
    nodeAlpha,
  };
  return detectableInMost(service.candidates, context) * namedPart;
}

function equalPods(pods: number, samplesEach: number): ArmTally {
  const one = { counts: new Float64Array(0), samples: samplesEach, blocks: 1 };
  return {
    ...createArmTally(),
    pods: new Map(Array.from({ length: pods }, (_, pod) => [String(pod), one])),
    samples: pods * samplesEach,
    allSamples: pods * samplesEach,
  };
}

/** Growth of the size of every margin. */
function marginsOf(service: Service, settings: GateSettings): Power {
  return {
    latency: service.latency.map(({ check, baselineMs }) => ({
      check: latencyCheckName(check),
      ms: Math.max(check.relativeMargin * baselineMs, check.absoluteMarginMs),
    })),
    ...(service.cpu === undefined ? {} : { cpu: settings.functionMargin }),
  };
}

/** The first look by which all of `wanted` is seen; undefined when none up to `latestMs` does. */
function* seenAfter(
  service: Service,
  canaryPods: number,
  wanted: Power,
  latestMs: number,
): Generator<undefined, number | undefined> {
  if (wanted.cpu === undefined && wanted.latency.length === 0) return undefined;
  let unseen = 0;
  const never = Math.floor(latestMs / LOOK_MS) + 1;
  let seen = never;
  while (seen - unseen > 1) {
    const middle = Math.floor((seen + unseen) / 2);
    if (isSeen(powerAt(service, canaryPods, middle * LOOK_MS), wanted)) seen = middle;
    else unseen = middle;
    yield;
  }
  return seen >= never ? undefined : seen * LOOK_MS;
}

// A whisker more than what the first row itself sees: that row has to say its own time.
const ROUNDING = 1 + 1e-9;

function isSeen(power: Power, wanted: Power): boolean {
  const cpuIsSeen = wanted.cpu === undefined || (power.cpu ?? 1) <= wanted.cpu * ROUNDING;
  return (
    cpuIsSeen &&
    wanted.latency.every(({ check, ms }) =>
      power.latency.some((one) => one.check === check && one.ms <= ms * ROUNDING),
    )
  );
}
