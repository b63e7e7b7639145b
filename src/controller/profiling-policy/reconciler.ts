/** ProfilingPolicy: gather → decide → apply, and the flags of the namespace's Deployments on the way. */
import type { V1DaemonSet } from '@kubernetes/client-node';
import { type ProfilingPolicy, profilingPolicyKind } from '../../crds/profiling-policy.ts';
import { API_VERSION } from '../../crds/schema.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { EventRecorder } from '../../kube/events.ts';
import { selects } from '../../kube/label-selector.ts';
import type { AgentReports } from '../agent-reports.ts';
import type { ClusterView } from '../cluster-view.ts';
import type { InjectionResult } from '../metrics.ts';
import { parseKey, type Reconciler, type WatchedResource } from '../operator-base.ts';
import { applyStatus, type StatusWriter } from './apply.ts';
import { decide } from './decide.ts';
import { gather } from './gather.ts';
import { InjectionBreaker } from './injection-breaker.ts';
import { type FlagSettler, settleFlags } from './settle-flags.ts';

export const UNINJECT_FINALIZER = 'flamegate.dev/uninject';

export const PROFILING_POLICIES: WatchedResource = {
  apiVersion: API_VERSION,
  plural: profilingPolicyKind.plural,
  kind: profilingPolicyKind.kind,
};

export interface PolicyReconcilerOptions {
  readonly client: KubeClient;
  readonly view: ClusterView & { agentDaemonSet(): V1DaemonSet | undefined };
  readonly reports: AgentReports;
  readonly events: EventRecorder;
  readonly fieldManager: string;
  readonly count: (result: InjectionResult) => void;
  /** The base class's finalizer routine. */
  readonly finalize: (
    object: ProfilingPolicy,
    finalizer: string,
    cleanUp: () => Promise<void>,
  ) => Promise<boolean>;
  readonly now: () => number;
}

export function profilingPolicyReconciler(options: PolicyReconcilerOptions): Reconciler<ProfilingPolicy> {
  const { client, view, reports, events, fieldManager, count, now } = options;
  const settler: FlagSettler = { client, view, reports, count, now, breaker: new InjectionBreaker() };
  const writer: StatusWriter = { client, events, fieldManager, writtenAt: new Map() };
  const listeningSinceMs = now();
  return {
    resource: PROFILING_POLICIES,
    async reconcile(key, policy) {
      const { namespace } = parseKey(key);
      if (policy === undefined) {
        await settleFlags(settler, namespace, policiesOf(view, namespace));
        return undefined;
      }
      if (await finalizerHasTheWord(options, settler, policy)) {
        writer.writtenAt.delete(policy.metadata.uid);
        return undefined;
      }
      const all = await settleFlags(settler, namespace, withThis(view, policy));
      const flags = all.filter(({ labels }) => asksFor(policy, labels));
      const nowMs = now();
      const decision = decide(gather({ view, reports }, policy, { flags, listeningSinceMs, nowMs }));
      await applyStatus(writer, policy, decision, nowMs);
      return { requeueAfterMs: decision.requeueAfterMs };
    },
  };
}

/** Only a policy that may have changed a Deployment needs one: it must not go before that is undone. */
async function finalizerHasTheWord(
  { view, finalize }: PolicyReconcilerOptions,
  settler: FlagSettler,
  policy: ProfilingPolicy,
): Promise<boolean> {
  const { namespace, finalizers, deletionTimestamp } = policy.metadata;
  const has = finalizers?.includes(UNINJECT_FINALIZER) === true;
  const needs = policy.spec.jvm.flags.mode === 'Immediate';
  if (!has && (!needs || deletionTimestamp !== undefined)) {
    return deletionTimestamp !== undefined;
  }
  return finalize(policy, UNINJECT_FINALIZER, async () => {
    await settleFlags(settler, namespace, policiesOf(view, namespace));
  });
}

/** The policies that are in force: one that is being deleted asks for nothing any more. */
const policiesOf = (view: ClusterView, namespace: string): readonly ProfilingPolicy[] =>
  view.policies(namespace).filter(({ metadata }) => metadata.deletionTimestamp === undefined);

/** The cache may be ahead of or behind the version under work: that one counts. */
const withThis = (view: ClusterView, policy: ProfilingPolicy): readonly ProfilingPolicy[] => [
  ...policiesOf(view, policy.metadata.namespace).filter(
    ({ metadata }) => metadata.uid !== policy.metadata.uid,
  ),
  policy,
];

const asksFor = (policy: ProfilingPolicy, labels: Readonly<Record<string, string>>): boolean =>
  selects(policy.spec.podSelector, labels);
