/** A leader as far as windows and gates are concerned: its own store, which is empty at first, ingest over TLS, and the gate's reconciler. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { agentReports } from '../../src/controller/agent-reports-memory.ts';
import { startIngest } from '../../src/controller/ingest/start-ingest.ts';
import { regressionGateReconciler } from '../../src/controller/regression-gate/reconciler.ts';
import { NAMESPACE } from '../../src/controller/regression-gate/testing/a-cluster.ts';
import { toldNodes } from '../../src/controller/told-nodes.ts';
import { eventRecorder } from '../../src/kube/events.ts';
import { openStore, type StoreOptions, type WindowStore } from '../../src/store/window-store.ts';
import type { OneCluster } from './one-cluster.ts';

export interface OneLeader {
  readonly port: number;
  readonly ca: string;
  readonly store: WindowStore;
  /** One look at the gate. */
  look(): Promise<void>;
  /** Its store goes with it. */
  stop(): Promise<void>;
}

export async function oneLeader(
  cluster: OneCluster,
  now: () => number,
  limits: Omit<StoreOptions, 'now'> = {},
): Promise<OneLeader> {
  const { client, view, api } = cluster;
  const directory = mkdtempSync(join(tmpdir(), 'flamegate-leader-'));
  const store = openStore(join(directory, 'windows.sqlite'), { now, ...limits });
  const told = toldNodes(store, now, now); // in the test's time alone
  const agents = agentReports();
  const log = pino({ level: 'silent' });
  const config = { namespace: 'flamegate-system', agentsNamespace: 'flamegate-agents', httpsPort: 0 };
  const ingest = await startIngest({
    ...{ client, view, store, told, reports: agents, log, now, config },
    ...{ registry: new Registry(), isLeader: () => true },
  });
  const events = eventRecorder(client, {
    ...{ controller: 'flamegate.dev/test', instance: 'test', now },
    onError: (error) => {
      throw error;
    },
  });
  const reconciler = regressionGateReconciler({ client, view, store, told, agents, events, log, now });
  const published = api.objects.get('configmaps/flamegate-agents/flamegate-ca') as {
    data: { 'ca.crt': string };
  };
  return {
    ...{ port: ingest.port, ca: published.data['ca.crt'], store },
    async look() {
      const gate = cluster.gate();
      await reconciler.reconcile(`${NAMESPACE}/${gate.metadata.name}`, gate, AbortSignal.timeout(30_000));
    },
    async stop() {
      await ingest.stop();
      await events.stop();
      store.close();
      rmSync(directory, { recursive: true });
    },
  };
}
