import assert from 'node:assert/strict';
import { test } from 'node:test';
import { simulatedService, simulateRun } from '../../test/reference/simulated-pods.ts';
import { QUIET, simulateRequests } from '../../test/reference/simulated-requests.ts';
import { forecast } from './forecast.ts';
import {
  advanceGate,
  type GateEvaluation,
  type GateSettings,
  openGateEvaluation,
} from './gate-evaluation.ts';
import { planLooks } from './looks.ts';
import type { PodWindow } from './pod-window.ts';

const MINUTE_MS = 60_000;
const SETTINGS: GateSettings = {
  ...{ functionMargin: 0.02, falseFailureRate: 0.01, warmUpMs: 0 },
  ...{ minDurationMs: MINUTE_MS, deadlineMs: 30 * MINUTE_MS },
};

interface Service {
  readonly windows?: number;
  readonly samples?: number;
  readonly pods?: number;
  readonly podSd?: number;
}

/** Pods of one version in both arms, ten minutes of them unless told otherwise. */
function twins({ windows = 60, samples = 60, pods = 3, podSd = 0.02 }: Service = {}) {
  const paths = simulatedService(60, 3);
  return simulateRun({
    ...{ baselinePaths: paths, canaryPaths: paths, pods, windows, samplesPerWindow: samples, seed: 9 },
    noise: { podSd, lottery: 0, waveSd: 0.02 },
  });
}

type Arms = { readonly baseline: readonly PodWindow[]; readonly canary: readonly PodWindow[] };

function judged(arms: Arms, settings: Partial<GateSettings> = {}): GateEvaluation {
  const all = { ...SETTINGS, ...settings };
  const evaluation = openGateEvaluation(all, 0);
  for (const block of planLooks(arms, { ...all, startedAtMs: 0 }, Number.MAX_SAFE_INTEGER))
    advanceGate(evaluation, block);
  return evaluation;
}

const NEVER = Number.POSITIVE_INFINITY;
const passesAfter = (evaluation: GateEvaluation, hz?: number): number => {
  const found = forecast(evaluation, hz === undefined ? [] : [hz]);
  return (hz === undefined ? found : found?.byRate[0])?.passesAfterMs ?? NEVER;
};

test('before a look there is nothing to go by', () => {
  assert.equal(forecast(openGateEvaluation(SETTINGS, 0)), undefined);
});

test('a gate is foretold to pass about when it does', () => {
  const early = judged(twins({ windows: 12 }));
  const foretoldMs = passesAfter(early);
  const whole = judged(twins({ windows: 180 }));
  const passedMs = whole.cpu.lastLookAtMs ?? NEVER;

  assert.equal(whole.cpu.decision?.verdict, 'Passed');
  assert(foretoldMs > passedMs / 2 && foretoldMs < passedMs * 2, `${foretoldMs} foretold, ${passedMs} seen`);
});

test('with more samples, a wider margin or a higher rate a gate is foretold to pass sooner, by luck sooner still', () => {
  const few = judged(twins({ samples: 20 }));
  const found = forecast(few, [2 * 199, 4 * 199]);
  const [byTwice, byFour] = found?.byRate ?? [];

  assert(passesAfter(judged(twins({ samples: 80 }))) < passesAfter(few));
  assert(passesAfter(judged(twins({ samples: 20 }), { functionMargin: 0.04 })) < passesAfter(few));
  assert((byTwice?.passesAfterMs ?? NEVER) < passesAfter(few));
  assert((byFour?.passesAfterMs ?? NEVER) < (byTwice?.passesAfterMs ?? NEVER));
  assert((byFour?.detectableByDeadline ?? 1) < (found?.detectableByDeadline ?? 0));
  assert((found?.passesAtBestAfterMs ?? NEVER) <= passesAfter(few));
});

test('pods that differ too much for the margin are foretold never to pass, at no rate; what would settle it is said', () => {
  const found = forecast(judged(twins({ podSd: 0.3, samples: 400 }), { functionMargin: 0.01 }), [800]);

  assert.equal(found?.passesAfterMs, undefined);
  assert.equal(found?.byRate[0]?.passesAfterMs, undefined);
  assert.equal(found?.slowest, 'cpu.function');
  const { functionMargin = 0 } = found.remedies;
  assert(functionMargin > 0.01);
  const wider = judged(twins({ podSd: 0.3, samples: 400 }), { functionMargin: 1.05 * functionMargin });
  assert(passesAfter(wider) <= SETTINGS.deadlineMs, 'the margin that is named is one that passes');
});

test('growth that is seen by the deadline is what the gate says at its deadline', () => {
  const wide = { minDurationMs: SETTINGS.deadlineMs }; // nothing passes before
  const foretold = forecast(judged(twins({ windows: 30 }), wide))?.detectableByDeadline ?? 0;
  const there = forecast(judged(twins({ windows: 180 }), wide))?.detectableByDeadline ?? 0;

  assert(Math.abs(foretold / there - 1) < 0.3, `${foretold} foretold, ${there} seen`);
});

test('a check of requests that needs longer is what the gate waits for', () => {
  const burnt = twins({ samples: 400 });
  const served = simulateRequests({
    ...{ seed: 4, requestsPerSecond: 24, canaryPart: 0.5, baselinePods: 3, canaryPods: 3 },
    ...{ windows: 60, noise: { ...QUIET, podSd: 0.01, bursts: 0 } },
  });
  const join = (windows: readonly PodWindow[], other: readonly PodWindow[]): PodWindow[] => {
    const requests = new Map(other.map((window) => [`${window.pod} ${window.startMs}`, window.requests]));
    return windows.map((window) => {
      const own = requests.get(`${window.pod} ${window.startMs}`);
      return own === undefined ? window : { ...window, requests: own };
    });
  };
  const p99 = { quantile: 0.99, relativeMargin: 0.03, absoluteMarginMs: 0, required: false };
  const arms = { baseline: join(burnt.baseline, served.baseline), canary: join(burnt.canary, served.canary) };
  const found = forecast(judged(arms, { functionMargin: 0.1, requests: { latency: [p99] } }));

  assert.equal(found?.slowest, 'latency.p99');
  assert((found.passesAfterMs ?? NEVER) > SETTINGS.deadlineMs);
  assert(Math.abs((found.requestsPerSecond ?? 0) - 12) < 1, `${found.requestsPerSecond} a second`);
});
