/** For tests: a real ingest over TLS, with a store of its own, in front of an API server in memory. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type LevelWithSilent, pino } from 'pino';
import { Registry } from 'prom-client';
import type { RegressionReport } from '../../../crds/regression-report.ts';
import { API_VERSION } from '../../../crds/schema.ts';
import { aBatch, aPodWindow } from '../../../store/testing/a-batch.ts';
import { openStore, type WindowStore } from '../../../store/window-store.ts';
import type { Batch } from '../../../wire/batch-schema.ts';
import { AGENT_AUDIENCE } from '../../../wire/endpoints.ts';
import { agentReports } from '../../agent-reports-memory.ts';
import {
  aGate,
  aPod,
  aPolicy,
  aView,
  metadata,
  type TestView,
} from '../../regression-gate/testing/a-cluster.ts';
import type { LinkTemplates } from '../../report-page/outside-links.ts';
import { toldNodes } from '../../told-nodes.ts';
import { startIngest } from '../start-ingest.ts';
import { type TestApiServer, testApiServer } from './api-server.ts';

/** Of node-a's agent, of node-b's, of who may read gates in shop, and of who may in another namespace only. */
export const TOKENS = {
  agentA: 'token-of-the-agent-on-node-a',
  agentB: 'token-of-the-agent-on-node-b',
  agentC: 'token-of-the-agent-on-node-c',
  reader: 'token-of-somebody-who-may-read-shop',
  tenant: 'token-of-somebody-from-elsewhere',
} as const;

export interface RunningIngest {
  readonly port: number;
  readonly ca: string;
  readonly api: TestApiServer;
  readonly view: TestView;
  readonly store: WindowStore;
  readonly registry: Registry;
  /** What the server takes for now. */
  readonly clock: { nowMs: number };
  /** What the install's settings say of where pages lead, and whether Flagger's webhooks are answered. */
  readonly settings: { links: LinkTemplates; flaggerWebhooks: boolean };
  /** Everything that was logged, at every level. */
  logged(): string;
  stop(): Promise<void>;
}

/** A pod on either node, and a report of shop of whose arms there are windows: in all of them, and in what it says, a function `secretOfShop`. */
export async function aRunningIngest(
  level: LevelWithSilent = 'trace',
  startedMs = Date.now(),
): Promise<RunningIngest> {
  const directory = mkdtempSync(join(tmpdir(), 'flamegate-ingest-'));
  const clock = { nowMs: startedMs };
  const now = () => clock.nowMs;
  const settings: RunningIngest['settings'] = { links: {}, flaggerWebhooks: false };
  const store = openStore(join(directory, 'windows.db'), { now });
  const api = testApiServer();
  const agent = { username: 'system:serviceaccount:flamegate-agents:flamegate-agent' };
  api.tokens.set(TOKENS.agentA, { ...agent, audience: AGENT_AUDIENCE, node: 'node-a' });
  api.tokens.set(TOKENS.agentB, { ...agent, audience: AGENT_AUDIENCE, node: 'node-b' });
  api.tokens.set(TOKENS.agentC, { ...agent, audience: AGENT_AUDIENCE, node: 'node-c' });
  api.tokens.set(TOKENS.reader, { username: 'ann', mayRead: ['shop'] });
  api.tokens.set(TOKENS.tenant, { username: 'eve', mayRead: ['elsewhere'] });
  const view = aView({ policies: [aPolicy()], pods: [aPod(), aPod({ name: 'orders-2', node: 'node-b' })] });
  view.change({ reports: [aReport(clock.nowMs)], gates: [aGate()] });
  store.addBatch(aFreshBatch(clock.nowMs, { strings: ['secretOfShop', 'handle', 'run'] }));
  const { uid } = metadata('orders-cpu-1');
  for (const arm of ['baseline', 'canary'] as const) {
    store.rememberPods(uid, arm, [{ podUid: 'uid-orders-1', container: 'app' }]);
  }
  const lines: string[] = [];
  const log = pino({ level }, { write: (line: string) => void lines.push(line) });
  const registry = new Registry();
  const ingest = await startIngest({
    ...{ client: api.client, view, reports: agentReports(), store, registry, log, now },
    told: toldNodes(store, now),
    ...{ isLeader: () => true, links: () => settings.links },
    flaggerWebhooks: () => settings.flaggerWebhooks,
    config: { namespace: 'flamegate-system', agentsNamespace: 'flamegate-agents', httpsPort: 0 },
  });
  const published = api.objects.get('configmaps/flamegate-agents/flamegate-ca') as {
    data: { 'ca.crt': string };
  };
  return {
    ...{ port: ingest.port, ca: published.data['ca.crt'], api, view, store, registry, clock, settings },
    logged: () => lines.join(''),
    async stop() {
      await ingest.stop();
      store.close();
      rmSync(directory, { recursive: true });
    },
  };
}

export const aFreshBatch = (nowMs: number, fields: Partial<Batch> = {}): Batch =>
  aBatch({
    ...{ startMs: nowMs - 12_000, endMs: nowMs - 2_000, sequence: 1_000 },
    pods: [aPodWindow({ podUid: 'uid-orders-1', startedAtMs: nowMs - 600_000, served: SERVED })],
    ...fields,
  });

const TRACED = { traceId: '0af7651916cd43dd8448eb211c80319c', latencyNs: 30_000_000 };
const ROW = { method: 'GET', route: '/orders', unreadNs: 0, stoppedNs: 0, stopsKnown: 0, waited: [] };
const SERVED: NonNullable<Batch['pods'][number]['served']> = {
  ...{ otherSamples: 0, otherWaitedNs: 0 },
  rows: [
    { ...ROW, speed: 'slow', requests: 1, latencyNs: 30_000_000, samples: [[0, 1]], slowest: TRACED },
    { ...ROW, speed: 'normal', requests: 20, latencyNs: 40_000_000, samples: [[1, 1]] },
  ],
};

const aReport = (nowMs: number): RegressionReport => ({
  ...{ apiVersion: API_VERSION, kind: 'RegressionReport', metadata: metadata('orders-cpu-1') },
  spec: {
    ...{ gate: 'orders-cpu', gateGeneration: 1, baselineHash: 'aaa', canaryHash: 'bbb', attempt: 1 },
    images: { baseline: [], canary: [] },
  },
  status: {
    ...{ verdict: 'Failed', startedAt: new Date(nowMs - 60_000).toISOString() },
    message: 'secretOfShop takes more CPU',
  },
});
