/**
 * One simulated gate judged by the whole engine, requests and functions together, with all that windows say of their pods. Twenty
 * baseline pods, three canary pods with a twentieth of a thousand requests a second: a third of a baseline pod's load each.
 */
import {
  advanceGate,
  gateIsDecided,
  gateJudgement,
  openGateEvaluation,
} from '../../src/detect/gate-evaluation.ts';
import { cutBlock, LOOK_MS } from '../../src/detect/looks.ts';
import type { PodHost, PodWindow } from '../../src/detect/pod-window.ts';
import type { GateJudgement } from '../../src/detect/verdict.ts';
import type { RouteWindow } from '../../src/requests/request-window.ts';
import type { SimulatedPath } from '../../test/reference/simulated-pods.ts';
import { type Change, LogLatencies } from './log-latencies.ts';
import { COMMON, nextOf, PodShift } from './pod-noise.ts';
import type { Chance } from './random.ts';

/** What a pod is like at a moment. */
export interface PodState {
  /** Of the load of a baseline pod: 950 requests a second among twenty. */
  readonly load: number;
  /** Log latency more. */
  readonly slower: number;
  /** CPU of each request, as a multiple. */
  readonly dearer: number;
  /** Of its samples: of compiler threads, beside those of the service. */
  readonly compiling: number;
  /** Time throttled, over CPU time used. */
  readonly throttled: number;
  /** Of samples and of requests. */
  readonly lost: number;
}

export const USUAL: PodState = { load: 1, slower: 0, dearer: 1, compiling: 0.002, throttled: 0, lost: 0 };

export interface SimulatedPod {
  readonly arm: 'baseline' | 'canary';
  readonly startedAtS: number;
  /** Seconds of the gate; before and after there is no such pod. */
  readonly fromS?: number;
  readonly toS?: number;
  readonly host: Omit<PodHost, 'pod'>;
  readonly flags?: string;
  readonly paths: readonly SimulatedPath[];
  /** By which the cost of each path is multiplied. */
  readonly costOf?: (path: number, atS: number) => number;
  readonly at: (atS: number) => Partial<PodState>;
  readonly routes: readonly Route[];
  readonly change: Change;
}

export interface Route {
  readonly route: string;
  /** Of requests. */
  readonly part: number;
  /** Log latency more than the mean request. */
  readonly slower: number;
}

export interface PodGate {
  readonly podSd: number;
  readonly pods: readonly SimulatedPod[];
  /** Blocks of two minutes before the gate. */
  readonly history: number;
  readonly deadlineS: number;
  readonly minS: number;
}

const REQUESTS_A_SECOND = 47.5; // of a baseline pod
const SAMPLES_A_SECOND = 24.5;
const FUNCTION_POD_SD = 0.03;
const POD_FREEDOM = 6;
const SPEED_SD = 0.03;
const WAVE = { memory: 0.5, sd: 0.07 }; // of a function in a pod, from 30 s to 30 s
const SHIFTS_A_LOOK = 3; // waves go on every ten seconds
const ERRORS = 0.001;
const BLOCK_S = 120;
const MARGIN = { relativeMargin: 0.1, absoluteMarginMs: 2, required: false };
const SETTINGS = {
  functionMargin: 0.005,
  falseFailureRate: 0.01,
  warmUpMs: 120_000,
  requests: {
    latency: [0.5, 0.99].map((quantile) => ({ quantile, ...MARGIN })),
    errors: { margin: 0.005, required: false },
  },
};

export interface JudgedGate {
  readonly judgement: GateJudgement;
  readonly atS: number;
  readonly looks: number;
}

export function judgePods(gate: PodGate, chance: Chance): JudgedGate {
  const moments = { value: COMMON.sd * chance.normal() };
  const pods = gate.pods.map((pod, number) => new Pod(pod, `${pod.arm}-${number}`, { gate, chance }));
  const settings = { ...SETTINGS, minDurationMs: gate.minS * 1_000, deadlineMs: gate.deadlineS * 1_000 };
  const windowsAt = (
    toS: number,
    lengthS: number,
  ): { readonly arm: string; readonly window: PodWindow }[] => {
    let moment = 0;
    for (let step = 0; step < SHIFTS_A_LOOK; step++) {
      moments.value = nextOf(COMMON, moments.value, chance);
      moment += moments.value / SHIFTS_A_LOOK;
    }
    return pods.flatMap((pod) =>
      pod.isThere(toS - lengthS) ? [{ arm: pod.arm, window: pod.window(toS, lengthS, moment) }] : [],
    );
  };
  const history: PodWindow[] = [];
  for (let block = -gate.history; block < 0; block++) {
    for (const { arm, window } of windowsAt((block + 1) * BLOCK_S, BLOCK_S))
      if (arm === 'baseline') history.push(window);
  }
  const evaluation = openGateEvaluation(settings, 0, history);
  const plan = { startedAtMs: 0, deadlineMs: settings.deadlineMs, warmUpMs: settings.warmUpMs };
  let looks = 0;
  let atS = 0;
  while (atS < gate.deadlineS && !gateIsDecided(evaluation)) {
    atS += LOOK_MS / 1_000;
    const windows = windowsAt(atS, LOOK_MS / 1_000);
    const ofArm = (arm: string) => windows.filter((each) => each.arm === arm).map(({ window }) => window);
    advanceGate(evaluation, cutBlock({ baseline: ofArm('baseline'), canary: ofArm('canary') }, plan, looks));
    looks += 1;
  }
  return { judgement: gateJudgement(evaluation, atS * 1_000, true), atS, looks };
}

