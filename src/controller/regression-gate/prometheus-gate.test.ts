/** A gate over a real Prometheus that scraped what agents show, beside the same gate over what they push. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Registry } from 'prom-client';
import { aPrometheus, until } from '../../../test/prometheus/prometheus.ts';
import { addRow, ReplayedAgent } from '../../../test/prometheus/replayed-agent.ts';
import { type CanaryChange, QUIET, simulateRequests } from '../../../test/reference/simulated-requests.ts';
import { gateSettings } from '../../crds/gate-settings.ts';
import type { PodWindow } from '../../detect/pod-window.ts';
import { aBatch, aPodWindow, WINDOW_MS } from '../../store/testing/a-batch.ts';
import { openStore, type WindowStore } from '../../store/window-store.ts';
import { parseSettings } from '../settings/parse-settings.ts';
import { installedSource } from './installed-source.ts';
import { type JudgedEvaluation, runningEvaluations } from './running-evaluations.ts';
import { aGate } from './testing/a-cluster.ts';

const HISTORY = 30;
const WINDOWS = 40;
/** Long enough ago that no scrape is waited for, and within the hour of the past that Prometheus takes. */
const EPOCH_MS = Math.floor(Date.now() / WINDOW_MS) * WINDOW_MS - 20 * 60_000;
const STARTED_AT_MS = EPOCH_MS + HISTORY * WINDOW_MS;
const refs = (arm: string) => [0, 1, 2].map((pod) => ({ podUid: `${arm}-${pod}`, container: 'app' }));
const ARMS = { baseline: refs('baseline'), canary: refs('canary') };

interface Simulated {
  readonly store: WindowStore;
  readonly agent: ReplayedAgent;
}

/** What agents pushed, and showed at each scrape, of a service with such a canary. */
function aService(t: TestContext, canary: CanaryChange, scrapeMs: number): Simulated {
  const directory = mkdtempSync(join(tmpdir(), 'flamegate-prometheus-gate-'));
  const store = openStore(join(directory, 'windows.db'), { now: Date.now });
  t.after(() => {
    store.close();
    rmSync(directory, { recursive: true });
  });
  const { history, baseline, canary: canaries } = simulateRequests({
    ...{ seed: 3, requestsPerSecond: 300, canaryPart: 0.5, baselinePods: 3, canaryPods: 3 },
    ...{ windows: WINDOWS, historyWindows: HISTORY, noise: QUIET, canary },
  });
  const agent = new ReplayedAgent();
  const pods = new Map(
    [...ARMS.baseline, ...ARMS.canary].map(({ podUid, container }) => {
      const beganMs = podUid.startsWith('canary') ? STARTED_AT_MS : EPOCH_MS;
      return [podUid, agent.begin({ namespace: 'shop', pod: podUid, podUid, container }, beganMs)];
    }),
  );
  const byStart = Map.groupBy([...history, ...baseline, ...canaries], ({ startMs }) => startMs);
  let scrapedMs = EPOCH_MS;
  for (const [startMs, windows] of [...byStart].sort(([a], [b]) => a - b)) {
    const sequence = HISTORY + startMs / WINDOW_MS;
    const beginsMs = EPOCH_MS + sequence * WINDOW_MS;
    store.addBatch({ ...aBatch({ sequence, pods: windows.map(pushed) }), startMs: beginsMs, endMs: beginsMs + WINDOW_MS });
    for (const { pod, requests } of windows) {
      const durations = pods.get(pod);
      for (const row of requests?.routes ?? []) if (durations) addRow(durations, row);
    }
    for (; scrapedMs + scrapeMs <= beginsMs + WINDOW_MS; scrapedMs += scrapeMs) agent.scrape(scrapedMs + scrapeMs);
  }
  return { store, agent };
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

/** Where the controller would read by such settings. */
function aSource(t: TestContext, store: WindowStore, port: number) {
  const settings = parseSettings(`sources: {prometheus: {endpoint: "http://127.0.0.1:${port}"}}`, 'settings.yaml');
  const source = installedSource({
    ...{ store, settings: { current: () => settings }, credentialsDirectory: tmpdir() },
    ...{ registry: new Registry(), now: Date.now },
  });
  t.after(() => source.close());
  return source;
}

for (const [what, canary, expected] of [
  ['a canary that takes four tenths longer', { factor: 1.4 }, 'Failed'],
  ['a canary like its baseline', {}, 'Collecting'],
] as const) {
  test(`${what} is judged from Prometheus as from the store`, async (t) => {
    const { store, agent } = aService(t, canary, 15_000);
    const prometheus = await aPrometheus(t, { targets: [await agent.serve(t)], nativeHistograms: true });
    await until('it has scraped', async () =>
      (await prometheus.query('max_over_time(flamegate_requests_counted_total[30m])')).size > 0 || undefined,
    );

    const evaluation = anEvaluation(375);
    const fromStore = await runningEvaluations(store).judge('shop/orders', evaluation);
    const source = aSource(t, store, prometheus.port);
    const fromPrometheus = await runningEvaluations(store, source).judge('shop/orders', evaluation);

    assert.equal(fromStore.verdict, expected);
    assert.deepEqual(
      [fromPrometheus.verdict, fromPrometheus.reason],
      [fromStore.verdict, fromStore.reason],
    );
  });
}
