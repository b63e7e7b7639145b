/** A gate certified by its own pods: how often it fails without a cause, what variance between pods that takes, what it sees. */
import type { BaselineHistory } from './baseline-history.ts';
import type { GateSettings } from './gate-evaluation.ts';
import { LOOK_MS } from './looks.ts';
import { judgePlacebos, type PlaceboGate, type PlaceboResult, planPlacebos } from './placebo.ts';
import { effectiveGates } from './placebo-dependence.ts';
import { type PowerPlan, planPower } from './power-plan.ts';
import type { Random } from './seeded-random.ts';

export interface Certification {
  /** Of the history. */
  readonly pods: number;
  readonly windows: number;
  /** Of the windows. */
  readonly spanMs: number;
  /** Pods called canaries in each placebo. */
  readonly canaries: number;
  /** How long each placebo was looked at: the deadline, if the windows reach that far. */
  readonly lookedAtMs: number;
  readonly placebos: PlaceboCounts;
  /** What the variance between pods is multiplied by for that; 1: as the engine estimates it. */
  readonly podVarianceFactor: number;
  /** Whether no more failed than falseFailureRate allows. */
  readonly holds: boolean;
  /** What failed most, of the last run: functions and checks, with how often. */
  readonly falseAlarms: readonly { readonly what: string; readonly times: number }[];
  readonly plan: PowerPlan;
}

export interface PlaceboCounts {
  readonly run: number;
  readonly failed: number;
  readonly passed: number;
  readonly inconclusive: number;
  /** How many independent gates would tell the rate as well: these share their pods and their times. */
  readonly effective: number;
}

export type Uncertifiable = { readonly reason: 'TooFewPods' | 'TooFewWindows'; readonly message: string };

export interface CertifyOptions {
  readonly settings: GateSettings;
  readonly random: Random;
  readonly mostGates?: number;
  /** Where the history has only some of them. */
  readonly baselinePods?: number;
}

/** Two canaries beside two: with fewer an arm, a pod cannot be told from its version. */
export const FEWEST_PODS = 4;
export const LEAST_SPAN_MS = 15 * 60_000;
/** Twelve pods choose three in 220 ways. */
const MOST_GATES = 220;
const CANARIES = 3;
const PLANNED_CANARIES = [3, 6, 12];
/** Standard deviations of 1.2 to 5 times what is estimated; pods that differ more than that are no replicas. */
const FACTORS = [1.5, 2, 3, 4, 6, 9, 16, 25];
const MOST_ALARMS = 5;

/** Why a history says too little; undefined when it says enough. */
export function uncertifiable(history: BaselineHistory): Uncertifiable | undefined {
  const spanMs = history.endMs - history.startMs;
  if (spanMs < LEAST_SPAN_MS) {
    const message = `${minutes(spanMs)} of windows past the warm-up, of ${minutes(LEAST_SPAN_MS)} that are needed`;
    return { reason: 'TooFewWindows', message };
  }
  if (history.pods.length >= FEWEST_PODS) return undefined;
  const message = `${history.pods.length} baseline pods have windows of all this time, of ${FEWEST_PODS} that are needed: two of them stand in for canaries`;
  return { reason: 'TooFewPods', message };
}

const minutes = (ms: number): string => `${Math.floor(ms / 60_000)} min`;

/** Of a history that is not uncertifiable. Yields after each look. */
export function* certify(
  history: BaselineHistory,
  { settings, random, mostGates = MOST_GATES, baselinePods = history.pods.length }: CertifyOptions,
): Generator<undefined, Certification> {
  const { deadlineMs, falseFailureRate } = settings;
  const canaries = Math.min(CANARIES, Math.floor(history.pods.length / 2));
  const gates = planPlacebos(history, { canaries, mostGates, deadlineMs }, random);
  const allowed = Math.floor(falseFailureRate * gates.length);
  const round = { gates, history, settings, allowed };
  const { results, podVarianceFactor } = yield* inflateUntilTrue(round);
  const placebos = { ...countsOf(results), effective: worthOf(results, random) };
  const planned = { canaryPods: plannedCanaries(canaries), baselinePods };
  const plan = yield* planPower(history, { ...settings, podVarianceFactor }, planned);
  return {
    pods: history.pods.length,
    windows: history.windows,
    spanMs: history.endMs - history.startMs,
    canaries,
    lookedAtMs: (gates[0]?.blocks ?? 0) * LOOK_MS,
    placebos,
    podVarianceFactor,
    holds: placebos.failed <= allowed,
    falseAlarms: alarmsOf(results),
    plan,
  };
}

const plannedCanaries = (canaries: number): number[] => [
  ...(canaries < CANARIES ? [canaries] : []),
  ...PLANNED_CANARIES,
];

interface Round {
  readonly gates: readonly PlaceboGate[];
  readonly history: BaselineHistory;
  readonly settings: GateSettings;
  readonly allowed: number;
}

interface Inflated {
  readonly results: readonly PlaceboResult[];
  readonly podVarianceFactor: number;
}

/** A larger variance makes no gate fail that did not before, as good as always: only the failed ones are tried at each factor. */
function* inflateUntilTrue({ gates, history, settings, allowed }: Round): Generator<undefined, Inflated> {
  const given = settings.podVarianceFactor ?? 1;
  let results = yield* judgePlacebos(gates, history, settings);
  let podVarianceFactor = given;
  for (const factor of FACTORS.filter((one) => one > given)) {
    if (failedOf(results).length <= allowed) break;
    podVarianceFactor = factor;
    const inflated = { ...settings, podVarianceFactor };
    const again = yield* judgePlacebos(failedOf(results), history, inflated);
    // What is said of the factor that is chosen is said of all gates.
    const isChosen = failedOf(again).length <= allowed || factor === FACTORS.at(-1);
    if (isChosen) results = yield* judgePlacebos(gates, history, inflated);
  }
  return { results, podVarianceFactor };
}

const failedOf = (results: readonly PlaceboResult[]): PlaceboGate[] =>
  results.filter(({ verdict }) => verdict === 'Failed').map(({ gate }) => gate);

const worthOf = (results: readonly PlaceboResult[], random: Random): number =>
  Math.round(
    effectiveGates(
      results.map(({ gate, verdict, nearness }) => ({
        time: gate.fromBlock,
        pods: gate.canaries,
        failed: verdict === 'Failed',
        nearness,
      })),
      random,
    ),
  );

function countsOf(results: readonly PlaceboResult[]): Omit<PlaceboCounts, 'effective'> {
  const count = (wanted: PlaceboResult['verdict']): number =>
    results.filter(({ verdict }) => verdict === wanted).length;
  return {
    run: results.length,
    failed: count('Failed'),
    passed: count('Passed'),
    inconclusive: count('Inconclusive'),
  };
}

function alarmsOf(results: readonly PlaceboResult[]): Certification['falseAlarms'] {
  const times = new Map<string, number>();
  for (const { verdict, judgement } of results) {
    if (verdict !== 'Failed') continue;
    const culprit = judgement.culprits.find(({ kind }) => kind !== 'Moved')?.function;
    const checks = judgement.checks.filter(({ verdict }) => verdict === 'Failed').map(({ check }) => check);
    for (const check of checks) {
      const what = check === 'cpu.function' ? (culprit ?? check) : check;
      times.set(what, (times.get(what) ?? 0) + 1);
    }
  }
  return [...times]
    .map(([what, count]) => ({ what, times: count }))
    .sort((a, b) => b.times - a.times)
    .slice(0, MOST_ALARMS);
}
