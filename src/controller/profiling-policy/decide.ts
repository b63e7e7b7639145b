/**
 * A policy's status from what was seen. Pure.
 *
 * Pods                                              → Ready
 * no namespace is selected                          → False   NoNamespaceSelected
 * the selector matches none                         → False   NoPodsSelected
 * all are profiled by other policies                → False   Conflicted
 * at least one is profiled                          → True    Profiling
 * none, and an agent is missing                     → False   AgentsMissing
 * none, and no agent has reported any of them       → Unknown WaitingForAgents
 * none, and every container runs without a JVM      → False   NoJvm
 * none, for another reason                          → False   that reason: AttachFailed, ContainerNotRunning, …
 *
 * Conflicted while it selects pods that another policy profiles; Capped while it asks for more than the install allows.
 * Reconciling while something is about to change by itself; Stalled when only a human can go on.
 */
import type { ClusterProfilingPolicyStatus } from '../../crds/cluster-profiling-policy.ts';
import type { PolicyReasons } from '../../crds/condition-types.ts';
import { type Injection, MAX_INJECTIONS, type ProfilingPolicyStatus } from '../../crds/profiling-policy.ts';
import { type Condition, removeCondition, setCondition } from '../../kube/conditions.ts';
import { selectorText } from '../../kube/label-selector.ts';
import { capsOf } from '../settings/policy-limits.ts';
import { conflictOf, overruledPods } from './conflicts.ts';
import { agentsReady, overheadOf } from './decide-agents.ts';
import { creationStatusOf, flagsAtCreation } from './decide-creation.ts';
import { flagsInjected } from './decide-flags.ts';
import type { Observed } from './gather.ts';
import { liveFlags } from './live-flags.ts';
import { type PolicyRow, rowsOf } from './policy-rows.ts';
import { isOfCluster } from './precedence.ts';
import { sinksReady } from './sinks-ready.ts';
import { isProfiled } from './workload-rows.ts';

export interface Finding<Reason extends string = string> {
  readonly status: Condition['status'];
  readonly reason: Reason;
  readonly message: string;
}

/** What became of the JVM flags. */
export type FlagsFinding = Finding<PolicyReasons['FlagsInjected']>;

/** Of either kind; only that of a cluster's policy counts namespaces. */
export type PolicyStatus = Omit<ProfilingPolicyStatus, 'injections'> &
  Pick<ClusterProfilingPolicyStatus, 'namespaces'> & {
    injections?: (Injection & { readonly namespace?: string })[];
  };

export interface Decision {
  readonly status: PolicyStatus & { readonly conditions: Condition[] };
  readonly requeueAfterMs: number;
}

/** While nothing is profiled, Ready has the reason of a workload, which its agent gave. */
type Findings = Readonly<Record<'Ready', Finding>> & {
  readonly [Type in Exclude<keyof PolicyReasons, 'Ready'>]: Finding<PolicyReasons[Type]> | undefined;
};

const SOON_MS = 5_000;
const LATER_MS = 30_000;

export function decide(observed: Observed): Decision {
  const { policy, namespaces, nowMs, pods, containers } = observed;
  const rows = rowsOf(observed);
  const agents = agentsReady(observed);
  const flags = flagsOf(observed);
  const ready = readyOf(observed, rows.seen, agents);
  const overhead = overheadOf(observed.agents, nowMs);
  const findings: Findings = {
    Ready: ready,
    Conflicted: conflictOf(observed),
    Capped: cappedOf(observed),
    Reconciling: reconcilingOf(ready, flags),
    Stalled: stalledOf(flags),
    AgentsReady: agents,
    FlagsInjected: flags,
    SinksReady: sinksReady(observed),
  };
  const injections = injectionsOf(observed);
  const profiledPods = new Set(containers.filter((one) => isProfiled(one, nowMs)).map(({ pod }) => pod));
  return {
    status: {
      observedGeneration: policy.metadata.generation,
      conditions: conditionsOf(observed, findings),
      ...(isOfCluster(policy) ? { namespaces: namespaces.length } : {}),
      selected: pods,
      profiled: profiledPods.size,
      workloads: rows.told.map((row) => withCreation(observed, row)),
      ...(injections.length === 0 ? {} : { injections: [...injections] }),
      ...(overhead === undefined ? {} : { overhead }),
    },
    requeueAfterMs: findings.Reconciling === undefined ? LATER_MS : SOON_MS,
  };
}

function flagsOf(observed: Observed): FlagsFinding {
  const { policy, containers, creation } = observed;
  if (policy.spec.jvm.flags.mode === 'Live') return liveFlags(containers);
  if (creation !== undefined) return flagsAtCreation(creation);
  const finding = flagsInjected(policy, observed.flags, observed.overruledDeployments);
  const still = new Set(containers.filter(({ hasFlags }) => hasFlags).map(({ pod }) => pod)).size;
  return finding.reason === 'NotRequested' && still > 0
    ? {
        ...finding,
        message: `${finding.message}; ${still} pods run with the flags until they are created anew`,
      }
    : finding;
}

