/** Policies of both kinds: gather → decide → apply, and the flags of their namespaces' Deployments on the way. */
import type { V1DaemonSet } from '@kubernetes/client-node';
import {
  type AnyProfilingPolicy,
  type ClusterProfilingPolicy,
  clusterProfilingPolicyKind,
} from '../../crds/cluster-profiling-policy.ts';
import { type ProfilingPolicy, profilingPolicyKind } from '../../crds/profiling-policy.ts';
import { API_VERSION, type Kind } from '../../crds/schema.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { EventRecorder } from '../../kube/events.ts';
import type { Requeue } from '../../kube/work-queue.ts';
import type { AgentReports } from '../agent-reports.ts';
import type { ClusterView } from '../cluster-view.ts';
import { pieceOf } from '../give-way.ts';
import type { InjectionResult } from '../metrics.ts';
import { parseKey, type Reconciler, type WatchedResource } from '../operator-base.ts';
import type { InstalledAdmission } from '../pod-creation/installed-admission.ts';
import type { PolicyLimits } from '../settings/policy-limits.ts';
import { applyStatus, type StatusWriter } from './apply.ts';
import { type CreationMemory, creationMemory } from './creation-memory.ts';
import { decide } from './decide.ts';
import { hasOurEntry } from './flag-variables.ts';
import { gather, isSame, namespacesOf } from './gather.ts';
import { gatherCreation } from './gather-creation.ts';
import { InjectionBreaker } from './injection-breaker.ts';
import { isOfCluster, policiesIn, policyOf } from './precedence.ts';
import { type FlagSettler, settleFlags, type WorkloadFlags } from './settle-flags.ts';

export const UNINJECT_FINALIZER = 'flamegate.dev/uninject';

const watched = ({ plural, kind }: Kind): WatchedResource => ({ apiVersion: API_VERSION, plural, kind });
export const PROFILING_POLICIES = watched(profilingPolicyKind);
export const CLUSTER_PROFILING_POLICIES = watched(clusterProfilingPolicyKind);

export interface PolicyReconcilerOptions {
  readonly client: KubeClient;
  readonly view: ClusterView & { agentDaemonSet(): V1DaemonSet | undefined };
  readonly reports: AgentReports;
  readonly events: EventRecorder;
  readonly fieldManager: string;
  readonly count: (result: InjectionResult) => void;
  /** The base class's finalizer routine. */
  readonly finalize: (
    object: AnyProfilingPolicy,
    finalizer: string,
    cleanUp: () => Promise<void>,
  ) => Promise<boolean>;
  /** Who gives created pods their flags. */
  readonly admission: (ofCluster: boolean) => Promise<InstalledAdmission>;
  /** What the install allows, as its settings say it now. */
  readonly limits: () => PolicyLimits;
  /** Names of its sinks for profiles. */
  readonly sinks: () => readonly string[];
  readonly now: () => number;
}

export interface PolicyReconcilers {
  readonly ofNamespace: Reconciler<ProfilingPolicy>;
  readonly ofCluster: Reconciler<ClusterProfilingPolicy>;
}

/** Both, since they change the same Deployments and share what is remembered of them. */
export function policyReconcilers(options: PolicyReconcilerOptions): PolicyReconcilers {
  const { client, view, reports, events, fieldManager, count, now } = options;
  const work: Work = {
    options,
    settler: { client, view, reports, count, now, breaker: new InjectionBreaker() },
    writer: { client, events, fieldManager, writtenAt: new Map() },
    memory: creationMemory(),
    listeningSinceMs: now(),
  };
  return {
    ofNamespace: {
      resource: PROFILING_POLICIES,
      async reconcile(key, policy) {
        const { namespace } = parseKey(key);
        if (policy !== undefined) return reconcile(work, policy);
        throwFailure(await settleAll(work.settler, [namespace]));
        return undefined;
      },
    },
    ofCluster: {
      resource: CLUSTER_PROFILING_POLICIES,
      async reconcile(_key, policy) {
        if (policy !== undefined) return reconcile(work, policy);
        throwFailure(await settleAll(work.settler, withOurFlags(view)));
        return undefined;
      },
    },
  };
}

