/**
 * Twenty minutes of real pods, judged again: an unchanged service in four arms of three pods, and one arm in which a single
 * function costs 5 % of the pod's CPU more. `record-arms.ts` beside this file makes such a recording.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judgeCpu } from '../../src/detect/judge-cpu.ts';
import type { PodWindow } from '../../src/detect/pod-window.ts';
import type { CpuJudgement } from '../../src/detect/verdict.ts';
import { readArms } from './recorded-arms.ts';

const MINUTE_MS = 60_000;
const DEADLINE_MS = 11 * MINUTE_MS;
const CLEAN = ['stable', 'clean-a', 'clean-b', 'clean-c'];
const REGRESSED = 'surcharge';
/** Minutes into the recording at which the evaluations begin: the pods are a minute old then, or warm. */
const STARTS = [0, 3, 6, 9];

const { arms, startedAtMs } = await readArms('orders-c1');

/** The canary's windows, moved by some minutes: then it is as much younger than its baseline, as in a rollout. */
function judge(baseline: string, canary: string, startMinute: number, minutesYounger = 0): CpuJudgement {
  const startMs = startedAtMs + startMinute * MINUTE_MS;
  return judgeCpu({
    baseline: arms.get(baseline) ?? [],
    canary: (arms.get(canary) ?? []).map((window) => later(window, minutesYounger * MINUTE_MS)),
    settings: {
      functionMargin: 0.02,
      falseFailureRate: 0.01,
      minDurationMs: 2 * MINUTE_MS,
      deadlineMs: DEADLINE_MS,
      warmUpMs: 2 * MINUTE_MS,
    },
    startedAtMs: startMs,
    nowMs: startMs + DEADLINE_MS,
  });
}

const later = (window: PodWindow, ms: number): PodWindow => ({
  ...window,
  startMs: window.startMs + ms,
  endMs: window.endMs + ms,
  podStartedAtMs: window.podStartedAtMs + ms,
});

const PAIRS = CLEAN.flatMap((baseline) =>
  CLEAN.filter((canary) => canary !== baseline).map((canary) => [baseline, canary] as const),
);

test('of 48 gates over unchanged arms none is failed, and at least half are passed', () => {
  const judgements = STARTS.flatMap((start) =>
    PAIRS.map(([baseline, canary]) => judge(baseline, canary, start)),
  );

  const verdicts = judgements.map(({ verdict }) => verdict);
  assert.equal(verdicts.length, 48);
  assert.ok(!verdicts.includes('Failed'), judgements.map(({ message }) => message).join('\n'));
  assert.ok(verdicts.filter((verdict) => verdict === 'Passed').length >= 24, verdicts.join(' '));
});

test('the function that costs 5 % more is failed and named first, against any arm, from any start', () => {
  for (const start of STARTS) {
    for (const baseline of CLEAN) {
      const { verdict, culprits, message } = judge(baseline, REGRESSED, start);

      assert.equal(verdict, 'Failed', `${baseline}, from minute ${start}: ${message}`);
      assert.match(culprits[0]?.function ?? '', /^shop\.Surcharge\./);
    }
  }
});

test('a canary that is eight minutes younger than its baseline is judged alike', () => {
  const judgements = PAIRS.map(([baseline, canary]) => judge(baseline, canary, 8, 8));

  const verdicts = judgements.map(({ verdict }) => verdict);
  assert.ok(!verdicts.includes('Failed'), judgements.map(({ message }) => message).join('\n'));
  assert.ok(verdicts.filter((verdict) => verdict === 'Passed').length >= 6, verdicts.join(' '));
  for (const baseline of CLEAN) assert.equal(judge(baseline, REGRESSED, 8, 8).verdict, 'Failed', baseline);
});

test('the regressed arm as baseline: what got cheaper is no failure', () => {
  for (const canary of CLEAN) assert.notEqual(judge(REGRESSED, canary, 3).verdict, 'Failed');
});
