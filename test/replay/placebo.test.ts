/** Placebo gates over twelve unchanged pods of a recording: what is foretold of a gate is what gates over them say. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HistoryCollector } from '../../src/detect/baseline-history.ts';
import { judgeGate } from '../../src/detect/judge-gate.ts';
import { judgePlacebos, planPlacebos } from '../../src/detect/placebo.ts';
import { planPower } from '../../src/detect/power-plan.ts';
import { seededRandom } from '../../src/detect/seeded-random.ts';
import { readArms } from './recorded-arms.ts';

const MINUTE_MS = 60_000;
const SETTINGS = {
  functionMargin: 0.02,
  falseFailureRate: 0.01,
  minDurationMs: 3 * MINUTE_MS,
  deadlineMs: 30 * MINUTE_MS,
  warmUpMs: 2 * MINUTE_MS,
};
const JUDGED = 11; // of 220; `flamegate plan` judges them all

const { arms } = await readArms('orders-c1');
const windows = ['stable', 'clean-a', 'clean-b', 'clean-c'].flatMap((arm) => arms.get(arm) ?? []);
const collector = new HistoryCollector(SETTINGS.warmUpMs);
for (const ofPod of Map.groupBy(windows, ({ pod }) => pod).values()) collector.add(ofPod);
const history = collector.history(seededRandom(1));
const gates = planPlacebos(
  history,
  { canaries: 3, mostGates: 220, deadlineMs: SETTINGS.deadlineMs },
  seededRandom(1),
);

function finish<T>(running: Generator<undefined, T>): T {
  for (;;) {
    const step = running.next();
    if (step.done === true) return step.value;
  }
}

test('of placebo gates none fails, and most pass', () => {
  assert.equal(gates.length, 220);
  const some = gates.filter((_, number) => number % (gates.length / JUDGED) === 0);

  const results = finish(judgePlacebos(some, history, SETTINGS));

  const verdicts = results.map(({ verdict }) => verdict);
  assert.equal(verdicts.length, JUDGED);
  assert.ok(!verdicts.includes('Failed'), verdicts.join(' '));
  assert.ok(verdicts.filter((verdict) => verdict === 'Passed').length > JUDGED / 2, verdicts.join(' '));
});

test('what a plan foretells of functions is what a gate over these pods says after ten minutes', () => {
  const plan = finish(planPower(history, SETTINGS, { canaryPods: [3], baselinePods: 9 }));
  const canaries = new Set(gates[100]?.canaries);
  const nowMs = history.startMs + 10 * MINUTE_MS;
  const { detectable = Number.NaN, looks } = judgeGate({
    baseline: windows.filter(({ pod }) => !canaries.has(pod)),
    canary: windows.filter(({ pod }) => canaries.has(pod)),
    settings: { ...SETTINGS, minDurationMs: 10 * MINUTE_MS, deadlineMs: 10 * MINUTE_MS },
    startedAtMs: history.startMs,
    nowMs,
  });

  assert.equal(looks, 20);
  const foretold = plan.rows[0]?.power.cpu ?? Number.NaN;
  assert.ok(
    foretold > 0.7 * detectable && foretold < 1.3 * detectable,
    `${foretold} foretold, ${detectable} said`,
  );
});
