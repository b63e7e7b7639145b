/** A simulated service whose agents pushed to a store, and were scraped by a real Prometheus. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { aPrometheus, type Lifetime, until } from '../../../../test/prometheus/prometheus.ts';
import { addRow, ReplayedAgent } from '../../../../test/prometheus/replayed-agent.ts';
import { type CanaryChange, QUIET, simulateRequests } from '../../../../test/reference/simulated-requests.ts';
import { gateSettings } from '../../../crds/gate-settings.ts';
import type { GateSettings } from '../../../detect/gate-evaluation.ts';
import type { PodWindow } from '../../../detect/pod-window.ts';
import { aBatch, aPodWindow, WINDOW_MS } from '../../../store/testing/a-batch.ts';
import { openStore, type WindowStore } from '../../../store/window-store.ts';
import { parseSettings } from '../../settings/parse-settings.ts';
import { type InstalledSource, type InstalledSourceOptions, installedSource } from '../installed-source.ts';
import type { JudgedEvaluation } from '../running-evaluations.ts';
import { aGate } from './a-cluster.ts';

export interface SimulatedService {
  readonly canary: CanaryChange;
  readonly windows: number;
  readonly historyWindows: number;
  readonly scrapeMs: number;
  /** Seconds of the evaluation at which no scrape came through. */
  readonly missed?: (seconds: number) => boolean;
  /** Second of the evaluation at which the agents were started again. */
  readonly restartedAt?: number;
  readonly settings?: Partial<GateSettings>;
}

export interface ScrapedService {
  readonly store: WindowStore;
  /** Of the real Prometheus. */
  readonly port: number;
  /** At its deadline, or at so many seconds. */
  evaluation(seconds: number): JudgedEvaluation;
}

const refs = (arm: string) => [0, 1, 2].map((pod) => ({ podUid: `${arm}-${pod}`, container: 'app' }));
const ARMS = { baseline: refs('baseline'), canary: refs('canary') };
/** So that no scrape is waited for, and Prometheus takes what is an hour old at most. */
const AGO_MS = 20 * 60_000;

export async function aScrapedService(t: Lifetime, service: SimulatedService): Promise<ScrapedService> {
  const epochMs = Math.floor((Date.now() - AGO_MS) / WINDOW_MS) * WINDOW_MS;
  const startedAtMs = epochMs + service.historyWindows * WINDOW_MS;
  const store = aStore(t);
  const agent = played(service, store, epochMs);
  const served = await agent.serve(t);
  const prometheus = await aPrometheus(t, { targets: [served.port], nativeHistograms: true });
  await until('it has scraped', async () => {
    const counted = await prometheus.query('max_over_time(flamegate_requests_counted_total[1h])');
    return counted.size > 0 || undefined;
  });
  served.stop();
  return {
    ...{ store, port: prometheus.port },
    evaluation: (seconds) => ({
      uid: 'report-1',
      pods: ARMS,
      settings: { ...gateSettings(aGate().spec), ...service.settings },
      startedAtMs,
      nowMs: startedAtMs + seconds * 1_000,
    }),
  };
}

/** However slow the machine is that tests run on. */
const PATIENT = { timeoutMs: 120_000 };

/** As the controller would read by settings that name this port of loopback. */
export function aSource(
  t: Lifetime,
  store: WindowStore,
  port: number,
  options: Partial<InstalledSourceOptions> = {},
): InstalledSource {
  const text = `sources: {prometheus: {endpoint: "http://127.0.0.1:${port}"}}`;
  const settings = parseSettings(text, 'settings.yaml');
  const source = installedSource({
    ...{ store, settings: { current: () => settings }, credentialsDirectory: tmpdir() },
    ...{ registry: new Registry(), now: Date.now, limits: PATIENT, ...options },
  });
  t.after(() => source.close());
  return source;
}

function aStore(t: Lifetime): WindowStore {
  const directory = mkdtempSync(join(tmpdir(), 'flamegate-scraped-'));
  const store = openStore(join(directory, 'windows.db'), { now: Date.now });
  t.after(() => {
    store.close();
    rmSync(directory, { recursive: true });
  });
  return store;
}

function played(service: SimulatedService, store: WindowStore, epochMs: number): ReplayedAgent {
  const { scrapeMs, windows, historyWindows, canary, restartedAt } = service;
  const isMissed = service.missed ?? (() => false);
  const { history, ...arms } = simulateRequests({
    ...{ seed: 3, requestsPerSecond: 300, canaryPart: 0.5, baselinePods: 3, canaryPods: 3 },
    ...{ windows, historyWindows, noise: QUIET, canary },
  });
  const agent = new ReplayedAgent();
  const startedAtMs = epochMs + historyWindows * WINDOW_MS;
  const begin = (atMs: number) =>
    new Map(
      [...ARMS.baseline, ...ARMS.canary].map(({ podUid, container }) => {
        const since = podUid.startsWith('canary') ? Math.max(startedAtMs, atMs) : atMs;
        return [podUid, agent.begin({ namespace: 'shop', pod: podUid, podUid, container }, since)];
      }),
    );
  let pods = begin(epochMs);
  const byStart = Map.groupBy([...history, ...arms.baseline, ...arms.canary], ({ startMs }) => startMs);
  let scrapedMs = epochMs;
  for (const [startMs, ofTime] of [...byStart].sort(([a], [b]) => a - b)) {
    const sequence = historyWindows + startMs / WINDOW_MS;
    const beganMs = epochMs + sequence * WINDOW_MS;
    const endMs = beganMs + WINDOW_MS;
    store.addBatch({ ...aBatch({ sequence, pods: ofTime.map(pushed) }), startMs: beganMs, endMs });
    if (restartedAt === startMs / 1_000) pods = begin(beganMs);
    for (const { pod, requests } of ofTime) {
      const durations = pods.get(pod);
      assert.ok(durations, pod);
      for (const row of requests?.routes ?? []) addRow(durations, row);
    }
    for (; scrapedMs + scrapeMs <= endMs; scrapedMs += scrapeMs) {
      const atMs = scrapedMs + scrapeMs;
      if (!isMissed((atMs - startedAtMs) / 1_000)) agent.scrape(atMs);
    }
  }
  return agent;
}

const pushed = ({ pod, requests }: PodWindow) => ({
  ...aPodWindow({
    podUid: pod,
    samples: 100,
    counts: [
      [0, 60],
      [1, 40],
    ],
    startedAtMs: Date.now() - 2 * AGO_MS,
  }),
  ...(requests && { requests }),
});
