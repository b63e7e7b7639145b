/** Placebo gates over the baseline of a recording: every choice of three of its replicas, in every slice that a deadline fits in. */
import { type BaselineHistory, blocksOf } from '../../src/detect/baseline-history.ts';
import type { GateSettings } from '../../src/detect/gate-evaluation.ts';
import { LOOK_MS } from '../../src/detect/looks.ts';
import {
  judgePlacebos,
  type PlaceboGate,
  type PlaceboResult,
  planPlacebos,
} from '../../src/detect/placebo.ts';
import { effectiveGates, intervalOfPart } from '../../src/detect/placebo-dependence.ts';
import { type PowerRow, planPower } from '../../src/detect/power-plan.ts';
import { choices } from '../../src/detect/relabelled-pods.ts';
import { COST } from '../../src/detect/request-settings.ts';
import { seededRandom } from '../../src/detect/seeded-random.ts';
import type { GateJudgement } from '../../src/detect/verdict.ts';
import { sliceOf } from './replicas.ts';

const CANARIES = 3;
const MOST_SLICES = 8;

/** What is kept of one. */
export interface PlaceboOutcome {
  readonly canaries: readonly string[];
  readonly fromBlock: number;
  readonly verdict: PlaceboResult['verdict'];
  readonly afterS: number;
  readonly nearness: number;
  /** Of a failed one: checks and functions. */
  readonly by: readonly string[];
  readonly checks: readonly PlaceboCheck[];
}

interface PlaceboCheck {
  readonly check: string;
  readonly verdict: string;
  /** What it could have seen by its end, over its margin; absent: too little to say. */
  readonly detectable?: number;
}

/** Every choice, slice by slice. */
export function placeboSlices(history: BaselineHistory, deadlineMs: number): readonly PlaceboGate[][] {
  const mostGates = MOST_SLICES * choices(history.pods.length, CANARIES);
  const gates = planPlacebos(history, { canaries: CANARIES, mostGates, deadlineMs }, seededRandom(1));
  const whole = gates.filter(({ blocks }) => blocks * LOOK_MS >= deadlineMs);
  return [...Map.groupBy(whole, ({ fromBlock }) => fromBlock).values()];
}

export function judgeSlice(
  gates: readonly PlaceboGate[],
  history: BaselineHistory,
  settings: GateSettings,
): readonly PlaceboOutcome[] {
  return finish(judgePlacebos(gates, history, settings)).map(({ gate, verdict, judgement, nearness }) => ({
    canaries: gate.canaries,
    fromBlock: gate.fromBlock,
    verdict,
    afterS: ((judgement.decidedAtMs ?? 0) - history.startMs) / 1_000 - (gate.fromBlock * LOOK_MS) / 1_000,
    nearness,
    by: verdict === 'Failed' ? failedBy(judgement) : [],
    checks: judgement.checks.filter(({ check }) => decides(check, settings)).map(checkOf),
  }));
}

const decides = (check: string, { requests }: GateSettings): boolean =>
  check !== COST || requests?.cost?.decides === true;

function checkOf(check: GateJudgement['checks'][number]): PlaceboCheck {
  const numbers = 'function' in check ? check : check.numbers;
  return {
    check: check.check,
    verdict: check.verdict,
    ...(numbers === undefined ? {} : { detectable: numbers.detectable / numbers.margin }),
  };
}

function failedBy({ checks, culprits }: GateJudgement): string[] {
  const culprit = culprits.find(({ kind }) => kind !== 'Moved')?.function;
  return checks
    .filter(({ verdict }) => verdict === 'Failed')
    .map(({ check }) => (check === 'cpu.function' ? `${check} ${culprit ?? ''}` : check));
}

/** What the plan of a slice's own pods foretells of three canary pods. */
export function foretold(
  history: BaselineHistory,
  settings: GateSettings,
  slice: readonly PlaceboGate[],
): PowerRow | undefined {
  const [first] = slice;
  if (first === undefined) return undefined;
  const pods = { canaryPods: [CANARIES], baselinePods: history.pods.length - CANARIES };
  return finish(planPower(sliceOf(history, first.fromBlock, first.blocks), settings, pods)).rows[0];
}

function finish<T>(running: Generator<undefined, T>): T {
  for (;;) {
    const step = running.next();
    if (step.done === true) return step.value;
  }
}

/** The figures of all slices. */
export function summaryOfPlacebos(outcomes: readonly PlaceboOutcome[]) {
  const count = (verdict: PlaceboOutcome['verdict']): number =>
    outcomes.filter((outcome) => outcome.verdict === verdict).length;
  const failed = count('Failed');
  const effective = effectiveGates(
    outcomes.map(({ fromBlock, canaries, verdict, nearness }) => ({
      time: fromBlock,
      pods: canaries,
      failed: verdict === 'Failed',
      nearness,
    })),
    seededRandom(2),
  );
  // Passed ones could see their margins, or their bounds would not have been below; of the others, those that say so.
  const able = outcomes.filter(
    ({ verdict, checks }) =>
      verdict !== 'Inconclusive' ||
      checks.every(({ detectable }) => detectable !== undefined && detectable <= 1),
  );
  return {
    gates: outcomes.length,
    failed,
    passed: count('Passed'),
    inconclusive: count('Inconclusive'),
    slices: new Set(outcomes.map(({ fromBlock }) => fromBlock)).size,
    effectiveGates: Math.round(effective),
    failedInterval: intervalOfPart(failed / Math.max(1, outcomes.length), effective),
    ableGates: able.length,
    by: countOf(outcomes.flatMap(({ by }) => by)),
    checks: [
      ...Map.groupBy(
        outcomes.flatMap(({ checks }) => checks),
        ({ check }) => check,
      ),
    ].map(([check, all]) => ({
      check,
      passed: all.filter(({ verdict }) => verdict === 'Passed').length,
      detectableOverMargin: medianOf(all.flatMap(({ detectable }) => detectable ?? [])),
    })),
  };
}

const countOf = (names: readonly string[]): Record<string, number> =>
  Object.fromEntries([...Map.groupBy(names, (name) => name)].map(([name, all]) => [name, all.length]));

const medianOf = (values: readonly number[]): number | null =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? null;

export const wholeMinutes = (history: BaselineHistory): number => (blocksOf(history) * LOOK_MS) / 60_000;
