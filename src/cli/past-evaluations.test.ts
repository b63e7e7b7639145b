import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { RegressionGate } from '../crds/regression-gate.ts';
import type { RegressionReport, RegressionReportStatus } from '../crds/regression-report.ts';
import { API_VERSION } from '../crds/schema.ts';
import { parseCollapsed } from '../profile/collapsed.ts';
import type { RecordedWindow } from '../wire/window-lines.ts';
import { mergeEvaluations, readKeptEvaluations, writeEvaluations } from './kept-evaluations.ts';
import { keptEvaluations, namedEvaluation, type PastEvaluation, rolloutsIn } from './past-evaluations.ts';
import { defaultSpec, replay, replayExitCode } from './replay.ts';

const START = Date.UTC(2026, 0, 2, 3);
const MINUTE_MS = 60_000;

const aWindow = (pod: string, startMs: number, collapsed = 'main;run 90\nmain;encode 10'): RecordedWindow => {
  const stacks = parseCollapsed(collapsed);
  return {
    meta: {
      ...{ node: 'n', namespace: 'shop', pod, podUid: `uid-${pod}`, container: 'orders' },
      ...{ startMs, endMs: startMs + 10_000, startedAtMs: START - 60 * MINUTE_MS },
      ...{ hz: 49, cpuUsec: 1, throttledUsec: 0, lost: 0, flags: '', jdk: '21' },
      samples: stacks.reduce((sum, { count }) => sum + count, 0),
    },
    stacks,
  };
};

function windowsOf(
  pods: readonly string[],
  minutes: readonly [number, number],
  collapsed?: string,
): RecordedWindow[] {
  const windows: RecordedWindow[] = [];
  for (let at = minutes[0] * 6; at < minutes[1] * 6; at++) {
    windows.push(...pods.map((pod) => aWindow(pod, START + at * 10_000, collapsed)));
  }
  return windows;
}

const OLD = ['orders-6b7f-aaaaa', 'orders-6b7f-bbbbb'];
const NEW = ['orders-7c8d-ccccc', 'orders-7c8d-ddddd'];
const ROLLOUT = [
  ...windowsOf(OLD, [0, 20]),
  ...windowsOf(NEW, [5, 20], 'main;run 60\nmain;encode 40'),
  ...windowsOf(['stock-1a2b-eeeee'], [0, 20]),
];

const shape = ({ name, startedAtMs, baseline, canary }: PastEvaluation) => ({
  name,
  startedAtMs,
  windows: [baseline.length, canary.length],
});

test('a rollout is found where a revision of a Deployment began while an older one still ran', () => {
  assert.deepEqual(rolloutsIn(ROLLOUT).map(shape), [
    { name: 'orders: 6b7f → 7c8d', startedAtMs: START + 5 * MINUTE_MS, windows: [240, 180] },
  ]);
  const oneAfterTheOther = [...windowsOf(OLD, [0, 5]), ...windowsOf(NEW, [5, 20])];
  assert.deepEqual(rolloutsIn(oneAfterTheOther), []);
});

test('arms are named by how their pods are called, up to a hyphen', () => {
  const evaluation = namedEvaluation(ROLLOUT, { baseline: 'orders-6b7f', canary: 'orders-7c8d' });

  assert.deepEqual(shape(evaluation), {
    name: 'orders-6b7f → orders-7c8d',
    startedAtMs: START + 5 * MINUTE_MS,
    windows: [240, 180],
  });
  assert.equal(namedEvaluation(ROLLOUT, { baseline: 'orders-6', canary: 'stock' }).baseline.length, 0);
});

const metadata = (name: string, uid = `uid-${name}`) => ({
  ...{ name, namespace: 'shop', uid, generation: 1, resourceVersion: '1' },
  creationTimestamp: new Date(START).toISOString(),
});

