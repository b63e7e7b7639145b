import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type SimulatedNoise, simulatedService, simulateRun } from '../../test/reference/simulated-pods.ts';
import { QUIET, simulateRequests, UNEVEN } from '../../test/reference/simulated-requests.ts';
import { type BaselineHistory, HistoryCollector } from './baseline-history.ts';
import { certificationSentence } from './certification-text.ts';
import { type Certification, certify, uncertifiable } from './certify.ts';
import { judgeGate } from './judge-gate.ts';
import { planPlacebos } from './placebo.ts';
import type { PodWindow } from './pod-window.ts';
import { planPower } from './power-plan.ts';
import { seededRandom } from './seeded-random.ts';

const MINUTE_MS = 60_000;
const SETTINGS = {
  functionMargin: 0.02,
  falseFailureRate: 0.01,
  minDurationMs: 3 * MINUTE_MS,
  deadlineMs: 15 * MINUTE_MS,
  warmUpMs: 0,
};
const PATHS = simulatedService(60, 3);
const NOISE: SimulatedNoise = { podSd: 0.03, lottery: 0, waveSd: 0.1 };

function somePods(count: number, windows: number, noise = NOISE): PodWindow[] {
  const run = { baselinePaths: PATHS, canaryPaths: PATHS, samplesPerWindow: 200, seed: 5 };
  return simulateRun({ ...run, pods: count, windows, noise }).baseline;
}

function historyOf(windows: readonly PodWindow[]): BaselineHistory {
  const collector = new HistoryCollector(SETTINGS.warmUpMs);
  for (const ofPod of Map.groupBy(windows, ({ pod }) => pod).values()) collector.add(ofPod);
  return collector.history(seededRandom(1));
}

function finish<T>(running: Generator<undefined, T>): T {
  for (;;) {
    const step = running.next();
    if (step.done === true) return step.value;
  }
}

const certified = (windows: readonly PodWindow[], mostGates = 40): Certification =>
  finish(certify(historyOf(windows), { settings: SETTINGS, random: seededRandom(2), mostGates }));

test('pods that are alike are certified as they are, and the sentence says what is seen', () => {
  const certification = certified(somePods(8, 96));

  const { placebos, podVarianceFactor, holds } = certification;
  assert.deepEqual({ run: placebos.run, failed: placebos.failed }, { run: 40, failed: 0 });
  assert.equal(placebos.passed + placebos.inconclusive, 40);
  assert.deepEqual({ podVarianceFactor, holds }, { podVarianceFactor: 1, holds: true });
  assert.match(
    certificationSentence(certification, SETTINGS.deadlineMs),
    /^0 of 40 placebos failed(?: \(worth \d+ independent ones\))?; sees ≥ [\d.]+ % of CPU in 10 min with 3 canary pods, [\d.]+ min with 6, [\d.]+ min with 12$/,
  );
});

test('pods whose requests are seen are certified for latency and errors too', () => {
  const run = { requestsPerSecond: 400, windows: 96, noise: UNEVEN, seed: 11 };
  const { baseline } = simulateRequests({ ...run, canaryPart: 0.01, baselinePods: 6, canaryPods: 1 });
  const settings = {
    ...{ ...SETTINGS, deadlineMs: 10 * MINUTE_MS },
    requests: {
      latency: [
        { quantile: 0.5, relativeMargin: 0.1, absoluteMarginMs: 2, required: false },
        { quantile: 0.99, relativeMargin: 0.1, absoluteMarginMs: 2, required: false },
      ],
      errors: { margin: 0.005, required: false },
    },
  };

  const certification = finish(
    certify(historyOf(baseline), { settings, random: seededRandom(2), mostGates: 20 }),
  );

  assert.match(
    certificationSentence(certification, settings.deadlineMs),
    /^0 of 20 placebos failed(?: \(worth \d+ independent ones\))?; sees ≥ [\d.]+ ms of P99 in 10 min with 3 canary pods, [\d.]+ min with 6, /,
  );
  assert.deepEqual(
    certification.plan.rows[0]?.power.latency.map(({ check }) => check),
    ['latency.p50', 'latency.p99'],
  );
});

/** Two of four pods spend `more` of their samples than the others in a function that all of them have. */
function twoKinds(more: number): PodWindow[] {
  return somePods(4, 96).map((window) => {
    const part = /[01]$/.test(window.pod) ? 0.1 : 0.1 + more;
    const count = Math.round(window.samplesTaken * part);
    const stacks = [...window.stacks, { frames: ['app.Debug.trace', 'java.lang.Thread.run'], count }];
    return { ...window, stacks, samplesTaken: window.samplesTaken + count };
  });
}

