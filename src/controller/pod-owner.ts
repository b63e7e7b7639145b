/** Which workload a pod belongs to: the Deployment behind a ReplicaSet, else the pod's controller. Pure. */
import type { KubernetesObject, V1OwnerReference, V1Pod, V1ReplicaSet } from '@kubernetes/client-node';
import type { Workload } from '../wire/assignment.ts';

/** Of each ReplicaSet, by its UID, who owns it. */
export type ReplicaSetOwners = ReadonlyMap<string, Workload>;

export function replicaSetOwners(replicaSets: readonly V1ReplicaSet[]): ReplicaSetOwners {
  const owners = new Map<string, Workload>();
  for (const set of replicaSets) {
    const owner = controllerOf(set);
    if (owner !== undefined) owners.set(set.metadata?.uid ?? '', { kind: owner.kind, name: owner.name });
  }
  return owners;
}

/** Undefined of a pod that nothing owns. */
export function workloadOf(pod: V1Pod, owners: ReplicaSetOwners): Workload | undefined {
  const owner = controllerOf(pod);
  if (owner === undefined) return undefined;
  const above = owner.kind === 'ReplicaSet' ? owners.get(owner.uid) : undefined;
  return above ?? { kind: owner.kind, name: owner.name };
}

const controllerOf = ({ metadata }: KubernetesObject): V1OwnerReference | undefined =>
  metadata?.ownerReferences?.find(({ controller }) => controller === true);
