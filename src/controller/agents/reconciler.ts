/** The agents: one DaemonSet for the whole cluster, there while at least one policy of either kind is. */
import type { KubernetesObject, V1DaemonSet, V1PodTemplate } from '@kubernetes/client-node';
import type { KubeClient, ObjectRef } from '../../kube/client.ts';
import type { InformedClusterView } from '../informed-cluster-view.ts';
import type { Reconciler, WatchedResource } from '../operator-base.ts';
import { isInForce } from '../profiling-policy/precedence.ts';
import { AGENT_NAME, daemonSetOf, planDaemonSet } from './plan-daemon-set.ts';

export const POD_TEMPLATES: WatchedResource = {
  apiVersion: 'v1',
  plural: 'podtemplates',
  kind: 'PodTemplate',
};

export interface AgentsReconcilerOptions {
  readonly client: KubeClient;
  readonly view: Pick<InformedClusterView, 'policies' | 'clusterPolicies' | 'agentDaemonSet'>;
  readonly agentsNamespace: string;
  readonly fieldManager: string;
  readonly log: { info(fields: object, message: string): void };
}

export class AgentsError extends Error {
  readonly code = 'AGENTS_ACCOUNT_MISSING';
}

/** Has one key only: `<agents' namespace>/flamegate-agent`. */
export function agentsReconciler(options: AgentsReconcilerOptions): Reconciler<V1PodTemplate> {
  const { client, view, agentsNamespace: namespace, fieldManager, log } = options;
  const daemonSet: ObjectRef = { apiVersion: 'apps/v1', plural: 'daemonsets', namespace, name: AGENT_NAME };
  let writtenGeneration: number | undefined;
  return {
    resource: POD_TEMPLATES,
    async reconcile(_key, template) {
      const inForce = [...view.policies(), ...view.clusterPolicies()].filter(isInForce);
      const action = planDaemonSet({
        policiesInForce: inForce.length,
        template,
        daemonSet: view.agentDaemonSet(),
        writtenGeneration,
      });
      if (action === 'delete') {
        await client.delete(daemonSet);
        log.info({ namespace }, 'agents removed: the last policy is gone');
      }
      if (action === 'apply' && template !== undefined) {
        const wanted = daemonSetOf(template, await accountUid(client, namespace));
        const applied = await client.apply<V1DaemonSet>(daemonSet, wanted, { fieldManager, force: true });
        writtenGeneration = applied.metadata?.generation;
        log.info({ namespace, generation: writtenGeneration }, 'agents applied');
      }
      return undefined;
    },
  };
}

async function accountUid(client: KubeClient, namespace: string): Promise<string> {
  const ref = { apiVersion: 'v1', plural: 'serviceaccounts', namespace, name: AGENT_NAME };
  const account = await client.get<KubernetesObject>(ref);
  const uid = account?.metadata?.uid;
  if (uid === undefined) {
    throw new AgentsError(
      `AGENTS_ACCOUNT_MISSING: ServiceAccount ${AGENT_NAME} is not in namespace ${namespace}: it owns the agents’ DaemonSet`,
    );
  }
  return uid;
}
