import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  QUIET,
  type SimulatedRequests,
  simulateRequests,
  UNEVEN,
} from '../../test/reference/simulated-requests.ts';
import { planLooks } from './looks.ts';
import { advanceRequests, openRequestEvaluation } from './request-evaluation.ts';

// The design's case: three canary pods share 5 % of the traffic of twenty baseline pods, which differ by 1.5 or 3 % in P99,
// stray by 5 % from window to window and burst. Larger runs of the same are in docs/noise.md.
const CASE = { canaryPart: 0.05, baselinePods: 20, canaryPods: 3, noise: QUIET };
const SETTINGS = {
  latency: [0.5, 0.99].map((quantile) => ({
    quantile,
    relativeMargin: 0.1,
    absoluteMarginMs: 2,
    required: false,
  })),
  errors: { margin: 0.005, required: false },
};

interface Judged {
  /** Of any check. */
  readonly failed: boolean;
  /** All checks. */
  readonly passed: boolean;
  readonly failedAtMs: number;
  /** What the failed checks have grown by at least, as their intervals say. */
  readonly leastGrowth: number;
}

function judgeRuns(
  runs: number,
  run: Omit<SimulatedRequests, 'seed' | keyof typeof CASE> & Partial<SimulatedRequests>,
  { warmUpMs = 0, minDurationMs = 180_000 } = {},
): Judged[] {
  return Array.from({ length: runs }, (_, number) => {
    const windows = simulateRequests({ ...CASE, seed: 4_000 + number, ...run });
    const deadlineMs = run.windows * 10_000;
    const limits = {
      falseFailureRate: 0.01,
      minDurationMs,
      deadlineMs,
      minPods: 2,
      maxLossShare: 0.05,
    };
    const evaluation = openRequestEvaluation(SETTINGS, limits, 0, windows.history);
    const plan = { startedAtMs: 0, deadlineMs, warmUpMs };
    const canary = windows.canary.map((window) => ({ ...window, podStartedAtMs: 0 }));
    const arms = { baseline: windows.baseline, canary };
    for (const block of planLooks(arms, plan, deadlineMs)) advanceRequests(evaluation, block);
    const failed = evaluation.checks.filter(({ verdict }) => verdict === 'Failed');
    return {
      failed: failed.length > 0,
      passed: evaluation.checks.every(({ verdict }) => verdict === 'Passed'),
      failedAtMs: Math.min(...failed.map(({ decidedAtMs }) => decidedAtMs ?? 0)),
      leastGrowth: Math.min(
        ...failed.map(({ evidence }) => (evidence ? evidence.effect - evidence.half : 0)),
      ),
    };
  });
}

const failedOf = (judged: readonly Judged[]): number => judged.filter(({ failed }) => failed).length;
const passedOf = (judged: readonly Judged[]): number => judged.filter(({ passed }) => passed).length;

test('of 60 harmless canaries at most one is failed and at least 48 pass in a quarter of an hour', () => {
  const even = judgeRuns(30, { requestsPerSecond: 1_000, windows: 90 });
  const uneven = judgeRuns(30, { requestsPerSecond: 1_000, windows: 90, noise: UNEVEN });

  assert.ok(failedOf([...even, ...uneven]) <= 1, `${failedOf(even)} and ${failedOf(uneven)} failed`);
  assert.ok(passedOf([...even, ...uneven]) >= 48, `${passedOf(even)} and ${passedOf(uneven)} passed`);
});

test('12 ms more at P99 of 1,000 requests a second are failed in 27 of 30 canaries within a quarter of an hour', () => {
  const judged = judgeRuns(30, { requestsPerSecond: 1_000, windows: 90, canary: { tailMs: 12 } });

  assert.ok(failedOf(judged) >= 27, `${failedOf(judged)} of 30`);
  assert.ok(passedOf(judged) <= 1, `${passedOf(judged)} passed`);
  const times = judged.map(({ failedAtMs }) => failedAtMs).sort((a, b) => a - b);
  assert.ok((times[15] ?? Number.POSITIVE_INFINITY) <= 300_000, `half of them within ${times[15]} ms`);
  assert.ok(
    judged.every(({ leastGrowth }) => leastGrowth > 0),
    'an interval that holds zero is no proof',
  );
});

test('12 ms more at P99 of 200 requests a second are failed in 16 of 20 canaries within half an hour', () => {
  const judged = judgeRuns(20, { requestsPerSecond: 200, windows: 180, canary: { tailMs: 12 } });

  assert.ok(failedOf(judged) >= 16, `${failedOf(judged)} of 20`);
  assert.ok(passedOf(judged) <= 1, `${passedOf(judged)} passed`);
});

test('20 ms more at P99 that begin in minute eight are failed in 9 of 10 canaries, by what they were before', () => {
  const late = {
    requestsPerSecond: 1_000,
    windows: 120,
    canary: { tailMs: 20, from: 48 },
    historyWindows: 120,
  };

  const judged = judgeRuns(10, late, { minDurationMs: 1_200_000 });

  assert.ok(failedOf(judged) >= 9, `${failedOf(judged)} of 10`);
  assert.ok(judged.every(({ failedAtMs }) => failedAtMs > 480_000));
});

test('three pods beside three, without history, fail none of 50 harmless canaries', () => {
  const few = { baselinePods: 3, canaryPods: 3, canaryPart: 0.5, noise: UNEVEN };

  const judged = judgeRuns(50, { requestsPerSecond: 200, windows: 90, ...few });

  assert.equal(failedOf(judged), 0);
});

test('canaries that take twice as long when they are young are harmless past a warm-up of three minutes', () => {
  const young = { requestsPerSecond: 1_000, windows: 90, canary: { warmUp: 1 } };

  assert.ok(failedOf(judgeRuns(20, young, { warmUpMs: 180_000 })) <= 1);
  assert.ok(
    failedOf(judgeRuns(5, young)) >= 4,
    'without a warm-up they are caught: it is what keeps them harmless',
  );
});

test('one request in a hundred that fails, beside one in a thousand, is failed in 19 of 20 canaries', () => {
  const judged = judgeRuns(20, { requestsPerSecond: 200, windows: 90, canary: { errors: 0.01 } });

  assert.ok(failedOf(judged) >= 19, `${failedOf(judged)} of 20`);
});

test('with history of the baseline the first look already rests on how far its pods stray', () => {
  const firstLook = (historyWindows: number) => {
    const windows = simulateRequests({
      ...CASE,
      ...{ seed: 9, requestsPerSecond: 1_000, windows: 9, historyWindows },
    });
    const limits = {
      falseFailureRate: 0.01,
      minDurationMs: 180_000,
      deadlineMs: 1_800_000,
      minPods: 2,
      maxLossShare: 0.05,
    };
    const evaluation = openRequestEvaluation(SETTINGS, limits, 0, windows.history);
    const plan = { startedAtMs: 0, deadlineMs: 1_800_000, warmUpMs: 0 };
    for (const block of planLooks(windows, plan, 105_000)) advanceRequests(evaluation, block);
    return evaluation.checks[1]?.evidence;
  };

  const without = firstLook(0);
  const withHistory = firstLook(120);

  assert.equal(without?.assumedSpread, true);
  assert.equal(withHistory?.assumedSpread, false);
});
