import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { judgeGate } from '../../detect/judge-gate.ts';
import type { GateJudgement } from '../../detect/verdict.ts';
import { aBatch, aPodWindow, EPOCH_MS, WINDOW_MS } from '../../store/testing/a-batch.ts';
import { openStore, type WindowStore } from '../../store/window-store.ts';
import { type JudgedEvaluation, type RunningEvaluations, runningEvaluations } from './running-evaluations.ts';

const SETTINGS = {
  functionMargin: 0.05,
  falseFailureRate: 0.01,
  minDurationMs: 600_000,
  deadlineMs: 1_800_000,
  warmUpMs: 0,
};
const PODS = ['baseline-1', 'baseline-2', 'canary-1', 'canary-2'];
const refs = (...uids: string[]) => uids.map((podUid) => ({ podUid, container: 'app' }));
const ARMS = { baseline: refs('baseline-1', 'baseline-2'), canary: refs('canary-1', 'canary-2') };

function aStore(t: TestContext): WindowStore {
  const directory = mkdtempSync(join(tmpdir(), 'flamegate-running-'));
  const store = openStore(join(directory, 'windows.db'), { now: () => EPOCH_MS });
  t.after(() => {
    store.close();
    rmSync(directory, { recursive: true });
  });
  return store;
}

/** Windows `from` up to `to` of some pods, with other counts in each and a stack more in each fourth. */
function push(
  store: WindowStore,
  [from, to]: readonly [number, number],
  uids: readonly string[] = PODS,
): void {
  for (let at = from; at < to; at++) {
    const pods = uids.map((podUid, index) => {
      const encode = 80 + ((at * 7 + index * 3) % 9);
      const counts: [number, number][] = [
        [0, encode],
        [1, 100 - encode],
      ];
      return aPodWindow({ podUid, samples: 100, counts });
    });
    const name = `late${Math.floor(at / 4)}`;
    const strings = ['encode', 'handle', 'run', name];
    store.addBatch(
      aBatch({
        sequence: at,
        node: uids.join(),
        strings,
        stacks: [
          [0, 2],
          [1, 3, 2],
        ],
        pods,
      }),
    );
  }
}

const anEvaluation = (seconds: number, fields: Partial<JudgedEvaluation> = {}): JudgedEvaluation => ({
  uid: 'report-1',
  pods: ARMS,
  settings: SETTINGS,
  startedAtMs: EPOCH_MS,
  nowMs: EPOCH_MS + seconds * 1_000,
  ...fields,
});

/** From all windows the store has. */
function judgedWhole(store: WindowStore, evaluation: JudgedEvaluation): GateJudgement {
  const { pods, settings, startedAtMs, nowMs } = evaluation;
  const ofArm = (arm: 'baseline' | 'canary') =>
    store.windows({ pods: pods[arm], fromMs: startedAtMs, toMs: nowMs });
  return judgeGate({ baseline: ofArm('baseline'), canary: ofArm('canary'), settings, startedAtMs, nowMs });
}

async function assertJudgedAsWhole(
  running: RunningEvaluations,
  store: WindowStore,
  evaluation: JudgedEvaluation,
): Promise<GateJudgement> {
  const judgement = await running.judge('shop/orders', evaluation);
  assert.deepEqual(judgement, judgedWhole(store, evaluation));
  return judgement;
}

test('each judgement says what all windows together say, and a new process goes on with it', async (t) => {
  const store = aStore(t);
  const running = runningEvaluations(store);
  for (let window = 0; window < 24; window++) {
    push(store, [window, window + 1]);
    await assertJudgedAsWhole(running, store, anEvaluation((window + 1) * 10 + 5));
  }

  const evaluation = anEvaluation(255);
  const judgement = await assertJudgedAsWhole(runningEvaluations(store), store, evaluation);

  assert.equal(judgement.looks, 8);
  assert.deepEqual(await running.judge('shop/orders', evaluation), judgement);
});

test('windows that were pushed late are part of the next judgement', async (t) => {
  const store = aStore(t);
  const running = runningEvaluations(store);
  push(store, [0, 9], PODS.slice(0, 3));
  const before = await assertJudgedAsWhole(running, store, anEvaluation(105));

  push(store, [0, 9], ['canary-2']);
  push(store, [9, 12]);
  const after = await assertJudgedAsWhole(running, store, anEvaluation(135));

  assert.equal(before.pods.canary, 1);
  assert.equal(after.samples.canary, 2 * 12 * 100);
});

test('a pod that turns out to be part of an arm counts from its first window', async (t) => {
  const store = aStore(t);
  const running = runningEvaluations(store);
  push(store, [0, 12]);
  const fewer = { ...ARMS, canary: refs('canary-1') };
  await assertJudgedAsWhole(running, store, anEvaluation(105, { pods: fewer }));

  const after = await assertJudgedAsWhole(running, store, anEvaluation(135));

  assert.equal(after.samples.canary, 2 * 12 * 100);
});

test('between two looks a judgement stays what it was', async (t) => {
  const store = aStore(t);
  const running = runningEvaluations(store);
  push(store, [0, 6]);
  const first = await running.judge('shop/orders', anEvaluation(75));

  assert.equal(await running.judge('shop/orders', anEvaluation(85)), first);
  running.drop('shop/orders');
  assert.notEqual(await running.judge('shop/orders', anEvaluation(85)), first);
});

test('another evaluation of the gate, or other settings, begin from nothing', async (t) => {
  const store = aStore(t);
  const running = runningEvaluations(store);
  push(store, [0, 12]);
  await running.judge('shop/orders', anEvaluation(135));

  const second = anEvaluation(136, { uid: 'report-2', startedAtMs: EPOCH_MS + 6 * WINDOW_MS });
  const judgement = await assertJudgedAsWhole(running, store, second);
  const warmed = anEvaluation(136, { settings: { ...SETTINGS, warmUpMs: 900_000 } });

  assert.equal(judgement.looks, 2);
  assert.deepEqual((await assertJudgedAsWhole(running, store, warmed)).flags, ['WarmUpExcluded']);
});

test('more gates than are held at once are all judged', async (t) => {
  const store = aStore(t);
  const running = runningEvaluations(store);
  push(store, [0, 12]);
  const gates = Array.from({ length: 20 }, (_, gate) => `shop/gate-${gate}`);

  for (const seconds of [75, 105, 135]) {
    const judged = await Promise.all(gates.map((gate) => running.judge(gate, anEvaluation(seconds))));
    const whole = judgedWhole(store, anEvaluation(seconds));
    for (const judgement of judged) assert.deepEqual(judgement, whole);
  }
});

test('other work gets its turn between the blocks of an evaluation', async (t) => {
  const store = aStore(t);
  push(store, [0, 30]);
  let turns = 0;
  const count = (): void => {
    turns += 1;
    if (turns < 1_000) setImmediate(count);
  };
  setImmediate(count);

  const judgement = await runningEvaluations(store).judge('shop/orders', anEvaluation(315));

  assert.equal(judgement.looks, 10);
  assert.ok(turns >= 9, `${turns}`);
});
