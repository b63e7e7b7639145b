/** The workloads whose pods a policy of mode OnPodCreation gives flags to, and how far they have them. Reads the caches, asks nobody. */
import type { V1Container, V1Deployment, V1Pod } from '@kubernetes/client-node';
import type { AnyProfilingPolicy } from '../../crds/cluster-profiling-policy.ts';
import type { Injection } from '../../crds/profiling-policy.ts';
import type { InstalledAdmission } from '../pod-creation/installed-admission.ts';
import { replicaSetOwners, workloadOf } from '../pod-owner.ts';
import type { CreationMemory } from './creation-memory.ts';
import { containersOf, FLAG_VARIABLES, INJECT_ANNOTATION } from './flag-variables.ts';
import { type GatherFrom, isSame, livePods, namespacesOf } from './gather.ts';
import { evidenceOfPods } from './jvm-evidence.ts';
import { type CreationPlan, carriedIn, injectionsOf, planCreation } from './plan-creation.ts';
import { isOfCluster, policiesIn, policyOf } from './precedence.ts';

export interface ContainerCreation extends CreationPlan {
  readonly pods: number;
  /** Of them with our flags, by their creation or their template. */
  readonly withFlags: number;
  /** Made since it was in force, and yet without. */
  readonly takenOut: number;
}

export interface WorkloadCreation {
  readonly namespace: string;
  readonly kind: string;
  readonly name: string;
  readonly containers: readonly ContainerCreation[];
  readonly injections: readonly Injection[];
}

export interface CreationFrom extends GatherFrom {
  readonly memory: CreationMemory;
  readonly admission: InstalledAdmission;
  readonly nowMs: number;
}

/** API servers read a status within a second or two, and pods that were under way then are not meant. */
const SETTLED_MS = 60_000;
/** So often a container has to have ended, before its flags are blamed. */
const FAILED_STARTS = 3;
/** Restarts of a pod that has run for longer than this have other causes than what it was created with. */
const YOUNG_MS = 30 * 60_000;

export function gatherCreation(from: CreationFrom, policy: AnyProfilingPolicy): readonly WorkloadCreation[] {
  if (policy.spec.jvm.flags.mode !== 'OnPodCreation') return [];
  return namespacesOf(from.view, policy).flatMap((namespace) => inNamespace(from, policy, namespace));
}

function inNamespace(
  from: CreationFrom,
  policy: AnyProfilingPolicy,
  namespace: string,
): readonly WorkloadCreation[] {
  const { view } = from;
  const policies = policiesIn(view, namespace);
  const counts = (labels: Readonly<Record<string, string>> | undefined): boolean => {
    const counting = policyOf(labels, policies);
    return counting !== undefined && isSame(counting, policy);
  };
  const owners = replicaSetOwners(view.replicaSets(namespace));
  const deployments = view.deployments(namespace);
  const podsOf = Map.groupBy(
    livePods(view, namespace).filter(({ metadata }) => counts(metadata?.labels)),
    (pod) => {
      const { kind, name } = workloadOf(pod, owners) ?? { kind: 'Pod', name: pod.metadata?.name ?? '' };
      return `${kind}/${name}`;
    },
  );
  const withoutPods = deployments
    .filter(({ spec }) => counts(spec?.template.metadata?.labels))
    .map(({ metadata }) => `Deployment/${metadata?.name ?? ''}`);
  return [...new Set([...podsOf.keys(), ...withoutPods])].sort().map((id) => {
    const [kind = '', name = ''] = id.split('/');
    const deployment =
      kind === 'Deployment' ? deployments.find(({ metadata }) => metadata?.name === name) : undefined;
    const pods = podsOf.get(id) ?? [];
    return workloadIn(from, policy, { namespace, kind, name, pods, deployment });
  });
}

interface Found {
  readonly namespace: string;
  readonly kind: string;
  readonly name: string;
  readonly pods: readonly V1Pod[];
  readonly deployment: V1Deployment | undefined;
}

