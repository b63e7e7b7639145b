/**
 * What the pods of one workload get at their creation, by mode OnPodCreation. Pure.
 *
 * A container of the template                                 → becomes
 * 1 named by the policy, not there                            → ContainerNotFound
 * 2 not named, and a known mesh proxy                         → left out
 * 3 its pods ended again and again while they had the flags   → PodsFail, nothing any more
 * 4 the template's own value has the flags already            → SetByUser
 * 5 agents say it runs no JVM                                 → NoJvm
 * 6 the pods are asked to be left alone                       → OptedOut
 * 7 its workload makes no more pods                           → NotMadeAgain
 * 8 envFrom is used                                           → EnvFromMayHideVariable, with the line to paste
 * 9 its image sets whatever its JVM reads                     → EnvOwnedByUser, with the line to paste
 * 10 neither variable is known to be free in its image        → WaitingForAgents; Injected where the pods ask for it all the same
 * 11 the template sets each that is                           → EnvOwnedByUser, with the line to paste
 * 12 otherwise                                                → Injected, from the next creation on
 *
 * A variable is known to be free once an agent saw a JVM of the workload without it, of any image: a canary is of a new image, and would
 * never have the flags its baseline has. It stays known while it carries our flags, since then nobody sees what the image has.
 */
import type { V1Container } from '@kubernetes/client-node';
import type { Injection } from '../../crds/profiling-policy.ts';
import {
  envOf,
  FLAG_LINE,
  FLAG_VARIABLES,
  type FlagVariable,
  isMeshProxy,
  valueHasTheFlags,
} from './flag-variables.ts';
import type { JvmEvidence } from './jvm-evidence.ts';
import { adviceOnEnvFrom, adviceOnTaken, type Wanted } from './plan-injection.ts';

export type CreationOutcome =
  | 'Injected'
  | 'SetByUser'
  | 'OptedOut'
  | 'NotMadeAgain'
  | 'PodsFail'
  | 'NoJvm'
  | 'WaitingForAgents'
  | 'EnvFromMayHideVariable'
  | 'EnvOwnedByUser'
  | 'ContainerNotFound';

export interface CreationPlan {
  readonly container: string;
  readonly outcome: CreationOutcome;
  /** What to do by hand, when we may not. */
  readonly advice?: string;
  /** What the API server shall know of it; undefined: nothing is known. */
  readonly variables?: readonly FlagVariable[];
}

export interface WorkloadSeen {
  readonly kind: string;
  /** Of its template, without what was injected; of its newest pod, where no template is known. */
  readonly containers: readonly V1Container[];
  /** Value of the annotation on its pods. */
  readonly asked: string | undefined;
  readonly evidence: (container: string) => JvmEvidence;
  /** Variables in which live pods have our flags. */
  readonly carried: (container: string) => readonly FlagVariable[];
  /** What was known before. */
  readonly before: (container: string) => readonly FlagVariable[] | undefined;
  readonly stopped: (container: string) => boolean;
}

/** Whose controllers make a pod anew when one goes, by the names that admission-policies.ts can tell. */
const MAKE_PODS_AGAIN: ReadonlySet<string> = new Set([
  'Deployment',
  'ReplicaSet',
  'StatefulSet',
  'DaemonSet',
  'Rollout',
]);

export function planCreation(workload: WorkloadSeen, { named, everyJvm }: Wanted): readonly CreationPlan[] {
  const { containers } = workload;
  const missing = [...named].filter((name) => !containers.some((container) => container.name === name));
  return [
    ...containers
      .filter(({ name }) => named.has(name) || (everyJvm && !isMeshProxy(name)))
      .map((container) => planContainer(workload, container)),
    ...missing.map((container): CreationPlan => ({ container, outcome: 'ContainerNotFound' })),
  ];
}

/** The entries of the policy's status. */
export const injectionsOf = (
  { kind, name }: { readonly kind: string; readonly name: string },
  plans: readonly CreationPlan[],
): readonly Injection[] =>
  MAKE_PODS_AGAIN.has(kind)
    ? plans.flatMap(({ container, variables }) =>
        variables === undefined ? [] : [{ kind, name, container, variables: [...variables] }],
      )
    : [];

function planContainer(workload: WorkloadSeen, container: V1Container): CreationPlan {
  const { kind, asked, stopped } = workload;
  const { name } = container;
  if (stopped(name)) return { container: name, outcome: 'PodsFail', variables: [] };
  const evidence = workload.evidence(name);
  const free = freeVariables(workload, name, evidence);
  const known = free === undefined ? {} : { variables: free };
  const as = (outcome: CreationOutcome, advice?: string): CreationPlan => ({
    ...{ container: name, outcome, ...known },
    ...(advice === undefined ? {} : { advice }),
  });
  if (FLAG_VARIABLES.some((variable) => valueHasTheFlags(envOf(container, variable)))) return as('SetByUser');
  if (evidence.jvm === 'NoJvm') return { ...as('NoJvm'), variables: free ?? [] };
  if (asked === 'false') return as('OptedOut');
  if (!MAKE_PODS_AGAIN.has(kind) && asked !== 'true') return as('NotMadeAgain');
  if ((container.envFrom?.length ?? 0) > 0) return as('EnvFromMayHideVariable', adviceOnEnvFrom());
  const readable = readableVariables(evidence);
  if (free?.length === 0) return as('EnvOwnedByUser', adviceOnTaken(container, readable));
  if (free === undefined && asked !== 'true') return as('WaitingForAgents');
  const isTaken = (free ?? FLAG_VARIABLES).every((variable) => envOf(container, variable) !== undefined);
  return isTaken ? as('EnvOwnedByUser', adviceOnTaken(container, readable)) : as('Injected');
}

const readableVariables = ({ jdk = 9 }: JvmEvidence): readonly FlagVariable[] =>
  FLAG_VARIABLES.filter((variable) => variable === 'JAVA_TOOL_OPTIONS' || jdk >= 9);

/** Undefined while it is known of none whether the image sets it. */
function freeVariables(
  { before, carried }: WorkloadSeen,
  container: string,
  evidence: JvmEvidence,
): readonly FlagVariable[] | undefined {
  const remembered = [...(before(container) ?? []), ...carried(container)];
  const isFree = (variable: FlagVariable): boolean =>
    evidence.imageSets[variable] === false ||
    (evidence.imageSets[variable] === undefined && remembered.includes(variable));
  const free = readableVariables(evidence).filter(isFree);
  const allTaken = readableVariables(evidence).every((variable) => evidence.imageSets[variable] === true);
  return free.length > 0 || allTaken ? free : undefined;
}

/** The variables in which a pod's container has our flags, by its creation or by its template. */
export const carriedIn = (container: V1Container): readonly FlagVariable[] =>
  FLAG_VARIABLES.filter((variable) => envOf(container, variable)?.value === FLAG_LINE);
