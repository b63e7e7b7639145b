/**
 * A gate that acts, on a real API server, with the real caches and reconciler. What it does to workloads it does as an account that has no
 * other rights than a test gives it. Pods are never scheduled: a test says that they run, and writes the verdicts that windows would bring.
 */
import assert from 'node:assert/strict';
import { mkdtempDisposableSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { pino } from 'pino';
import { rolloutActor } from '../../../src/controller/acting/take-action.ts';
import { agentReports } from '../../../src/controller/agent-reports-memory.ts';
import { type InformedClusterView, startClusterView } from '../../../src/controller/informed-cluster-view.ts';
import type { Reconciler } from '../../../src/controller/operator-base.ts';
import { lateWindows } from '../../../src/controller/regression-gate/late-windows.ts';
import { regressionGateReconciler } from '../../../src/controller/regression-gate/reconciler.ts';
import { windowSource } from '../../../src/controller/regression-gate/window-source.ts';
import { toldNodes } from '../../../src/controller/told-nodes.ts';
import type { RegressionGate } from '../../../src/crds/regression-gate.ts';
import type { RegressionReport } from '../../../src/crds/regression-report.ts';
import { API_VERSION } from '../../../src/crds/schema.ts';
import { kubeClient } from '../../../src/kube/client.ts';
import { eventRecorder } from '../../../src/kube/events.ts';
import { isKubeError } from '../../../src/kube/kube-error.ts';
import { openStore } from '../../../src/store/window-store.ts';
import { eventually } from '../../cluster/cluster.ts';
import { client, kubeConfig } from './api-server.ts';
import { kubeconfigWith, tokenOf } from './installed-controller.ts';
import { patch } from './played-workloads.ts';

export interface ActingGate {
  /** Looks at the gate until it says so; returns it. */
  untilSays(
    what: string,
    isSo: (status: NonNullable<RegressionGate['status']>) => boolean,
  ): Promise<RegressionGate>;
  /** So many looks, for what must not happen. */
  look(times: number): Promise<void>;
  /** A look whose cache has the gate so, as it was. */
  lookBehind(gate: RegressionGate): Promise<void>;
  /** Of the pair that is open. */
  verdict(verdict: 'Passed' | 'Failed' | 'Inconclusive'): Promise<void>;
  /** Another process leads from now on. */
  restart(): void;
  moveAhead(ms: number): void;
  stop(): Promise<void>;
}

const LOOKS_S = 60;

/** `account`: in the namespace of the gate; it does what the gate asks for. */
export async function actingGate(namespace: string, name: string, account: string): Promise<ActingGate> {
  await using begun = new AsyncDisposableStack();
  const directory = begun.use(mkdtempDisposableSync(join(tmpdir(), 'flamegate-acting-'))).path;
  let aheadMs = 0;
  const now = () => Date.now() + aheadMs;
  const store = openStore(join(directory, 'windows.db'), { now });
  begun.defer(() => store.close());
  const events = eventRecorder(client, {
    ...{ controller: 'flamegate.dev/test', instance: 'test', now: Date.now },
    onError: (error) => assert.fail(String(error)),
  });
  begun.defer(() => events.stop());
  const view: InformedClusterView = startClusterView({
    ...{ kubeConfig, client, agentsNamespace: namespace, agentName: 'flamegate-agent' },
    ...{ onObject: () => undefined, onError: () => undefined },
  });
  begun.defer(() => view.stop());
  await eventually('caches are filled', LOOKS_S, () => view.synced() || undefined);
  const acting = new KubeConfig();
  acting.loadFromString(kubeconfigWith(await tokenOf(namespace, account)));
  const aReconciler = (): Reconciler<RegressionGate> =>
    regressionGateReconciler({
      ...{ client, view, store, events, now, agents: agentReports(), log: pino({ level: 'silent' }) },
      ...{ source: windowSource({ store, now }), told: toldNodes(store, now), late: lateWindows(store) },
      actor: rolloutActor({ client: kubeClient(acting), view, count: () => undefined, now }),
    });
  let reconciler = aReconciler();
  /** As the queue does: an object that is newer than what was read is looked at again. */
  const look = async (gate = view.gate(namespace, name)): Promise<void> => {
    try {
      await reconciler.reconcile(`${namespace}/${name}`, gate, AbortSignal.timeout(30_000));
    } catch (error) {
      if (!isKubeError(error, 'KUBE_CONFLICT')) throw error;
    }
  };
  const gates = { apiVersion: API_VERSION, plural: 'regressiongates', namespace, name };
  const untilSays: ActingGate['untilSays'] = async (what, isSo) => {
    const seen: { last?: unknown } = {};
    return eventually(`the gate says ${what}`, LOOKS_S, async () => {
      await look();
      const gate = await client.get<RegressionGate>(gates);
      seen.last = gate?.status;
      return gate?.status !== undefined && isSo(gate.status) ? gate : undefined;
    }).catch((error: unknown) => assert.fail(`${String(error)}: it says ${JSON.stringify(seen.last)}`));
  };
  const running = begun.move();
  return {
    untilSays,
    async look(times) {
      for (let done = 0; done < times; done++) await look();
    },
    lookBehind: look,
    async verdict(verdict) {
      const { status } = await untilSays('that it compares', (each) => each.verdict === 'Collecting');
      const report = { ...gates, plural: 'regressionreports', name: status?.evaluation?.report ?? '' };
      const at = new Date(now()).toISOString();
      const said: RegressionReport['status'] = {
        verdict,
        reason: 'FunctionGrew',
        message: 'as tested',
        decidedAt: at,
      };
      await client.request(
        'PATCH',
        `/apis/${API_VERSION}/namespaces/${namespace}/regressionreports/${report.name}/status`,
        { status: said },
        'application/merge-patch+json',
      );
    },
    restart() {
      reconciler = aReconciler();
    },
    moveAhead(ms) {
      aheadMs += ms;
    },
    stop: () => running.disposeAsync(),
  };
}

export const setSpec = (namespace: string, name: string, spec: object): Promise<unknown> =>
  patch({ apiVersion: API_VERSION, plural: 'regressiongates', namespace, name }, { spec });
