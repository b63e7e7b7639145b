/**
 * What a Pod gets at its creation by the policy that counts for it: admission-policies.ts in TypeScript, for API servers that have no
 * MutatingAdmissionPolicy. It reads the policy's status, as they do, so that both give the same whoever is asked. Pure.
 */
import type { V1Container, V1Pod } from '@kubernetes/client-node';
import type { AnyProfilingPolicy } from '../../crds/cluster-profiling-policy.ts';
import type { FlagVariable, Injection } from '../../crds/profiling-policy.ts';
import {
  envOf,
  FLAG_LINE,
  FLAG_VARIABLES,
  INJECT_ANNOTATION,
  valueHasTheFlags,
} from '../profiling-policy/flag-variables.ts';
import { isOfCluster, policyWants } from '../profiling-policy/precedence.ts';

/** Of RFC 6902. */
export interface AddOperation {
  readonly op: 'add';
  readonly path: string;
  readonly value: unknown;
}

export function injectionInto(
  pod: V1Pod,
  namespace: string,
  policy: AnyProfilingPolicy,
): readonly AddOperation[] {
  const asked = pod.metadata?.annotations?.[INJECT_ANNOTATION];
  if (policy.spec.jvm.flags.mode !== 'OnPodCreation' || asked === 'false') return [];
  const workload = workloadNamed(pod);
  const entries: readonly (Injection & { readonly namespace?: string })[] = policy.status?.injections ?? [];
  const known = entries.filter(
    (entry) =>
      `${entry.kind}/${entry.name}` === workload && (!isOfCluster(policy) || entry.namespace === namespace),
  );
  const freeIn = ({ name }: V1Container): readonly FlagVariable[] => {
    const entry = known.find(({ container }) => container === name);
    if (entry !== undefined) return entry.variables;
    return asked === 'true' && policyWants(policy, name) ? FLAG_VARIABLES : [];
  };
  return (pod.spec?.containers ?? []).flatMap((container, index) => {
    const hasFlags = FLAG_VARIABLES.some((variable) => valueHasTheFlags(envOf(container, variable)));
    if (hasFlags || (container.envFrom?.length ?? 0) > 0) return [];
    const free = freeIn(container);
    const variable = FLAG_VARIABLES.find(
      (each) => free.includes(each) && envOf(container, each) === undefined,
    );
    return variable === undefined ? [] : [operation(container, index, variable)];
  });
}

function operation({ env }: V1Container, index: number, variable: FlagVariable): AddOperation {
  const item = { name: variable, value: FLAG_LINE };
  const path = `/spec/containers/${index}/env`;
  return env === undefined
    ? { op: 'add', path, value: [item] }
    : { op: 'add', path: `${path}/-`, value: item };
}

/** A ReplicaSet is named by its workload and the hash of the template. */
function workloadNamed({ metadata }: V1Pod): string {
  const owner = metadata?.ownerReferences?.find(({ controller }) => controller === true);
  if (owner === undefined) return '';
  const ofRollout = metadata?.labels?.['rollouts-pod-template-hash'];
  const hash = ofRollout ?? metadata?.labels?.['pod-template-hash'] ?? '';
  if (hash === '' || owner.kind !== 'ReplicaSet' || !owner.name.endsWith(`-${hash}`)) {
    return `${owner.kind}/${owner.name}`;
  }
  const name = owner.name.slice(0, -hash.length - 1);
  return `${ofRollout === undefined ? 'Deployment' : 'Rollout'}/${name}`;
}
