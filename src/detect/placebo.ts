/**
 * Placebo gates: pods of one version, some of them called canaries, judged by the engine as any gate. Whatever they fail for
 * is a false alarm; a service whose pods differ by more than the engine assumes shows here, before a rollout does.
 */
import { type BaselineHistory, blocksOf, relabelled } from './baseline-history.ts';
import {
  advanceGate,
  type GateSettings,
  gateIsDecided,
  gateJudgement,
  openGateEvaluation,
} from './gate-evaluation.ts';
import { LOOK_MS } from './looks.ts';
import type { PodWindow } from './pod-window.ts';
import { chooseCanaries } from './relabelled-pods.ts';
import { COST } from './request-settings.ts';
import { HISTORY_MS } from './request-spread.ts';
import type { Random } from './seeded-random.ts';
import { createStackIndex, type StackIndex } from './stack-index.ts';
import type { GateJudgement } from './verdict.ts';

export interface PlaceboGate {
  readonly canaries: readonly string[];
  /** Blocks of the history: the first one, and how many are looked at. */
  readonly fromBlock: number;
  readonly blocks: number;
}

export interface PlaceboOptions {
  readonly canaries: number;
  readonly mostGates: number;
  readonly deadlineMs: number;
}

/** An hour of a gate with a deadline of five minutes gives twelve; more of the same pods would say little new. */
const MOST_SLICES = 8;

/** The history cut into evaluations of the deadline's length, the last ones of it, and in each the choices of pods. */
export function planPlacebos(
  history: BaselineHistory,
  { canaries, mostGates, deadlineMs }: PlaceboOptions,
  random: Random,
): readonly PlaceboGate[] {
  const whole = blocksOf(history);
  const blocks = Math.min(whole, Math.max(1, Math.floor(deadlineMs / LOOK_MS)));
  if (blocks < 1) return [];
  const slices = Math.min(MOST_SLICES, mostGates, Math.floor(whole / blocks));
  return Array.from({ length: slices }, (_, slice) => whole - (slices - slice) * blocks).flatMap(
    (fromBlock) =>
      chooseCanaries(history.pods, canaries, Math.floor(mostGates / slices), random).map((chosen) => ({
        canaries: chosen,
        fromBlock,
        blocks,
      })),
  );
}

export type PlaceboVerdict = 'Failed' | 'Passed' | 'Inconclusive';

export interface PlaceboResult {
  readonly gate: PlaceboGate;
  readonly verdict: PlaceboVerdict;
  readonly judgement: GateJudgement;
  /** How near to Failed it was when it ended: growth over what would be proven nine times of ten, the worst of its checks. */
  readonly nearness: number;
}

/** Judges one gate after the other, and yields after each look: whoever runs this decides when the next one is. */
export function* judgePlacebos(
  gates: readonly PlaceboGate[],
  history: BaselineHistory,
  settings: GateSettings,
): Generator<undefined, readonly PlaceboResult[]> {
  const index = createStackIndex(); // one for all: the stacks are the same
  const results: PlaceboResult[] = [];
  for (const gate of gates) results.push(yield* judgePlacebo(gate, { history, settings, index }));
  return results;
}

interface Round {
  readonly history: BaselineHistory;
  readonly settings: GateSettings;
  readonly index: StackIndex;
}

function* judgePlacebo(gate: PlaceboGate, round: Round): Generator<undefined, PlaceboResult> {
  const { history, settings, index } = round;
  const canaries = new Set(gate.canaries);
  const startedAtMs = history.startMs + gate.fromBlock * LOOK_MS;
  const evaluation = openGateEvaluation(settings, startedAtMs, before(gate, history, canaries), index);
  for (let number = 0; number < gate.blocks && !gateIsDecided(evaluation); number++) {
    advanceGate(evaluation, relabelled(history, gate.fromBlock + number, canaries));
    yield;
  }
  const judgement = gateJudgement(evaluation, startedAtMs + settings.deadlineMs, true);
  const verdict = judgement.verdict === 'Collecting' ? 'Inconclusive' : judgement.verdict;
  return { gate, verdict, judgement, nearness: nearnessOf(judgement, settings) };
}

/** Of the checks that can fail the gate. */
function nearnessOf({ checks }: GateJudgement, { requests }: GateSettings): number {
  const deciding = checks.filter(({ check }) => check !== COST || requests?.cost?.decides === true);
  const ratios = deciding.map((check) => {
    const numbers = 'function' in check ? check : check.numbers;
    return numbers === undefined ? 0 : numbers.delta / numbers.detectable;
  });
  return Math.max(0, ...ratios);
}

const HISTORY_BLOCKS = HISTORY_MS / LOOK_MS; // as much as a gate reads of before its rollout

function before(
  { fromBlock }: PlaceboGate,
  history: BaselineHistory,
  canaries: ReadonlySet<string>,
): readonly PodWindow[] {
  const windows: PodWindow[] = [];
  for (let number = Math.max(0, fromBlock - HISTORY_BLOCKS); number < fromBlock; number++) {
    windows.push(...relabelled(history, number, canaries).baseline);
  }
  return windows;
}
