/** Writes what was decided: the status when it differs, and Events for what turned. */
import { isDeepStrictEqual } from 'node:util';
import { type AnyProfilingPolicy, clusterProfilingPolicyKind } from '../../crds/cluster-profiling-policy.ts';
import { profilingPolicyKind } from '../../crds/profiling-policy.ts';
import { API_VERSION } from '../../crds/schema.ts';
import type { KubeClient } from '../../kube/client.ts';
import { type Condition, transitions } from '../../kube/conditions.ts';
import type { EventRecorder } from '../../kube/events.ts';
import { writeStatus } from '../../kube/status.ts';
import type { Decision, PolicyStatus } from './decide.ts';
import { isOfCluster } from './precedence.ts';

/** Numbers and sentences may be this old; what turned is written at once. */
const QUIET_MS = 30_000;

/** When each policy's status was last written; forgotten with the policy. */
export type WrittenAt = Map<string, number>;

export interface StatusWriter {
  readonly client: KubeClient;
  readonly events: EventRecorder;
  readonly fieldManager: string;
  readonly writtenAt: WrittenAt;
}

export async function applyStatus(
  writer: StatusWriter,
  policy: AnyProfilingPolicy,
  { status }: Decision,
  nowMs: number,
): Promise<void> {
  const { uid } = policy.metadata;
  const turned = !isDeepStrictEqual(whatTurns(policy.status), whatTurns(status));
  if (!turned && nowMs - (writer.writtenAt.get(uid) ?? Number.NEGATIVE_INFINITY) < QUIET_MS) {
    return;
  }
  const { plural } = isOfCluster(policy) ? clusterProfilingPolicyKind : profilingPolicyKind;
  const wrote = await writeStatus(
    writer.client,
    { ...identityOf(policy), plural },
    { before: policy.status, after: status },
    writer.fieldManager,
  );
  if (wrote) {
    writer.writtenAt.set(uid, nowMs);
    recordTransitions(writer.events, policy, status.conditions);
  }
}

function identityOf(policy: AnyProfilingPolicy) {
  const { kind } = isOfCluster(policy) ? clusterProfilingPolicyKind : profilingPolicyKind;
  const { name, namespace } = policy.metadata;
  return { apiVersion: API_VERSION, kind, name, ...(namespace === undefined ? {} : { namespace }) };
}

/** The part of a status whose change is worth a write now: no sentences, no measured numbers. */
function whatTurns(status: PolicyStatus | undefined): unknown {
  return {
    generation: status?.observedGeneration,
    conditions: status?.conditions?.map(({ type, status: now, reason }) => ({ type, now, reason })),
    namespaces: status?.namespaces,
    injections: status?.injections,
    selected: status?.selected,
    profiled: status?.profiled,
    workloads: status?.workloads?.map(({ message: _, ioTotals: __, slowIo, ...row }) => ({
      ...row,
      slowIo: slowIo?.map(({ function: name, kind }) => `${kind} ${name}`).toSorted(),
    })),
  };
}

function recordTransitions(
  events: EventRecorder,
  policy: AnyProfilingPolicy,
  after: readonly Condition[],
): void {
  const regarding = { ...identityOf(policy), uid: policy.metadata.uid };
  for (const condition of transitions(policy.status?.conditions, after).filter(isNews)) {
    const type = isGood(condition) ? 'Normal' : 'Warning';
    events.record({
      regarding,
      type,
      reason: condition.reason,
      note: condition.message,
      action: condition.type,
    });
  }
}

const isNews = ({ type, status, reason }: Condition): boolean =>
  type !== 'Reconciling' && status !== 'Unknown' && reason !== 'NotRequested';

const ABNORMAL: ReadonlySet<string> = new Set(['Stalled', 'Conflicted', 'Capped']);

const isGood = ({ type, status }: Condition): boolean => status === (ABNORMAL.has(type) ? 'False' : 'True');
