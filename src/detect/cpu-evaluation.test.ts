import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type SimulatedPath, simulatedService, simulateRun } from '../../test/reference/simulated-pods.ts';
import { advance, isDecided, judgementOf, openCpuEvaluation } from './cpu-evaluation.ts';
import { judgeCpu } from './judge-cpu.ts';
import { closedBlocks, cutBlock, LOOK_MS } from './looks.ts';
import type { PodWindow } from './pod-window.ts';
import type { CpuJudgement } from './verdict.ts';

const WINDOWS = 36;
const DEADLINE_MS = WINDOWS * 10_000;
const SETTINGS = {
  functionMargin: 0.02,
  falseFailureRate: 0.01,
  minDurationMs: 90_000,
  deadlineMs: DEADLINE_MS,
  warmUpMs: 40_000,
};
const PLAN = { ...SETTINGS, startedAtMs: 0 };

interface Run {
  readonly baseline: readonly PodWindow[];
  readonly canary: readonly PodWindow[];
}

const ofBlock = (windows: readonly PodWindow[], number: number): PodWindow[] =>
  windows.filter(({ endMs }) => endMs > number * LOOK_MS && endMs <= (number + 1) * LOOK_MS);

/** Judges every 15 s, so just before and after each look: once by folding each block as it closes, once from all windows there were by then. */
function judgeBothWays(run: Run): { readonly folded: CpuJudgement[]; readonly whole: CpuJudgement[] } {
  const evaluation = openCpuEvaluation(SETTINGS, 0);
  const folded: CpuJudgement[] = [];
  const whole: CpuJudgement[] = [];
  let next = 0;
  for (let nowMs = 0; nowMs <= DEADLINE_MS + 30_000; nowMs += 15_000) {
    const byNow = ({ endMs }: PodWindow): boolean => endMs <= nowMs;
    const baseline = run.baseline.filter(byNow);
    const canary = run.canary.filter(byNow);
    for (; next < closedBlocks(PLAN, nowMs) && !isDecided(evaluation); next++) {
      const windows = { baseline: ofBlock(baseline, next), canary: ofBlock(canary, next) };
      advance(evaluation, cutBlock(windows, PLAN, next));
    }
    folded.push(judgementOf(evaluation, nowMs, baseline.length + canary.length > 0));
    whole.push(judgeCpu({ baseline, canary, settings: SETTINGS, startedAtMs: 0, nowMs }));
  }
  return { folded, whole };
}

/** Three pods an arm; one canary pod is young at first, another is gone for a minute, code appears half way. */
function simulated(canaryPaths: (service: SimulatedPath[]) => SimulatedPath[], seed: number): Run {
  const service = simulatedService(120, seed);
  const { baseline, canary } = simulateRun({
    baselinePaths: service,
    canaryPaths: canaryPaths(service),
    pods: 3,
    windows: WINDOWS,
    samplesPerWindow: 140,
    noise: { podSd: 0.03, lottery: 0.1, waveSd: 0.1 },
    seed,
  });
  const late = { frames: ['late.Job.run', 'java.lang.Thread.run'], count: 1 };
  return {
    baseline: baseline.filter(({ startMs }) => startMs < 120_000 || startMs >= 180_000 || seed % 2 === 0),
    canary: canary.map((window) => ({
      ...window,
      ...(window.pod === 'canary-0' ? { podStartedAtMs: 0 } : {}),
      stacks: window.startMs < DEADLINE_MS / 2 ? window.stacks : [...window.stacks, late],
    })),
  };
}

const CANARIES: Readonly<Record<string, (service: SimulatedPath[]) => SimulatedPath[]>> = {
  'an unchanged canary': (service) => service,
  'a canary with a new function': (service) => [
    ...service,
    { frames: ['new.Hot.path', ...(service[9]?.frames ?? [])], weight: 0.06 },
  ],
  'a canary with a renamed function': (service) =>
    service.map(({ frames, weight }) => ({
      weight,
      frames: frames.map((frame) => (frame === service[3]?.frames[0] ? 'renamed.Function' : frame)),
    })),
};

for (const [what, canaryPaths] of Object.entries(CANARIES)) {
  test(`${what} is judged the same block by block as from all its windows, at every time`, () => {
    const verdicts = [1, 2, 3].map((seed) => {
      const { folded, whole } = judgeBothWays(simulated(canaryPaths, seed));

      assert.deepEqual(folded, whole);
      return folded.at(-1)?.verdict;
    });

    const expected = what === 'a canary with a new function' ? 'Failed' : 'Passed';
    assert.ok(verdicts.includes(expected), verdicts.join(' '));
  });
}

test('an evaluation that never sees its canary ends the same at the deadline', () => {
  const { folded, whole } = judgeBothWays({ ...simulated((service) => service, 7), canary: [] });

  assert.deepEqual(folded, whole);
  assert.equal(folded.at(-1)?.reason, 'NoSamples');
});

test('blocks after the look that decided change nothing', () => {
  const run = simulated(CANARIES['a canary with a new function'] ?? ((service) => service), 1);
  const evaluation = openCpuEvaluation(SETTINGS, 0);
  const advanceTo = (number: number): void => {
    const windows = { baseline: ofBlock(run.baseline, number), canary: ofBlock(run.canary, number) };
    advance(evaluation, cutBlock(windows, PLAN, number));
  };
  let next = 0;
  while (!isDecided(evaluation) && next < 12) advanceTo(next++);
  const decided = judgementOf(evaluation, next * LOOK_MS, true);

  while (next < 12) advanceTo(next++);

  assert.equal(decided.verdict, 'Failed');
  assert.ok(decided.looks < 12);
  assert.deepEqual(judgementOf(evaluation, DEADLINE_MS + 60_000, true), decided);
});

test('a block that only one arm has windows for is no look', () => {
  const { baseline, canary } = simulated((service) => service, 2);
  const evaluation = openCpuEvaluation(SETTINGS, 0);

  advance(evaluation, cutBlock({ baseline: ofBlock(baseline, 2), canary: [] }, PLAN, 2));
  assert.equal(evaluation.looks, 0);

  advance(evaluation, cutBlock({ baseline: ofBlock(baseline, 3), canary: ofBlock(canary, 3) }, PLAN, 3));
  assert.equal(evaluation.looks, 1);
  assert.equal(evaluation.lastLookAtMs, 4 * LOOK_MS);
});
