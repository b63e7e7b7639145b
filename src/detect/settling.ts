/**
 * What would have settled an evaluation that ended undecided: the engine's own bounds, at the spread that its pods and requests
 * showed, for a time, a number of pods, a traffic or a margin that it did not have. Each alone, and if the canary stays as it looks now.
 */
import { boundFactor } from './bound-factor.ts';
import { FEWEST_REQUESTS as FEWEST_OF_COST } from './cost-evidence.ts';
import type { CpuEvaluation } from './cpu-evaluation.ts';
import { logGrowthEValue } from './e-process.ts';
import { weighGrowth } from './effect-evidence.ts';
import { FEWEST_REQUESTS as FEWEST_OF_ERRORS } from './error-evidence.ts';
import type { GateSettings } from './gate-evaluation.ts';
import { boundOf, eProcessAlphaOf, FEWEST_SLOWER, podAlphaOf } from './latency-evidence.ts';
import type { LookEvidence } from './look-evidence.ts';
import { LOOK_MS } from './looks.ts';
import { BOUND_ALPHA, binomialOf, type NodeEvidence, podConcentration, scoreOf } from './node-evidence.ts';
import { concentrationOf } from './request-arms.ts';
import type { CheckKind, RequestCheckState } from './request-check.ts';
import type { RequestEvaluation } from './request-evaluation.ts';
import { requestCheckName } from './request-numbers.ts';
import { BLOCK_MS, podFactors } from './request-spread.ts';
import type { Settling } from './verdict.ts';

/** How many times as much there is of each. */
export interface Multiples {
  readonly time: number;
  /** With the load of those there are. */
  readonly canaryPods: number;
  /** Of pods that share the load there is. */
  readonly baselinePods: number;
  readonly traffic: number;
}

const AS_IT_IS: Multiples = { time: 1, canaryPods: 1, baselinePods: 1, traffic: 1 };
const LONGEST_MS = 24 * 3_600_000; // a gate's longest deadline
const MOST_PODS = 100;
const MOST_TRAFFIC = 100;
const HALVINGS = 20;

/** The first multiple from which on it is settled; undefined when `most` is not enough. */
export function leastMultiple(isSettled: (multiple: number) => boolean, most: number): number | undefined {
  if (!(most > 1) || !isSettled(most)) return undefined;
  let low = 1;
  let high = most;
  for (let step = 0; step < HALVINGS; step++) {
    const middle = Math.sqrt(low * high);
    if (isSettled(middle)) high = middle;
    else low = middle;
  }
  return high;
}

type PodNumbers = Readonly<Record<'baseline' | 'canary', number>>;

interface Question {
  readonly check: string;
  readonly unit: 'ms' | 'share';
  readonly lookedMs: number;
  readonly deadlineMs: number;
  readonly pods: PodNumbers;
  readonly margin?: number | undefined;
  readonly needsTraffic: boolean;
  isSettled(multiples: Multiples): boolean;
}

const MINUTE_MS = 60_000;

function answer(question: Question): Settling {
  const { check, unit, lookedMs, deadlineMs, margin, needsTraffic } = question;
  const by = (which: keyof Multiples, most: number): number | undefined =>
    leastMultiple((multiple) => question.isSettled({ ...AS_IT_IS, [which]: multiple }), most);
  const time = lookedMs > 0 ? by('time', (LONGEST_MS - deadlineMs + lookedMs) / lookedMs) : undefined;
  const pods = podsToSettle(question);
  const traffic = needsTraffic ? by('traffic', MOST_TRAFFIC) : undefined;
  return {
    check,
    unit,
    // Proof has to be there at two looks.
    ...(time !== undefined && {
      deadlineMs: MINUTE_MS * Math.ceil((deadlineMs + lookedMs * (time - 1) + LOOK_MS) / MINUTE_MS),
    }),
    ...(pods !== undefined && { pods }),
    ...(traffic !== undefined && { traffic }),
    ...(margin !== undefined && { margin }),
  };
}