class Pod {
  readonly #pod: SimulatedPod;
  readonly #name: string;
  readonly #chance: Chance;
  readonly #shift: PodShift;
  readonly #costs: Float64Array;
  readonly #waves: Float64Array;
  readonly #latencies: LogLatencies;
  readonly #errors: number;

  constructor(pod: SimulatedPod, name: string, { gate, chance }: { gate: PodGate; chance: Chance }) {
    this.#pod = pod;
    this.#name = name;
    this.#chance = chance;
    this.#shift = new PodShift('judging', gate.podSd, chance);
    const speed = Math.exp(SPEED_SD * chance.normal());
    this.#costs = Float64Array.from(
      pod.paths,
      ({ weight }) => weight * speed * Math.exp(FUNCTION_POD_SD * chance.student(POD_FREEDOM)),
    );
    this.#waves = Float64Array.from(pod.paths, () => WAVE.sd * chance.normal());
    this.#latencies = LogLatencies.of(pod.change);
    this.#errors = ERRORS * Math.exp(0.2 * chance.normal());
  }

  get arm(): string {
    return this.#pod.arm;
  }

  isThere(fromS: number): boolean {
    const { fromS: first = Number.NEGATIVE_INFINITY, toS: last = Number.POSITIVE_INFINITY } = this.#pod;
    return fromS >= Math.max(first, this.#pod.startedAtS) && fromS < last;
  }

  window(toS: number, lengthS: number, moment: number): PodWindow {
    const pod = this.#pod;
    const state = { ...USUAL, ...pod.at(toS) };
    let shift = moment + state.slower;
    for (let step = 0; step < SHIFTS_A_LOOK; step++) shift += this.#shift.next() / SHIFTS_A_LOOK;
    const requests = REQUESTS_A_SECOND * lengthS * state.load;
    const stacks = lengthS > BLOCK_S / 2 ? [] : this.#stacks(toS, lengthS, state); // of before nobody asks
    const samplesTaken = stacks.reduce((sum, { count }) => sum + count, 0);
    return {
      ...{ pod: this.#name, startMs: (toS - lengthS) * 1_000, endMs: toS * 1_000 },
      podStartedAtMs: pod.startedAtS * 1_000,
      samplesTaken,
      samplesLost: Math.round((samplesTaken * state.lost) / (1 - state.lost)),
      hz: 49,
      cpuUsec: Math.round((samplesTaken / (1 - state.lost) / 49) * 1e6),
      throttledUsec: Math.round((samplesTaken / 49) * 1e6 * state.throttled),
      flags: pod.flags ?? '',
      host: { ...pod.host, pod: this.#name },
      stacks,
      requests: {
        ...{ state: 'Seen', reason: '', message: '' },
        lost: Math.round(requests * state.lost),
        routes: pod.routes.map((route) => this.#row(route, requests * (1 - state.lost), shift)),
      },
    };
  }

  #stacks(toS: number, lengthS: number, state: PodState): { frames: readonly string[]; count: number }[] {
    const { paths, costOf } = this.#pod;
    const chance = this.#chance;
    const whole = SAMPLES_A_SECOND * lengthS * (1 - state.lost);
    const stacks = [];
    for (let at = 0; at < paths.length; at++) {
      const path = paths[at];
      const wave = this.#waves[at] ?? 0;
      this.#waves[at] = WAVE.memory * wave + Math.sqrt(1 - WAVE.memory ** 2) * WAVE.sd * chance.normal();
      if (path === undefined) continue;
      const work = loadOf(path, state.load) * state.dearer * (costOf?.(at, toS) ?? 1);
      const count = chance.poisson((this.#costs[at] ?? 0) * whole * work * Math.exp(wave));
      if (count > 0) stacks.push({ frames: path.frames, count });
    }
    const compiled = chance.poisson((whole * state.load * state.compiling) / (1 - state.compiling));
    if (compiled > 0) stacks.push({ frames: ['[libjvm.so]', '[C2 compiler]'], count: compiled });
    return stacks;
  }

  #row({ route, part, slower }: Route, requests: number, shift: number): RouteWindow {
    const chance = this.#chance;
    const mean = requests * part;
    const { latency, answered } = this.#latencies.draw(mean, shift + slower, chance);
    const none = { clientGone: 0, unfinished: 0, reset: 0, waited: [] };
    const failed = chance.poisson(mean * this.#errors);
    return { method: 'GET', route, answers: [0, 0, answered, 0, 0, failed], ...none, latency };
  }
}

/** Timers burn as much whatever the load; who waits for requests wakes up more often for each where they are fewer. */
export const TIMER = 'app.Cache.expire';
export const WAITER = 'sun.nio.ch.EPollSelectorImpl.doSelect';

function loadOf({ frames }: SimulatedPath, load: number): number {
  if (frames[0] === TIMER) return 1;
  return frames[0] === WAITER ? Math.sqrt(load) : load;
}
