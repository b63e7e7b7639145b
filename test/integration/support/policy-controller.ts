/** The controller's half for policies and agents, without ingest and lease, looking at the test's own namespaces only. */
import type { KubernetesObject } from '@kubernetes/client-node';
import { agentReports } from '../../../src/controller/agent-reports-memory.ts';
import { agentsReconciler } from '../../../src/controller/agents/reconciler.ts';
import type { ClusterView } from '../../../src/controller/cluster-view.ts';
import { startClusterView } from '../../../src/controller/informed-cluster-view.ts';
import { controllerMetrics } from '../../../src/controller/metrics.ts';
import { parseKey, ReconcilingOperator } from '../../../src/controller/operator-base.ts';
import { installedAdmission } from '../../../src/controller/pod-creation/installed-admission.ts';
import { policyReconcilers } from '../../../src/controller/profiling-policy/reconciler.ts';
import type { PolicyLimits } from '../../../src/controller/settings/policy-limits.ts';
import { wakeUps } from '../../../src/controller/wake-up.ts';
import { eventRecorder } from '../../../src/kube/events.ts';
import { eventually } from '../../cluster/cluster.ts';
import { client, kubeConfig } from './api-server.ts';
import { startReportingAgent } from './reporting-agent.ts';

const LIMITS: PolicyLimits = { maxFrequencyHz: 199, maxRaisedFrequencyHz: 199, maxAgentCpu: '5%' };

export interface PolicyController {
  /** Reconciles that failed and were tried again. */
  readonly failures: readonly unknown[];
  readonly view: ClusterView;
  stop(): Promise<void>;
}

export async function startPolicyController(
  namespaces: readonly string[],
  agentsNamespace: string,
): Promise<PolicyController> {
  const failures: unknown[] = [];
  const log = {
    debug: () => undefined,
    info: () => undefined,
    warn: (fields: object) => void failures.push(fields),
  };
  const metrics = controllerMetrics();
  const fieldManager = 'flamegate';
  const operator = new ReconcilingOperator({ kubeConfig, client, fieldManager, metrics, log, now: Date.now });
  const events = eventRecorder(client, {
    controller: 'flamegate.dev/test',
    instance: 'test',
    now: Date.now,
    onError: (error) => failures.push(error),
  });
  const ours = [...namespaces, agentsNamespace];
  const wake = (object: KubernetesObject): void => {
    for (const { resource, key } of wakeUps(object, { view, agentsNamespace })) {
      // A policy of the cluster has no namespace; whoever makes one selects namespaces of the test's own.
      if (['', ...ours].includes(parseKey(key).namespace)) operator.enqueueSoon(resource, key);
    }
  };
  const view = startClusterView({
    kubeConfig,
    client,
    agentsNamespace,
    agentName: 'flamegate-agent',
    onObject: wake,
    onError: (_resource, error) => failures.push(error),
  });
  const reports = agentReports();
  const reconcilers = policyReconcilers({
    client,
    view,
    reports,
    events,
    fieldManager,
    count: metrics.injection,
    finalize: (object, finalizer, cleanUp) => operator.finalize(object, finalizer, cleanUp),
    admission: installedAdmission(client, Date.now, 500),
    limits: () => LIMITS,
    sinks: () => [],
    now: Date.now,
  });
  operator.add(reconcilers.ofNamespace, (namespace, name) => view.policy(namespace, name));
  operator.add(reconcilers.ofCluster, (_, name) => view.clusterPolicy(name));
  const ownPolicies = {
    ...view,
    policies: () => namespaces.flatMap((namespace) => view.policies(namespace)),
    clusterPolicies: () => [],
  };
  operator.add(agentsReconciler({ client, view: ownPolicies, agentsNamespace, fieldManager, log }), () =>
    view.agentTemplate(),
  );
  await eventually('filled caches', 30, () => view.synced() || undefined);
  await operator.start();
  const agent = startReportingAgent({ view, reports, namespaces });
  return {
    ...{ failures, view },
    async stop() {
      agent.stop();
      await operator.shutdown();
      await events.stop();
      await view.stop();
    },
  };
}
