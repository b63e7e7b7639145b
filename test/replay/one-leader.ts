/** A leader as far as windows and gates are concerned: its own store, which is empty at first, ingest over TLS, and the gate's reconciler. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { rolloutActor } from '../../src/controller/acting/take-action.ts';
import { agentReports } from '../../src/controller/agent-reports-memory.ts';
import type { ClusterView } from '../../src/controller/cluster-view.ts';
import { startIngest } from '../../src/controller/ingest/start-ingest.ts';
import { lateWindows } from '../../src/controller/regression-gate/late-windows.ts';
import { regressionGateReconciler } from '../../src/controller/regression-gate/reconciler.ts';
import { NAMESPACE } from '../../src/controller/regression-gate/testing/a-cluster.ts';
import { windowSource } from '../../src/controller/regression-gate/window-source.ts';
import { toldNodes } from '../../src/controller/told-nodes.ts';
import { eventRecorder } from '../../src/kube/events.ts';
import { openStore, type WindowStore } from '../../src/store/window-store.ts';
import type { OneCluster } from './one-cluster.ts';

export interface OneLeader {
  readonly port: number;
  readonly ca: string;
  readonly store: WindowStore;
  /** One look at the gate. Returns the codes of what went wrong. */
  look(): Promise<readonly string[]>;
  /** That came after the verdict it found. */
  lateWindows(): number;
  /** Ends it, and leaves nonsense in the place of its database's pages. Returns the directory, for the next process of its pod. */
  endWithBrokenStore(): Promise<string>;
  /** The same one, that sees the cluster from now on as it is now. */
  frozen(): OneLeader;
  /** Its store goes with it. */
  stop(): Promise<void>;
}

export interface LeaderOptions {
  readonly now: () => number;
  /** By a clock that nobody sets. */
  readonly elapsed: () => number;
  readonly maxBytes?: number | undefined;
  /** Of an earlier process. */
  readonly directory?: string;
}

export async function oneLeader(
  cluster: OneCluster,
  { now, elapsed, maxBytes, ...earlier }: LeaderOptions,
): Promise<OneLeader> {
  const { client, view, api } = cluster;
  const directory = earlier.directory ?? mkdtempSync(join(tmpdir(), 'flamegate-leader-'));
  const path = join(directory, 'windows.sqlite');
  const store = openStore(path, { now, ...(maxBytes === undefined ? {} : { maxBytes }) });
  const told = toldNodes(store, now, elapsed);
  const agents = agentReports();
  const log = pino({ level: 'silent' });
  const config = { namespace: 'flamegate-system', agentsNamespace: 'flamegate-agents', httpsPort: 0 };
  const ingest = await startIngest({
    ...{ client, view, store, told, reports: agents, log, config },
    ...{ registry: new Registry(), isLeader: () => true, now },
  });
  const events = eventRecorder(client, {
    ...{ controller: 'flamegate.dev/test', instance: 'test', now },
    onError: (error) => {
      throw error;
    },
  });
  const published = api.objects.get('configmaps/flamegate-agents/flamegate-ca') as {
    data: { 'ca.crt': string };
  };
  const end = async (): Promise<void> => {
    await ingest.stop();
    await events.stop();
    store.close();
  };
  const seeing = (seen: ClusterView): OneLeader => {
    const late = lateWindows(store);
    const reconciler = regressionGateReconciler({
      ...{
        client,
        view: seen,
        store,
        source: windowSource({ store, now }),
        told,
        agents,
        events,
        late,
        actor: rolloutActor({ client, view: seen, count: () => undefined, now }),
        log,
        now,
      },
    });
    return {
      lateWindows: () => late.counts().get(`${NAMESPACE}/${seen.gates()[0]?.metadata.name}`) ?? 0,
      ...{ port: ingest.port, ca: published.data['ca.crt'], store },
      async look() {
        const [gate] = seen.gates();
        if (gate === undefined) return [];
        const key = `${NAMESPACE}/${gate.metadata.name}`;
        return reconciler.reconcile(key, gate, AbortSignal.timeout(30_000)).then(() => [], codeOf);
      },
      frozen: () => seeing(frozenView(view)),
      async endWithBrokenStore() {
        await end();
        writeNonsense(path);
        return directory;
      },
      async stop() {
        await end();
        rmSync(directory, { recursive: true });
      },
    };
  };
  return seeing(view);
}

const codeOf = (error: unknown): readonly string[] => [
  error instanceof Error && 'code' in error ? String(error.code) : String(error),
];

const PAGE_BYTES = 4096;

/** Over all pages but the first. */
function writeNonsense(path: string): void {
  const bytes = readFileSync(path);
  bytes.fill(0xa5, PAGE_BYTES);
  writeFileSync(path, bytes);
}

/** As it is now, for ever: of a process that has not been run for a while. */
function frozenView(view: ClusterView): ClusterView {
  const [pods, policies, gates] = [view.pods(), view.policies(), view.gates()];
  const [deployments, replicaSets, reports] = [
    view.deployments(NAMESPACE),
    view.replicaSets(NAMESPACE),
    view.reports(NAMESPACE),
  ];
  return {
    ...{ pods: () => pods, policies: () => policies, gates: () => gates, reports: () => reports },
    ...{ deployments: () => deployments, replicaSets: () => replicaSets },
    targets: (kind) => view.targets(kind, NAMESPACE),
    ...{ clusterPolicies: () => [], namespaces: () => [], namespaceLabels: () => ({}) },
    ...{ synced: () => true, onChange: () => () => undefined },
  };
}
