/**
 * One simulated gate judged by the whole engine, from windows with sketches as agents send them: does it agree with the short way
 * (latency-gate.ts)? The same pods and noise; canary pods start with the gate.
 */
import { advanceGate, openGateEvaluation } from '../../src/detect/gate-evaluation.ts';
import { cutBlock, LOOK_MS } from '../../src/detect/looks.ts';
import type { PodWindow } from '../../src/detect/pod-window.ts';
import { requestChecks } from '../../src/detect/request-report.ts';
import { BLOCK_MS } from '../../src/detect/request-spread.ts';
import type { GateOutcome } from './gate-outcome.ts';
import { drawSketch, LogLatencies, NO_LATENCIES } from './log-latencies.ts';
import { COMMON, nextOf, PodShift } from './pod-noise.ts';
import type { Chance } from './random.ts';

export interface FullCell {
  readonly requestsPerSecond: number;
  readonly podSd: number;
  readonly canaryPods: number;
  readonly tailMs: number;
  /** Second of the gate at which it begins. */
  readonly fromS: number;
  readonly minS: number;
}

const BASELINE_PODS = 20;
const CANARY_PART = 0.05;
const HISTORY_BLOCKS = 13;
const DEADLINE_S = 1_800;
const WINDOW_S = 10;
const BURSTS = 0.01; // of a pod's windows
const BURST_PART = 0.05; // of their requests
const BURST_ERRORS = 10;
const ERRORS = 0.001;
const ERROR_POD_SD = 0.2;
const MARGIN = { relativeMargin: 0.1, absoluteMarginMs: 2, required: false };
const SETTINGS = {
  ...{ functionMargin: 0.005, falseFailureRate: 0.01, warmUpMs: 0, deadlineMs: DEADLINE_S * 1_000 },
  requests: {
    latency: [0.5, 0.99].map((quantile) => ({ quantile, ...MARGIN })),
    errors: { margin: 0.005, required: false },
  },
};

export function simulateFullGate(cell: FullCell, chance: Chance): GateOutcome {
  const pods = new Pods(cell, chance);
  const history = Array.from({ length: HISTORY_BLOCKS }, (_, at) =>
    pods.windowsUntil((at + 1 - HISTORY_BLOCKS) * BLOCK_MS, BLOCK_MS),
  ).flatMap(({ baseline }) => baseline);
  // A single pod is what half of these cells are about.
  const settings = { ...SETTINGS, minDurationMs: cell.minS * 1_000, minPods: 1 };
  const evaluation = openGateEvaluation(settings, 0, history);
  const plan = { startedAtMs: 0, deadlineMs: settings.deadlineMs, warmUpMs: 0 };
  for (let looks = 1; looks * LOOK_MS <= settings.deadlineMs; looks++) {
    const atS = (looks * LOOK_MS) / 1_000;
    advanceGate(evaluation, cutBlock(pods.windowsUntil(looks * LOOK_MS, LOOK_MS), plan, looks - 1));
    const checks = evaluation.requests === undefined ? [] : requestChecks(evaluation.requests, false);
    const failed = checks.find(({ verdict }) => verdict === 'Failed');
    if (failed !== undefined) return { failedAtS: atS, by: failed.check, looks };
    if (checks.every(({ verdict }) => verdict === 'Passed')) return { passedAtS: atS, looks };
  }
  return { looks: settings.deadlineMs / LOOK_MS };
}

interface Pod {
  readonly name: string;
  readonly startedAtMs: number;
  readonly shift: PodShift;
  readonly errors: number;
  readonly perWindow: number;
}

class Pods {
  readonly #cell: FullCell;
  readonly #chance: Chance;
  readonly #arms: { readonly baseline: readonly Pod[]; readonly canary: readonly Pod[] };
  #common: number;

  constructor(cell: FullCell, chance: Chance) {
    this.#cell = cell;
    this.#chance = chance;
    const podsOf = (arm: string, startedAtMs: number, pods: number, part: number): Pod[] =>
      Array.from({ length: pods }, (_, number) => ({
        ...{ name: `${arm}-${number}`, startedAtMs },
        shift: new PodShift('judging', cell.podSd, chance),
        errors: ERRORS * Math.exp(ERROR_POD_SD * chance.normal()),
        perWindow: (cell.requestsPerSecond * WINDOW_S * part) / pods,
      }));
    this.#arms = {
      baseline: podsOf('baseline', -HISTORY_BLOCKS * BLOCK_MS, BASELINE_PODS, 1 - CANARY_PART),
      canary: podsOf('canary', 0, cell.canaryPods, CANARY_PART),
    };
    this.#common = COMMON.sd * chance.normal();
  }

  /** One window of each pod, of as many tens of seconds as it is long. */
  windowsUntil(endMs: number, lengthMs: number): { baseline: PodWindow[]; canary: PodWindow[] } {
    const moments = Array.from({ length: lengthMs / 1_000 / WINDOW_S }, () => {
      this.#common = nextOf(COMMON, this.#common, this.#chance);
      return this.#common;
    });
    const { tailMs, fromS } = this.#cell;
    const startMs = endMs - lengthMs;
    const changed = startMs >= fromS * 1_000 ? { tailMs } : {};
    const { baseline, canary } = this.#arms;
    const window = (pod: Pod, latencies: LogLatencies): PodWindow =>
      this.#window(pod, latencies, { startMs, endMs, moments });
    return {
      baseline: baseline.map((pod) => window(pod, LogLatencies.of({}))),
      canary: startMs < 0 ? [] : canary.map((pod) => window(pod, LogLatencies.of(changed))),
    };
  }

  #window(
    { name, startedAtMs, shift, errors, perWindow }: Pod,
    latencies: LogLatencies,
    { startMs, endMs, moments }: { startMs: number; endMs: number; moments: readonly number[] },
  ): PodWindow {
    const chance = this.#chance;
    const means = NO_LATENCIES();
    let failing = 0;
    for (const moment of moments) {
      const isBurst = chance.even() < BURSTS;
      latencies.expect(means, perWindow, shift.next() + moment, isBurst ? BURST_PART : 0);
      failing += perWindow * errors * (isBurst ? BURST_ERRORS : 1);
    }
    const { latency, answered } = drawSketch(means, chance);
    const none = { clientGone: 0, unfinished: 0, reset: 0, waited: [] };
    const answers = [0, 0, answered, 0, 0, chance.poisson(failing)] as const;
    const row = { method: 'GET', route: '/orders/{}', answers, ...none, latency };
    return {
      ...{ pod: name, startMs, endMs, podStartedAtMs: startedAtMs },
      ...{ samplesTaken: 0, samplesLost: 0, hz: 49, cpuUsec: 0, throttledUsec: 0, flags: '', stacks: [] },
      requests: { state: 'Seen', reason: '', message: '', lost: 0, routes: [row] },
    };
  }
}
