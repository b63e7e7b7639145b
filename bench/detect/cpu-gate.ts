/**
 * One simulated gate over CPU, judged by the engine from stacks, as it judges a real one. Twenty baseline pods of half a core at 49 Hz; three
 * canary pods have half a core between them.
 */

import { advance, isDecided, judgementOf, openCpuEvaluation } from '../../src/detect/cpu-evaluation.ts';
import { type Forecast, forecast } from '../../src/detect/forecast.ts';
import { LOOK_MS } from '../../src/detect/looks.ts';
import type { PodWindow } from '../../src/detect/pod-window.ts';
import type { CpuJudgement } from '../../src/detect/verdict.ts';
import { type SimulatedPath, simulatedService } from '../../test/reference/simulated-pods.ts';
import type { GateOutcome } from './gate-outcome.ts';
import type { Chance } from './random.ts';

export interface CpuCell {
  /** Samples a second of all canary pods together, and of each baseline pod. */
  readonly samplesPerSecond: number;
  readonly change: CpuChange;
  readonly deadlineS: number;
  readonly minS: number;
  /** Default 0.5 %. */
  readonly margin?: number;
  /** Between looks; default 30. */
  readonly lookS?: number;
  /** When the gate is asked when it will be decided. */
  readonly askedAtS?: number;
}

export type CpuChange =
  | { readonly kind: 'None' }
  /** A function of 0.3 to 3 % takes so much more, or one that was not there takes so much: parts of the CPU of before. */
  | { readonly kind: 'Grown' | 'New'; readonly part: number };

const FUNCTIONS = 300;
const SERVICES = 40; // different call trees, in turn
export const PODS = { baselinePods: 20, canaryPods: 3, margin: 0.005 };
const CLOSE = 0.3; // of what a gate says it would have seen, what it had foretold may be off by this
const SPEED_SD = 0.03; // of a pod as a whole
const POD_SD = 0.03; // of a function in a pod, for good
const POD_FREEDOM = 6;
const WAVE = { memory: 0.5, sd: 0.07 }; // of a function in a pod, from 30 s to 30 s
const TARGET = 'changed.Function.run';

/** Stacks and the parts of CPU their leaves burn. */
export interface Version {
  readonly baseline: readonly SimulatedPath[];
  readonly canary: readonly SimulatedPath[];
  /** What a pod makes of its version's, where pods differ. */
  readonly inPod?: (paths: readonly SimulatedPath[], chance: Chance) => readonly SimulatedPath[];
}

/** How a version is judged. */
export interface CpuGate
  extends Pick<CpuCell, 'samplesPerSecond' | 'deadlineS' | 'minS' | 'lookS' | 'askedAtS'> {
  readonly baselinePods: number;
  readonly canaryPods: number;
  readonly margin: number;
}

export function simulateCpuGate(cell: CpuCell, gate: number, chance: Chance): GateOutcome {
  const version = versionOf(cell.change, serviceOf(gate), chance);
  const { outcome, judgement } = judgeVersion(version, { ...PODS, ...cell }, chance);
  if (outcome.failedAtS === undefined) return outcome;
  return { ...outcome, marks: marksOf(judgement.culprits, cell.change) };
}

export const serviceOf = (gate: number): readonly SimulatedPath[] =>
  simulatedService(FUNCTIONS, 7_000 + (gate % SERVICES));

/** Looks until the gate is decided, or its deadline. */
export function judgeVersion(
  version: Version,
  gate: CpuGate,
  chance: Chance,
): { readonly outcome: GateOutcome; readonly judgement: CpuJudgement } {
  const lookMs = gate.lookS === undefined ? LOOK_MS : gate.lookS * 1_000;
  const podsOf = (
    arm: string,
    pods: number,
    samplesPerSecond: number,
    paths: readonly SimulatedPath[],
  ): Pod[] =>
    Array.from({ length: pods }, (_, number) => {
      const ofPod = version.inPod?.(paths, chance) ?? paths;
      return new Pod(`${arm}-${number}`, ofPod, { samplesPerSecond, lookMs }, chance);
    });
  const baseline = podsOf('baseline', gate.baselinePods, gate.samplesPerSecond, version.baseline);
  const canary = podsOf('canary', gate.canaryPods, gate.samplesPerSecond / gate.canaryPods, version.canary);
  const settings = {
    functionMargin: gate.margin,
    falseFailureRate: 0.01,
    minDurationMs: gate.minS * 1_000,
    deadlineMs: gate.deadlineS * 1_000,
    warmUpMs: 0,
  };
  const evaluation = openCpuEvaluation(settings, 0);
  let foretold: Forecast | undefined;
  for (let lookAtMs = lookMs; lookAtMs <= settings.deadlineMs; lookAtMs += lookMs) {
    const windowsOf = (pods: readonly Pod[]): PodWindow[] => pods.map((pod) => pod.window(lookAtMs));
    const windows = { baseline: windowsOf(baseline), canary: windowsOf(canary) };
    advance(evaluation, { ...windows, lookAtMs, warmUpExcluded: false });
    if (lookAtMs / 1_000 === gate.askedAtS) {
      foretold = forecast({ settings, startedAtMs: 0, cpu: evaluation, requests: undefined }, [], lookMs);
    }
    if (!isDecided(evaluation)) continue;
    const judgement = judgementOf(evaluation, lookAtMs, true);
    const { looks } = evaluation;
    const atS = lookAtMs / 1_000;
    const told = { looks, ...foretoldTimes(foretold) };
    if (judgement.verdict === 'Passed') return { outcome: { passedAtS: atS, ...told }, judgement };
    return { outcome: { failedAtS: atS, by: judgement.culprits[0]?.kind ?? '', ...told }, judgement };
  }
  const judgement = judgementOf(evaluation, settings.deadlineMs, true);
  const marks = foretold === undefined ? [] : detectableMarks(foretold, judgement.detectable);
  return { outcome: { looks: evaluation.looks, marks, ...foretoldTimes(foretold) }, judgement };
}