/** Canary pods alone if they can do it, else pods of both arms. */
function podsToSettle({ pods: { baseline, canary }, isSettled }: Question): PodNumbers | undefined {
  if (baseline === 0 || canary === 0) return undefined;
  const ofCanary = leastMultiple((canaryPods) => isSettled({ ...AS_IT_IS, canaryPods }), MOST_PODS / canary);
  if (ofCanary !== undefined) return { baseline, canary: more(canary, ofCanary) };
  const ofBoth = leastMultiple(
    (multiple) => isSettled({ ...AS_IT_IS, canaryPods: multiple, baselinePods: multiple }),
    MOST_PODS / Math.max(baseline, canary),
  );
  if (ofBoth === undefined) return undefined;
  return { baseline: more(baseline, ofBoth), canary: more(canary, ofBoth) };
}

const more = (pods: number, multiple: number): number => Math.max(pods + 1, Math.ceil(pods * multiple));

/** Of a check of requests that is not decided; undefined where numbers do not help. */
export function settlingOfRequests(
  check: RequestCheckState,
  evaluation: RequestEvaluation,
): Settling | undefined {
  const { arms, limits } = evaluation;
  const { of, evidence, reason } = check;
  const name = requestCheckName(check);
  const unit = of.kind === 'errors' ? 'share' : 'ms';
  const pods = { baseline: arms.baseline.pods.size, canary: arms.canary.pods.size };
  if (reason === 'TooFewPods') return { check: name, unit, pods: atLeast(pods, limits.minPods) };
  const common = {
    ...({ check: name, unit, needsTraffic: true } as const),
    lookedMs: arms.looks * LOOK_MS,
    deadlineMs: limits.deadlineMs,
    pods,
  };
  if (reason === 'TooFewRequests' || evidence === undefined) {
    const missing = fewestRequests(of) / Math.max(1, arms.canary.answered);
    return answer({
      ...common,
      isSettled: ({ time, canaryPods, traffic }) => time * canaryPods * traffic > missing,
    });
  }
  if (reason !== 'MarginNotReached') return undefined;
  const { effect, half, baseline } = evidence;
  const margin = unit === 'ms' ? baseline * Math.expm1(effect + half) : effect + half;
  return answer({
    ...common,
    margin,
    isSettled: (multiples) => requestsSettle(check, evaluation, multiples),
  });
}

const atLeast = ({ baseline, canary }: PodNumbers, fewest: number): PodNumbers => ({
  baseline: Math.max(baseline, fewest),
  canary: Math.max(canary, fewest),
});

/** Of the canary, before anything is said. */
function fewestRequests(of: CheckKind): number {
  switch (of.kind) {
    case 'latency':
      return FEWEST_SLOWER / (1 - of.settings.quantile);
    case 'errors':
      return FEWEST_OF_ERRORS;
    case 'cost':
      return FEWEST_OF_COST;
  }
}

function requestsSettle(
  { of, evidence, spread, alpha }: RequestCheckState,
  { arms, limits }: RequestEvaluation,
  { time, canaryPods, baselinePods, traffic }: Multiples,
): boolean {
  const noise = evidence?.noise;
  if (evidence === undefined || noise === undefined || spread === undefined) return false;
  const { podVariance, waveVariance } = spread.of;
  const lookedMs = arms.looks * LOOK_MS;
  const concentration = {
    canary: concentrationOf(arms.canary) / canaryPods,
    both: concentrationOf(arms.canary) / canaryPods + concentrationOf(arms.baseline) / baselinePods,
  };
  const podAlpha = of.kind === 'latency' ? podAlphaOf(alpha) : alpha;
  const factors = podFactors(spread.of, podAlpha, 1 / concentration.canary);
  const pods = podVariance * concentration.both * noise.perVariance;
  const requests = noise.ofCanary / canaryPods + noise.ofBaseline;
  const waves = waveVariance * concentration.both * noise.perVariance;
  const sampling = requests / (time * traffic) + waves / (time * (lookedMs / BLOCK_MS));
  const levels = { alpha: eProcessAlphaOf(alpha), boundFactor: boundOver(lookedMs * (time - 1), limits) };
  const { effect, margin } = evidence;
  if (effect >= margin) {
    if (of.kind !== 'latency') return false;
    const blocks = (time * lookedMs) / BLOCK_MS;
    const least = boundOf(alpha, blocks).at(blocks, { sampling, pods: pods * factors.test ** 2 });
    return (
      weighGrowth(effect, { sampling, pods, factors }, levels).isProven ||
      (least !== undefined && effect >= least)
    );
  }
  return effect + Math.sqrt(factors.bound ** 2 * pods + levels.boundFactor ** 2 * sampling) < margin;
}

