import assert from 'node:assert/strict';
import { test } from 'node:test';
import { QUIET, type SimulatedRequests, simulateRequests } from '../../test/reference/simulated-requests.ts';
import { judgeGate } from './judge-gate.ts';
import { leastMultiple } from './settling.ts';
import { settlingText } from './settling-text.ts';
import type { GateJudgement, Settling } from './verdict.ts';

const WINDOW_MS = 10_000;
const RUN: SimulatedRequests = {
  ...{ seed: 4, requestsPerSecond: 40, canaryPart: 0.3, baselinePods: 8, canaryPods: 4 },
  ...{ windows: 24, historyWindows: 120, noise: { ...QUIET, bursts: 0 } },
};

function judged(run: Partial<SimulatedRequests>, relativeMargin = 0.07): GateJudgement {
  const { history, baseline, canary } = simulateRequests({ ...RUN, ...run });
  const deadlineMs = (run.windows ?? RUN.windows) * WINDOW_MS;
  return judgeGate({
    ...{ history, baseline, canary, startedAtMs: 0, nowMs: deadlineMs },
    settings: {
      ...{ functionMargin: 0.05, falseFailureRate: 0.01, minDurationMs: 180_000, warmUpMs: 0, deadlineMs },
      requests: { latency: [{ quantile: 0.9, relativeMargin, absoluteMarginMs: 0, required: false }] },
    },
  });
}

const p90Of = ({ checks }: GateJudgement) => checks.find(({ check }) => check === 'latency.p90');
const settlingOf = ({ wouldSettle = [] }: GateJudgement): Settling | undefined =>
  wouldSettle.find(({ check }) => check === 'latency.p90');

test('the least multiple is the first that settles; none where the most does not', () => {
  const found = leastMultiple((multiple) => multiple >= 3.3, 100) ?? Number.NaN;

  assert.ok(Math.abs(found - 3.3) < 0.001, `${found}`);
  assert.equal(
    leastMultiple((multiple) => multiple >= 101, 100),
    undefined,
  );
});

test('an open check says what would have settled it, and the sentence too', () => {
  const judgement = judged({});

  assert.equal(p90Of(judgement)?.verdict, 'Inconclusive', judgement.message);
  const { deadlineMs = 0, pods, margin = 0 } = settlingOf(judgement) ?? {};
  assert.ok(deadlineMs > RUN.windows * WINDOW_MS, `${deadlineMs}`);
  assert.equal(pods?.baseline, 8);
  assert.ok(pods.canary > 4);
  assert.ok(margin > 0);
  assert.match(judgement.message, /; enough would be, each alone: .*for latency\.p90 a deadline of \d+ min/);
});

test('the margin that it names is its bound at the last look; with half as much again the same evaluation passes', () => {
  const { margin = 0 } = settlingOf(judged({})) ?? {};
  const check = p90Of(judged({}));
  const baselineMs = check !== undefined && 'numbers' in check ? check.numbers.baseline : 0;
  const relative = margin / baselineMs;

  assert.equal(p90Of(judged({}, relative * 1.5))?.verdict, 'Passed');
  assert.equal(p90Of(judged({}, relative * 0.9))?.verdict, 'Inconclusive');
});

test('an evaluation that is decided lacks nothing', () => {
  assert.equal(judged({}, 0.9).wouldSettle?.some(({ check }) => check === 'latency.p90') ?? false, false);
});

test('ways are listed with units, and that none would do is said', () => {
  const ways = { deadlineMs: 3_120_000, pods: { baseline: 3, canary: 6 }, traffic: 2.03, margin: 11.31 };

  assert.equal(
    settlingText([
      { check: 'latency.p99', unit: 'ms', ...ways },
      { check: 'cpu.function', unit: 'share', margin: 0.0224 },
      { check: 'errors', unit: 'share' },
    ]),
    'for latency.p99 a deadline of 52 min, 3 + 6 pods, 2.1 times the traffic or a margin of 12 ms; for cpu.function a margin of 2.3 %; for errors none of time, pods, traffic or margin',
  );
});