/** Whole looks, so that they can be counted; one that will never be is as good as a day. */
function foretoldTimes(foretold: Forecast | undefined): Pick<GateOutcome, 'foretoldS'> {
  if (foretold === undefined) return {};
  const { provesAfterMs = DAY_MS, passesAfterMs = DAY_MS } = foretold;
  return { foretoldS: { proves: provesAfterMs / 1_000, passes: passesAfterMs / 1_000 } };
}

const DAY_MS = 86_400_000;

/** Of gates that came to their deadline: whether growth that they would have seen by then is what was foretold. */
function detectableMarks({ detectableByDeadline = 1 }: Forecast, detectable = 1): string[] {
  const isClose = Math.abs(detectableByDeadline / detectable - 1) <= CLOSE;
  return isClose ? ['foretoldDetectable', 'closeDetectable'] : ['foretoldDetectable'];
}

/** Where the change is among what was blamed: itself, or what it was called by alone. */
function marksOf(
  culprits: readonly { readonly function: string; readonly interval: readonly [number, number] }[],
  change: CpuChange,
): string[] {
  const place = culprits.findIndex((culprit) => culprit.function === TARGET);
  const marks: string[] = [];
  if (place === 0) marks.push('top1');
  if (place >= 0 && place < 3) marks.push('top3');
  const found = culprits[place];
  if (found === undefined || change.kind === 'None') return marks;
  const truth = change.part / (1 + change.part);
  if (found.interval[0] <= truth && truth <= found.interval[1]) marks.push('covered');
  return marks;
}

function versionOf(change: CpuChange, service: readonly SimulatedPath[], chance: Chance): Version {
  if (change.kind === 'None') return { baseline: service, canary: service };
  const callers = service[Math.floor(chance.even() * FUNCTIONS)]?.frames.slice(1) ?? [];
  const frames = [TARGET, ...callers];
  if (change.kind === 'New')
    return { baseline: service, canary: [...service, { frames, weight: change.part }] };
  const share = Math.exp(Math.log(0.003) + chance.even() * Math.log(10)); // 0.3 to 3 %, evenly by its logarithm
  const others = service.map((path) => ({ ...path, weight: path.weight * (1 - share) }));
  return {
    baseline: [...others, { frames, weight: share }],
    canary: [...others, { frames, weight: share + change.part }],
  };
}

interface Pace {
  readonly samplesPerSecond: number;
  readonly lookMs: number;
}

class Pod {
  readonly #name: string;
  readonly #paths: readonly SimulatedPath[];
  /** Samples of each path in 30 s. */
  readonly #means: Float64Array;
  readonly #waves: Float64Array;
  readonly #lookMs: number;
  readonly #chance: Chance;

  constructor(
    name: string,
    paths: readonly SimulatedPath[],
    { samplesPerSecond, lookMs }: Pace,
    chance: Chance,
  ) {
    this.#name = name;
    this.#lookMs = lookMs;
    this.#paths = paths;
    this.#chance = chance;
    const speed = Math.exp(SPEED_SD * chance.normal());
    this.#means = Float64Array.from(
      paths,
      ({ weight }) =>
        (weight * samplesPerSecond * speed * lookMs * Math.exp(POD_SD * chance.student(POD_FREEDOM))) / 1_000,
    );
    this.#waves = Float64Array.from(paths, () => WAVE.sd * chance.normal());
  }

  window(endMs: number): PodWindow {
    const stacks = [];
    let samples = 0;
    for (let at = 0; at < this.#paths.length; at++) {
      const wave = this.#waves[at] ?? 0;
      const count = this.#chance.poisson((this.#means[at] ?? 0) * Math.exp(wave));
      this.#waves[at] =
        WAVE.memory * wave + Math.sqrt(1 - WAVE.memory ** 2) * WAVE.sd * this.#chance.normal();
      if (count === 0) continue;
      samples += count;
      stacks.push({ frames: this.#paths[at]?.frames ?? [], count });
    }
    return {
      pod: this.#name,
      startMs: endMs - this.#lookMs,
      endMs,
      podStartedAtMs: -7_200_000,
      samplesTaken: samples,
      samplesLost: 0,
      hz: 49,
      cpuUsec: Math.round((samples / 49) * 1e6),
      throttledUsec: 0,
      flags: '',
      stacks,
    };
  }
}