test('pods of two kinds make placebos fail, and the variance between pods is inflated until none does', () => {
  const certification = certified(twoKinds(0.05));

  const { placebos, podVarianceFactor, holds } = certification;
  assert.ok(podVarianceFactor > 1, String(podVarianceFactor));
  assert.deepEqual({ failed: placebos.failed, run: placebos.run, holds }, { failed: 0, run: 6, holds: true });
  assert.match(
    certificationSentence(certification, SETTINGS.deadlineMs),
    /^0 of 6 placebos failed(?: \(worth \d+ independent ones\))? with the variance between pods × [\d.]+; sees/,
  );
});

test('where no variance helps that is said, with what failed', () => {
  const certification = certified(twoKinds(0.2));

  assert.equal(certification.holds, false);
  assert.equal(certification.falseAlarms[0]?.what, 'app.Debug.trace');
  assert.match(
    certificationSentence(certification, SETTINGS.deadlineMs),
    /^1 of 6 placebos failed(?: \(worth \d+ independent ones\))? with the variance between pods × 25, 1 of them by app\.Debug\.trace; /,
  );
});

test('what is too little says what is missing', () => {
  assert.equal(uncertifiable(historyOf(somePods(8, 60)))?.reason, 'TooFewWindows');
  assert.equal(uncertifiable(historyOf(somePods(3, 96)))?.reason, 'TooFewPods');
  assert.equal(uncertifiable(historyOf([]))?.reason, 'TooFewWindows');
  assert.equal(uncertifiable(historyOf(somePods(4, 96))), undefined);
});

test('an hour of a short gate is cut into slices that end with it, with fewer choices in each', () => {
  const history = historyOf(somePods(8, 96));
  const options = { canaries: 3, mostGates: 40, deadlineMs: 5 * MINUTE_MS };

  const gates = planPlacebos(history, options, seededRandom(1));

  assert.deepEqual([...new Set(gates.map(({ fromBlock }) => fromBlock))], [2, 12, 22]);
  assert.ok(gates.every(({ blocks }) => blocks === 10));
  assert.equal(gates.length, 3 * Math.floor(40 / 3));
});

test('what a plan foretells of latency is what a gate of so many pods says when it is there', () => {
  const settings = {
    ...SETTINGS,
    requests: { latency: [{ quantile: 0.99, relativeMargin: 0.1, absoluteMarginMs: 2, required: false }] },
  };
  const run = { requestsPerSecond: 1_000, windows: 90, noise: QUIET, seed: 9 };
  const arms = simulateRequests({ ...run, canaryPart: 3 / 13, baselinePods: 10, canaryPods: 3 });
  const ofBaseline = arms.baseline.map((window) => ({ ...window, podStartedAtMs: -7_200_000 }));

  const plan = finish(planPower(historyOf(ofBaseline), settings, { canaryPods: [3], baselinePods: 10 }));
  const nowMs = 10 * MINUTE_MS;
  const judged = judgeGate({
    ...arms,
    baseline: ofBaseline,
    settings: { ...settings, deadlineMs: nowMs, minDurationMs: nowMs },
    startedAtMs: 0,
    nowMs,
  });

  const foretold = plan.rows[0]?.power.latency[0]?.ms ?? Number.NaN;
  const check = judged.checks.find((one) => one.check === 'latency.p99');
  const said = check !== undefined && 'numbers' in check ? check.numbers.detectable : Number.NaN;
  assert.ok(foretold > 0.7 * said && foretold < 1.3 * said, `${foretold} foretold, ${said} said`);
});

test('more canary pods see the same sooner, and a larger variance between pods sees less', () => {
  const history = historyOf(somePods(8, 96));
  const planned = (podVarianceFactor: number) =>
    finish(planPower(history, { ...SETTINGS, podVarianceFactor }, { canaryPods: [3, 6], baselinePods: 8 }));

  const [three, six] = planned(1).rows;
  const [inflated] = planned(9).rows;

  assert.equal(three?.sameAfterMs, 10 * MINUTE_MS);
  assert.ok((six?.sameAfterMs ?? Number.NaN) < 10 * MINUTE_MS);
  assert.ok((six?.power.cpu ?? 1) < (three.power.cpu ?? 0));
  assert.ok((inflated?.power.cpu ?? 0) > (three.power.cpu ?? 1));
});