/** Where the deadline is so much later. */
const boundOver = (
  laterMs: number,
  { deadlineMs, minDurationMs }: { readonly deadlineMs: number; readonly minDurationMs: number },
): number => boundFactor(BOUND_ALPHA, (deadlineMs + laterMs) / Math.max(LOOK_MS, minDurationMs));

/** Of functions that are not decided. */
export function settlingOfFunctions(cpu: CpuEvaluation, settings: GateSettings): Settling | undefined {
  const { decision, evidence, looks } = cpu;
  if (decision === undefined || evidence === undefined) return undefined;
  const check = 'cpu.function';
  const unit = 'share';
  const { canary, baseline } = evidence.context;
  const pods = { baseline: baseline.pods.size, canary: canary.pods.size };
  if (decision.reason === 'TooFewPods') return { check, unit, pods: atLeast(pods, settings.minPods ?? 2) };
  if (decision.reason !== 'MarginNotReached' || decision.open.length === 0) return undefined;
  const { open } = decision;
  const largest = open.reduce((most, { delta, half }) => Math.max(most, delta + half), 0);
  return answer({
    ...{ check, unit, needsTraffic: false },
    lookedMs: looks * LOOK_MS,
    deadlineMs: settings.deadlineMs,
    pods,
    margin: largest * evidence.namedPart,
    isSettled: (multiples) =>
      open.every((node) => functionSettles(node, evidence, { multiples, looks, settings })),
  });
}

interface MoreSamples {
  readonly multiples: Multiples;
  readonly looks: number;
  readonly settings: GateSettings;
}

/** Whether a function's bound would be below the margin by then, or where it is above, its growth be proven. */
function functionSettles(
  node: NodeEvidence,
  { context, margin }: LookEvidence,
  { multiples: { time, canaryPods, baselinePods }, looks, settings }: MoreSamples,
): boolean {
  const { canary, baseline, scale } = context;
  const inCanary = canary.counts[node.node] ?? 0;
  const { spread, z, information } = scoreOf(node.node, inCanary, baseline.counts[node.node] ?? 0, context);
  const sizes = { canary: canary.samples * canaryPods, baseline: baseline.samples / scale };
  const concentration = {
    canary: podConcentration(canary) / canaryPods,
    baseline: podConcentration(baseline) / baselinePods,
  };
  if (node.delta >= margin) {
    const alike = 1 / canary.samples + 1 / sizes.baseline;
    const more = (time * alike) / (1 / sizes.canary + 1 / sizes.baseline);
    const pods =
      spread.podVariance * (concentration.canary + concentration.baseline) * context.podTestFactor ** 2;
    return logGrowthEValue(z * Math.sqrt(more), information * more, pods) >= -Math.log(context.nodeAlpha);
  }
  const ofCanary = binomialOf(node.canaryShare, canary.samples);
  const ofBaseline = binomialOf(node.baselineShare, baseline.samples);
  const sampling = (spread.overdispersion * (ofCanary / sizes.canary + ofBaseline / sizes.baseline)) / time;
  const pods =
    spread.podVariance * (concentration.canary * ofCanary ** 2 + concentration.baseline * ofBaseline ** 2);
  const bound = boundOver(looks * LOOK_MS * (time - 1), settings);
  return node.delta + Math.sqrt(context.podBoundFactor ** 2 * pods + bound ** 2 * sampling) < margin;
}
