/**
 * One simulated gate over CPU, judged by the engine from stacks, as it judges a real one. Twenty baseline pods of half a core at 49 Hz; three
 * canary pods have half a core between them.
 */

import { advance, judgementOf, openCpuEvaluation } from '../../src/detect/cpu-evaluation.ts';
import { type Forecast, forecast } from '../../src/detect/forecast.ts';
import { LOOK_MS } from '../../src/detect/looks.ts';
import type { PodWindow } from '../../src/detect/pod-window.ts';
import { simulatedService } from '../../test/reference/simulated-pods.ts';
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

const BASELINE_PODS = 20;
const CANARY_PODS = 3;
const FUNCTIONS = 300;
const SERVICES = 40; // different call trees, in turn
const MARGIN = 0.005;
const CLOSE = 0.3; // of what a gate says it would have seen, what it had foretold may be off by this
const SPEED_SD = 0.03; // of a pod as a whole
const POD_SD = 0.03; // of a function in a pod, for good
const POD_FREEDOM = 6;
const WAVE = { memory: 0.5, sd: 0.07 }; // of a function in a pod, from 30 s to 30 s
const TARGET = 'changed.Function.run';

interface Path {
  readonly frames: readonly string[];
  readonly weight: number;
}

interface Version {
  readonly baseline: readonly Path[];
  readonly canary: readonly Path[];
}

export function simulateCpuGate(cell: CpuCell, gate: number, chance: Chance): GateOutcome {
  const version = versionOf(cell.change, simulatedService(FUNCTIONS, 7_000 + (gate % SERVICES)), chance);
  const lookMs = cell.lookS === undefined ? LOOK_MS : cell.lookS * 1_000;
  const podsOf = (arm: string, pods: number, paths: readonly Path[], samplesPerSecond: number): Pod[] =>
    Array.from(
      { length: pods },
      (_, number) => new Pod(`${arm}-${number}`, paths, { samplesPerSecond, lookMs }, chance),
    );
  const baseline = podsOf('baseline', BASELINE_PODS, version.baseline, cell.samplesPerSecond);
  const canary = podsOf('canary', CANARY_PODS, version.canary, cell.samplesPerSecond / CANARY_PODS);
  const settings = {
    functionMargin: cell.margin ?? MARGIN,
    falseFailureRate: 0.01,
    minDurationMs: cell.minS * 1_000,
    deadlineMs: cell.deadlineS * 1_000,
    warmUpMs: 0,
  };
  const evaluation = openCpuEvaluation(settings, 0);
  let foretold: Forecast | undefined;
  for (let lookAtMs = lookMs; lookAtMs <= settings.deadlineMs; lookAtMs += lookMs) {
    const windowsOf = (pods: readonly Pod[]): PodWindow[] => pods.map((pod) => pod.window(lookAtMs));
    const windows = { baseline: windowsOf(baseline), canary: windowsOf(canary) };
    advance(evaluation, { ...windows, lookAtMs, warmUpExcluded: false });
    if (lookAtMs / 1_000 === cell.askedAtS) {
      foretold = forecast({ settings, startedAtMs: 0, cpu: evaluation, requests: undefined }, [], lookMs);
    }
    const verdict = evaluation.decision?.verdict;
    const looks = evaluation.looks;
    if (verdict === 'Passed') return { passedAtS: lookAtMs / 1_000, looks, ...foretoldTimes(foretold) };
    if (verdict !== 'Failed') continue;
    const { culprits } = judgementOf(evaluation, lookAtMs, true);
    const marks = marksOf(culprits, cell.change);
    return {
      failedAtS: lookAtMs / 1_000,
      by: culprits[0]?.kind ?? '',
      marks,
      looks,
      ...foretoldTimes(foretold),
    };
  }
  const { detectable } = judgementOf(evaluation, settings.deadlineMs, true);
  const marks = foretold === undefined ? [] : detectableMarks(foretold, detectable);
  return { looks: evaluation.looks, marks, ...foretoldTimes(foretold) };
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

function versionOf(change: CpuChange, service: readonly Path[], chance: Chance): Version {
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
  readonly #paths: readonly Path[];
  /** Samples of each path in 30 s. */
  readonly #means: Float64Array;
  readonly #waves: Float64Array;
  readonly #lookMs: number;
  readonly #chance: Chance;

  constructor(name: string, paths: readonly Path[], { samplesPerSecond, lookMs }: Pace, chance: Chance) {
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