function aReport(attempt: number, status: Partial<RegressionReportStatus> = {}): RegressionReport {
  return {
    apiVersion: API_VERSION,
    kind: 'RegressionReport',
    metadata: metadata(`orders-${attempt}`),
    spec: {
      ...{ gate: 'orders', gateGeneration: 1, baselineHash: '6b7f', canaryHash: '7c8d', attempt },
      images: { baseline: [], canary: [] },
    },
    status: {
      verdict: 'Failed',
      reason: 'FunctionGrew',
      startedAt: new Date(START + 5 * MINUTE_MS).toISOString(),
      decidedAt: new Date(START + 9 * MINUTE_MS).toISOString(),
      checks: [{ check: 'cpu.function', verdict: 'Failed' }],
      culprits: [
        {
          ...{ function: 'encode', kind: 'Grown', baseline: '10%', canary: '40%', delta: '+30%' },
          ...{ interval: ['+20%', '+40%'], shareOfDelta: '100%', stack: ['encode', 'main'] },
        },
      ],
      ...status,
    },
  };
}

const aGate = (certification?: NonNullable<RegressionGate['status']>['certification']): RegressionGate => ({
  apiVersion: API_VERSION,
  kind: 'RegressionGate',
  metadata: metadata('orders'),
  spec: { ...defaultSpec(), targetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'orders' } },
  ...(certification === undefined ? {} : { status: { certification } }),
});

test('what a gate said stands beside what it would say, by its own settings and by others', () => {
  const [evaluation] = keptEvaluations({ gates: [aGate()], reports: [aReport(1)] }, ROLLOUT);
  assert.ok(evaluation);

  const same = replay(evaluation, { latency: [] });
  const wider = replay(evaluation, { latency: [], cpuFunction: '50%', deadline: '14m' });

  assert.deepEqual(evaluation.said, {
    ...{ verdict: 'Failed', reason: 'FunctionGrew', afterMs: 4 * MINUTE_MS },
    by: ['encode'],
  });
  assert.deepEqual([same.would.verdict, same.would.by], ['Failed', ['encode']]);
  assert.equal(wider.would.verdict, 'Passed');
  assert.deepEqual([replayExitCode([same, wider]), replayExitCode([wider]), replayExitCode([])], [1, 0, 0]);
});

test('an evaluation whose pods left no windows is undecided, and says so', () => {
  const [evaluation] = keptEvaluations({ gates: [], reports: [aReport(1)] }, []);
  assert.ok(evaluation);

  const replayed = replay(evaluation, { latency: [] });

  assert.deepEqual([replayed.would.verdict, replayed.coveredMs], ['Inconclusive', 0]);
  assert.equal(replayExitCode([replayed]), 3);
});

test('the variance a gate was certified with counts, unless another is asked for', () => {
  const certification = {
    ...{ summary: '', at: new Date(START).toISOString(), generation: 1, baseline: '6b7f' },
    ...{ pods: 12, windows: 1, span: '1h', podVarianceFactor: '9', plan: [] },
    placebos: { run: 1, failed: 0, passed: 1, inconclusive: 0, pods: 12, canaryPods: 3, lookedAt: '30m' },
  };
  const [evaluation] = keptEvaluations({ gates: [aGate(certification)], reports: [aReport(1)] }, ROLLOUT);

  assert.equal(evaluation?.podVarianceFactor, 9);
});

test('evaluations are kept beside the windows, also those that the cluster has dropped since', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'flamegate-evaluations-'));
  try {
    assert.equal(await readKeptEvaluations(directory), undefined);
    const first = { gates: [aGate()], reports: [aReport(1), aReport(2, { verdict: 'Collecting' })] };
    const second = { gates: [aGate()], reports: [aReport(2, { verdict: 'Passed' })] };

    await writeEvaluations(directory, mergeEvaluations(first, second));
    const kept = await readKeptEvaluations(directory);

    assert.deepEqual(
      kept?.reports.map(({ metadata: { name }, status }) => `${name} ${status?.verdict}`),
      ['orders-1 Failed', 'orders-2 Passed'],
    );
    assert.equal(kept.gates.length, 1);
    await writeFile(join(directory, 'evaluations.json'), '{"version":1,"gates":[{}],"reports":[]}');
    await assert.rejects(readKeptEvaluations(directory), { code: 'RECORDING_INVALID' });
  } finally {
    await rm(directory, { recursive: true });
  }
});