/** What the API server finds at each creation of a Pod. */
function injectionsOf({ policy, creation }: Observed): NonNullable<PolicyStatus['injections']> {
  const all = (creation?.workloads ?? []).flatMap(({ namespace, injections }) =>
    injections.map((entry) => (isOfCluster(policy) ? { namespace, ...entry } : entry)),
  );
  return all.slice(0, MAX_INJECTIONS);
}

function withCreation({ creation }: Observed, row: PolicyRow): PolicyRow {
  const status = creation && creationStatusOf(creation.workloads, row);
  return status === undefined ? row : { ...row, creation: status };
}

function conditionsOf({ policy, nowMs }: Observed, findings: Findings): Condition[] {
  const observedGeneration = policy.metadata.generation;
  const conditions = Object.entries<Finding | undefined>(findings).reduce<readonly Condition[]>(
    (so, [type, finding]) =>
      finding === undefined
        ? removeCondition(so, type)
        : setCondition(so, { type, observedGeneration, ...finding }, nowMs),
    policy.status?.conditions ?? [],
  );
  return [...conditions];
}

function readyOf(observed: Observed, rows: readonly PolicyRow[], agents: Finding): Finding {
  const { policy, containers, nowMs } = observed;
  const nothing = nothingToProfile(observed);
  if (nothing !== undefined) return nothing;
  const pods = observed.pods - overruledPods(observed);
  const profiled = new Set(containers.filter((one) => isProfiled(one, nowMs)).map(({ pod }) => pod)).size;
  const troubled = rows.filter(({ reason }) => reason !== 'Profiled');
  if (profiled > 0) {
    const rest = troubled.filter(({ reason }) => reason !== 'NoJvm').map(rowText);
    const message = [`${profiled} of ${pods} pods are profiled`, ...rest].join('; ');
    return { status: 'True', reason: 'Profiling', message };
  }
  if (containers.length === 0) {
    const names = policy.spec.containers.join(', ');
    const message = `none of the ${pods} selected pods has a container ${names === '' ? 'that is no mesh proxy' : names}`;
    return { status: 'False', reason: 'ContainerNotFound', message };
  }
  const unreported = containers.every(({ state }) => state === undefined);
  if (unreported && agents.status === 'False') {
    return { status: 'False', reason: 'AgentsMissing', message: agents.message };
  }
  if (unreported && containers.some(({ running }) => running)) {
    const message = `no agent has reported any of the ${pods} selected pods yet`;
    return { status: 'Unknown', reason: 'WaitingForAgents', message };
  }
  const worst = troubled.find(({ reason }) => reason !== 'NoJvm') ?? troubled[0];
  return { status: 'False', reason: worst?.reason ?? 'NoJvm', message: troubled.map(rowText).join('; ') };
}

function nothingToProfile(observed: Observed): Finding | undefined {
  const { policy, namespaces, pods } = observed;
  if (isOfCluster(policy) && namespaces.length === 0) {
    const message = `no namespace matches ${selectorText(policy.spec.namespaceSelector)}`;
    return { status: 'False', reason: 'NoNamespaceSelected', message };
  }
  if (pods === 0) {
    const where = isOfCluster(policy)
      ? `the ${namespaces.length} namespaces selected`
      : `namespace ${policy.metadata.namespace}`;
    const message = `no pod in ${where} matches ${selectorText(policy.spec.podSelector)}`;
    return { status: 'False', reason: 'NoPodsSelected', message };
  }
  const conflict = overruledPods(observed) === pods ? conflictOf(observed) : undefined;
  return conflict && { status: 'False', reason: 'Conflicted', message: conflict.message };
}

function cappedOf({ policy, limits }: Observed): Finding<'InstallLimit'> | undefined {
  const caps = capsOf(policy.spec, limits);
  return caps.length === 0
    ? undefined
    : { status: 'True', reason: 'InstallLimit', message: `the install allows less: ${caps.join('; ')}` };
}

const rowText = ({ namespace, kind, name, container, message }: PolicyRow): string =>
  `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}, container ${container}: ${message}`;

function reconcilingOf(ready: Finding, flags: FlagsFinding): Finding<'Progressing'> | undefined {
  const waits = [ready, flags].find(
    ({ status, reason }) => status === 'Unknown' || reason === 'RollingOut' || reason === 'Starting',
  );
  return waits && { status: 'True', reason: 'Progressing', message: waits.message };
}

function stalledOf(flags: FlagsFinding): Finding<PolicyReasons['Stalled']> | undefined {
  const { reason, message } = flags;
  if (reason === 'Conflicted') return { status: 'True', reason: 'FlagsConflict', message };
  if (reason === 'Failed') return { status: 'True', reason: 'NotPermitted', message };
  return reason === 'AdmissionMissing' || reason === 'PodsFail'
    ? { status: 'True', reason, message }
    : undefined;
}
