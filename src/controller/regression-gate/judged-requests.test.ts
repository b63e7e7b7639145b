import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { QUIET, simulateRequests } from '../../../test/reference/simulated-requests.ts';
import { gateSettings } from '../../crds/gate-settings.ts';
import { judgeGate } from '../../detect/judge-gate.ts';
import type { PodWindow } from '../../detect/pod-window.ts';
import { aBatch, aPodWindow, EPOCH_MS, WINDOW_MS } from '../../store/testing/a-batch.ts';
import { openStore, type WindowStore } from '../../store/window-store.ts';
import { reportOf } from './report-status.ts';
import { type JudgedEvaluation, runningEvaluations } from './running-evaluations.ts';
import { aGate, aReport } from './testing/a-cluster.ts';

const HISTORY = 30;
const WINDOWS = 40;
const STARTED_AT_MS = EPOCH_MS + HISTORY * WINDOW_MS;
const refs = (arm: string) => [0, 1, 2].map((pod) => ({ podUid: `${arm}-${pod}`, container: 'app' }));
const ARMS = { baseline: refs('baseline'), canary: refs('canary') };

function aStore(t: TestContext): WindowStore {
  const directory = mkdtempSync(join(tmpdir(), 'flamegate-requests-'));
  const store = openStore(join(directory, 'windows.db'), { now: () => EPOCH_MS });
  t.after(() => {
    store.close();
    rmSync(directory, { recursive: true });
  });
  return store;
}

/** What agents push of a service whose canary takes four tenths longer. */
function push(store: WindowStore): void {
  const { history, baseline, canary } = simulateRequests({
    ...{ seed: 3, requestsPerSecond: 300, canaryPart: 0.5, baselinePods: 3, canaryPods: 3 },
    ...{ windows: WINDOWS, historyWindows: HISTORY, noise: QUIET, canary: { factor: 1.4 } },
  });
  const byStart = Map.groupBy([...history, ...baseline, ...canary], ({ startMs }) => startMs);
  for (const [startMs, windows] of [...byStart].sort(([a], [b]) => a - b)) {
    store.addBatch(aBatch({ sequence: HISTORY + startMs / WINDOW_MS, pods: windows.map(pushed) }));
  }
}

const pushed = ({ pod, requests }: PodWindow) => ({
  ...aPodWindow({
    podUid: pod,
    samples: 100,
    counts: [
      [0, 60],
      [1, 40],
    ],
    startedAtMs: EPOCH_MS - 600_000,
  }),
  ...(requests && { requests }),
});

const anEvaluation = (seconds: number): JudgedEvaluation => ({
  uid: 'report-1',
  pods: ARMS,
  settings: gateSettings(aGate().spec),
  startedAtMs: STARTED_AT_MS,
  nowMs: STARTED_AT_MS + seconds * 1_000,
});

test('an evaluation with requests says what its windows and the history of the baseline say', async (t) => {
  const store = aStore(t);
  push(store);
  const running = runningEvaluations(store);
  const ofArm = (arm: 'baseline' | 'canary', fromMs: number, toMs: number) =>
    store.windows({ pods: ARMS[arm], fromMs, toMs });

  for (const seconds of [45, 135, 255, 375]) {
    const evaluation = anEvaluation(seconds);
    const { settings, startedAtMs, nowMs } = evaluation;
    const judgement = await running.judge('shop/orders', evaluation);

    assert.deepEqual(
      judgement,
      judgeGate({
        ...{ settings, startedAtMs, nowMs },
        baseline: ofArm('baseline', startedAtMs, nowMs),
        canary: ofArm('canary', startedAtMs, nowMs),
        history: ofArm('baseline', EPOCH_MS, startedAtMs),
      }),
    );
    assert.deepEqual(await runningEvaluations(store).judge('shop/orders', evaluation), judgement);
  }
});

test('a slower canary is reported with its quantile, margin and route', async (t) => {
  const store = aStore(t);
  push(store);

  const judgement = await runningEvaluations(store).judge('shop/orders', anEvaluation(375));
  const { verdict, reason, checks = [], latched } = reportOf(aReport(), judgement, STARTED_AT_MS);

  assert.deepEqual([verdict, reason, latched], ['Failed', 'LatencyGrew', true]);
  const latency = checks.find(({ check }) => check === 'latency.p99');
  assert.equal(latency?.subject, 'GET /orders/{}');
  assert.match(latency.delta ?? '', /^\+\d+(\.\d)?ms$/);
  assert.match(latency.margin ?? '', /^\d\.\d+ms$/);
  assert.match(latency.message ?? '', /^P99 latency grew by/);
});