interface Work {
  readonly options: PolicyReconcilerOptions;
  readonly settler: FlagSettler;
  readonly writer: StatusWriter;
  readonly memory: CreationMemory;
  readonly listeningSinceMs: number;
}

async function reconcile(work: Work, policy: AnyProfilingPolicy): Promise<Requeue | undefined> {
  const { options, settler, writer, memory, listeningSinceMs } = work;
  const { view, reports } = options;
  if (await finalizerHasTheWord(work, policy)) {
    writer.writtenAt.delete(policy.metadata.uid);
    return undefined;
  }
  const settled = await settleAll(settler, namespacesToSettle(view, policy));
  const flags = settled.flags.filter(({ namespace, labels }) => {
    const counting = policyOf(labels, policiesIn(view, namespace));
    return counting !== undefined && isSame(counting, policy);
  });
  const admission = await admissionFor(options, policy);
  const nowMs = options.now();
  const from = { view, reports, memory, nowMs };
  const creation = admission && { admission, workloads: gatherCreation({ ...from, admission }, policy) };
  const { limits, sinks } = options;
  const seen = {
    ...{ flags, limits: limits(), sinks: sinks(), listeningSinceMs, nowMs },
    ...(creation && { creation }),
  };
  // Of twenty thousand pods each takes tens of milliseconds: agents push in between.
  const observed = await pieceOf(() => gather({ view, reports }, policy, seen));
  const decision = await pieceOf(() => decide(observed));
  await applyStatus(writer, policy, decision, nowMs);
  throwFailure(settled);
  return { requeueAfterMs: decision.requeueAfterMs };
}

const admissionFor = async (
  { admission }: PolicyReconcilerOptions,
  policy: AnyProfilingPolicy,
): Promise<InstalledAdmission | undefined> =>
  policy.spec.jvm.flags.mode === 'OnPodCreation' ? await admission(isOfCluster(policy)) : undefined;

/** Only a policy that may have changed a Deployment needs one: it must not go before that is undone, or the next one's. */
async function finalizerHasTheWord(
  { options: { view, finalize }, settler }: Work,
  policy: AnyProfilingPolicy,
): Promise<boolean> {
  const { finalizers, deletionTimestamp } = policy.metadata;
  const has = finalizers?.includes(UNINJECT_FINALIZER) === true;
  const needs = policy.spec.jvm.flags.mode === 'Immediate';
  if (!has && (!needs || deletionTimestamp !== undefined)) {
    return deletionTimestamp !== undefined;
  }
  return finalize(policy, UNINJECT_FINALIZER, async () => {
    throwFailure(await settleAll(settler, namespacesToSettle(view, policy)));
  });
}

interface Settled {
  readonly flags: readonly WorkloadFlags[];
  /** The first of those that trying again may mend. */
  readonly failure?: Error;
}

/** Each namespace by the policies that are in force in it by now; one that fails does not hold up the others. */
async function settleAll(settler: FlagSettler, namespaces: readonly string[]): Promise<Settled> {
  const flags: WorkloadFlags[] = [];
  const failures: Error[] = [];
  for (const namespace of namespaces) {
    try {
      flags.push(...(await settleFlags(settler, namespace, policiesIn(settler.view, namespace))));
    } catch (error) {
      failures.push(error instanceof Error ? error : new Error(String(error)));
    }
  }
  const [failure] = failures;
  return { flags, ...(failure === undefined ? {} : { failure }) };
}

function throwFailure({ failure }: Settled): void {
  if (failure !== undefined) throw failure;
}

/** Where the policy is, and for one of the cluster where it may have been: namespaces leave by their labels. */
const namespacesToSettle = (view: ClusterView, policy: AnyProfilingPolicy): readonly string[] => [
  ...new Set([...namespacesOf(view, policy), ...(isOfCluster(policy) ? withOurFlags(view) : [])]),
];

const withOurFlags = (view: ClusterView): readonly string[] => [
  ...new Set(
    view
      .deployments()
      .filter(hasOurEntry)
      .map(({ metadata }) => metadata?.namespace ?? ''),
  ),
];
