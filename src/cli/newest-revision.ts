/** The hash of the revision that a workload is rolling out, for who waits for a gate and does not know it: hooks whose text comes from git. */
import { TARGET_KINDS } from '../crds/target-kinds.ts';
import { type KubeClient, pathOf } from '../kube/client.ts';
import { CliError } from './cli-error.ts';

export const REVISION_KINDS = ['Deployment', 'StatefulSet', 'Rollout'] as const;

export interface WorkloadName {
  readonly kind: (typeof REVISION_KINDS)[number];
  readonly name: string;
}

interface Workload {
  readonly metadata: { readonly uid: string; readonly generation: number };
  readonly status?: {
    /** A number, but a text of Argo Rollouts. */
    readonly observedGeneration?: number | string;
    readonly updateRevision?: string;
    readonly currentPodHash?: string;
  };
}

interface ReplicaSet {
  readonly metadata: {
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly ownerReferences?: readonly { readonly uid: string }[];
  };
}

/** Undefined while its controller has not seen the newest template: what it says then is of the one before. */
export async function newestRevision(
  client: KubeClient,
  namespace: string,
  { kind, name }: WorkloadName,
): Promise<string | undefined> {
  const workload = await client.get<Workload>({ ...TARGET_KINDS[kind], namespace, name });
  if (workload === undefined) {
    throw new CliError('WORKLOAD_NOT_FOUND', `no ${kind} ${name} in namespace ${namespace}`);
  }
  const { metadata, status } = workload;
  if (Number(status?.observedGeneration ?? 0) < metadata.generation) return undefined;
  switch (kind) {
    case 'StatefulSet':
      return status?.updateRevision;
    case 'Rollout':
      return status?.currentPodHash;
    case 'Deployment':
      return newestTemplateHash(await replicaSetsIn(client, namespace), metadata.uid);
  }
}

async function replicaSetsIn(client: KubeClient, namespace: string): Promise<readonly ReplicaSet[]> {
  const path = pathOf({ apiVersion: 'apps/v1', plural: 'replicasets', namespace });
  return (await client.request<{ readonly items: readonly ReplicaSet[] }>('GET', path)).items;
}

function newestTemplateHash(sets: readonly ReplicaSet[], uid: string): string | undefined {
  const revisionOf = ({ metadata }: ReplicaSet): number =>
    Number(metadata.annotations?.['deployment.kubernetes.io/revision'] ?? 0);
  const [newest] = sets
    .filter(({ metadata }) => metadata.ownerReferences?.some((owner) => owner.uid === uid))
    .toSorted((a, b) => revisionOf(b) - revisionOf(a));
  return newest?.metadata.labels?.['pod-template-hash'];
}