function workloadIn(from: CreationFrom, policy: AnyProfilingPolicy, found: Found): WorkloadCreation {
  const { namespace, kind, name, pods, deployment } = found;
  const { generation, uid } = policy.metadata;
  const newest = pods.toSorted((a, b) => createdMs(b) - createdMs(a))[0];
  const template = deployment === undefined ? newest : deployment.spec?.template;
  const { containers: named } = policy.spec;
  const keyOf = (container: string): string => `${uid}/${namespace}/${kind}/${name}/${container}`;
  const { admission } = from;
  const admittingSinceMs = admission.by === 'Nobody' ? Number.POSITIVE_INFINITY : admission.sinceMs;
  for (const container of containersThatFail(pods, from.nowMs))
    from.memory.stop(keyOf(container), generation, from.nowMs);
  const plans = planCreation(
    {
      kind,
      containers: deployment === undefined ? withoutOurs(newest) : containersOf(deployment),
      asked: template?.metadata?.annotations?.[INJECT_ANNOTATION],
      evidence: (container) => evidenceOfPods(from.reports, pods, container),
      carried: (container) => pods.flatMap((pod) => containerOf(pod, container).flatMap(carriedIn)),
      before: (container) => beforeOf(policy, found, container),
      stopped: (container) => from.memory.isStopped(keyOf(container), generation),
    },
    { named: new Set(named), everyJvm: named.length === 0 },
  );
  return {
    ...{ namespace, kind, name },
    injections: injectionsOf({ kind, name }, plans),
    containers: plans.map((plan) => {
      const sinceMs = from.memory.inForceSince(keyOf(plan.container), from.nowMs);
      const bothMs = Math.max(sinceMs, admittingSinceMs);
      return { ...plan, ...countsOf(pods, plan, bothMs) };
    }),
  };
}

function countsOf(pods: readonly V1Pod[], plan: CreationPlan, sinceMs: number) {
  const holding = pods.flatMap((pod) => containerOf(pod, plan.container).map((own) => ({ pod, own })));
  const without = holding.filter(({ own }) => carriedIn(own).length === 0);
  const mayHave = ({ pod, own }: (typeof holding)[number]): boolean =>
    plan.outcome === 'Injected' &&
    pod.metadata?.annotations?.[INJECT_ANNOTATION] !== 'false' &&
    createdMs(pod) - sinceMs > SETTLED_MS &&
    (own.envFrom?.length ?? 0) === 0 &&
    (plan.variables ?? FLAG_VARIABLES).some((variable) => !own.env?.some((item) => item.name === variable));
  return {
    pods: holding.length,
    withFlags: holding.length - without.length,
    takenOut: without.filter(mayHave).length,
  };
}

/** Containers of young pods that end again and again with our flags, while none with them is ready: they may not bear them. */
function containersThatFail(pods: readonly V1Pod[], nowMs: number): readonly string[] {
  const carrying = pods.flatMap((pod) =>
    (pod.spec?.containers ?? [])
      .filter((own) => carriedIn(own).length > 0)
      .map(({ name }) => {
        const status = pod.status?.containerStatuses?.find((one) => one.name === name);
        const failed = nowMs - createdMs(pod) < YOUNG_MS && (status?.restartCount ?? 0) >= FAILED_STARTS;
        return { name, failed, ready: status?.ready === true };
      }),
  );
  return [...Map.groupBy(carrying, ({ name }) => name)]
    .filter(([, all]) => all.some(({ failed }) => failed) && !all.some(({ ready }) => ready))
    .map(([name]) => name);
}

function beforeOf(policy: AnyProfilingPolicy, { namespace, kind, name }: Found, container: string) {
  const entries: readonly (Injection & { readonly namespace?: string })[] = policy.status?.injections ?? [];
  return entries.find(
    (entry) =>
      entry.kind === kind &&
      entry.name === name &&
      entry.container === container &&
      (!isOfCluster(policy) || entry.namespace === namespace),
  )?.variables;
}

const containerOf = ({ spec }: V1Pod, container: string): readonly V1Container[] =>
  (spec?.containers ?? []).filter(({ name }) => name === container);

/** As the template would be, as far as a pod shows it. */
const withoutOurs = (pod: V1Pod | undefined): readonly V1Container[] =>
  (pod?.spec?.containers ?? []).map((container) => {
    const ours: readonly string[] = carriedIn(container);
    return { ...container, env: (container.env ?? []).filter(({ name }) => !ours.includes(name)) };
  });

const createdMs = ({ metadata }: V1Pod): number => new Date(metadata?.creationTimestamp ?? 0).getTime();
