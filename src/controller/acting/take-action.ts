/**
 * Does what is planned, on the workload as it is and not as a cache has it: it is read, planned about again and written at that very
 * version, so that nothing is done to a revision that nobody decided about.
 */
import { type KubernetesObject, PatchStrategy } from '@kubernetes/client-node';
import type { GateAction } from '../../crds/gate-action.ts';
import type { RegressionGate } from '../../crds/regression-gate.ts';
import type { RegressionReport } from '../../crds/regression-report.ts';
import { TARGET_KINDS } from '../../crds/target-kinds.ts';
import { type KubeClient, type ObjectRef, pathOf } from '../../kube/client.ts';
import type { Regarding } from '../../kube/events.ts';
import { isKubeError, type KubeError } from '../../kube/kube-error.ts';
import type { ClusterView } from '../cluster-view.ts';
import { ACTING_MANAGER, markOf, markText, PAUSE_ANNOTATION } from './pause-mark.ts';
import { type Permissions, permissions } from './permissions.ts';
import { type ActionPlan, type ActionStep, acts, planAction, planWithoutGate } from './plan-action.ts';
import { objectsOf, STEERED_KINDS, type Steered, steeredObject, targetOf } from './steered.ts';

export interface ActorOptions {
  readonly client: KubeClient;
  readonly view: ClusterView;
  readonly count: (step: ActionStep['kind'], result: 'done' | 'refused') => void;
  readonly now: () => number;
}

export interface RolloutActor {
  /** What is to be done by what is written; reports: of the gate, newest first. Throws what trying again may mend. */
  take(gate: RegressionGate, reports: readonly RegressionReport[]): Promise<Taken>;
  /** Pauses of a gate that is gone: what was only held is released. */
  releaseOrphans(namespace: string, gate: string): Promise<void>;
}

export interface Taken {
  /** What the gate's status says of it; absent: nothing. */
  readonly action?: GateAction | undefined;
  /** The workload. */
  readonly regarding?: Regarding;
}

interface Actor extends ActorOptions {
  readonly permissions: Permissions;
  readonly told: Map<string, Told>;
}

/** What was last said of a gate. Its object in a cache may be behind that: what was done, and undone by others, would be done again. */
interface Told {
  readonly uid: string;
  readonly action: GateAction | undefined;
}

export function rolloutActor(options: ActorOptions): RolloutActor {
  const actor: Actor = {
    ...options,
    permissions: permissions(options.client, options.now),
    told: new Map(), // one entry per gate that acts
  };
  return {
    take: (gate, reports) => takeAction(actor, gate, reports),
    releaseOrphans(namespace, gate) {
      actor.told.delete(`${namespace}/${gate}`);
      return releaseOrphans(actor, namespace, gate);
    },
  };
}

async function takeAction(
  actor: Actor,
  gate: RegressionGate,
  reports: readonly RegressionReport[],
): Promise<Taken> {
  const found = targetOf(gate, actor.view);
  if (found === undefined || (!acts(gate) && markOf(found.object) === undefined)) return {};
  const cached = steeredObject(found.kind, found.object, actor.view);
  const { kind, namespace, name, uid } = cached;
  const regarding = { apiVersion: TARGET_KINDS[kind].apiVersion, kind, namespace, name, uid };
  const key = `${gate.metadata.namespace}/${gate.metadata.name}`;
  const action = await actionOn(actor, asTold(gate, actor.told.get(key)), reports, cached);
  actor.told.set(key, { uid: gate.metadata.uid, action });
  return { action, regarding };
}

function asTold(gate: RegressionGate, told: Told | undefined): RegressionGate {
  if (told?.action === undefined || told.uid !== gate.metadata.uid) return gate;
  return { ...gate, status: { ...gate.status, action: told.action } };
}

async function actionOn(
  actor: Actor,
  gate: RegressionGate,
  reports: readonly RegressionReport[],
  cached: Steered,
): Promise<GateAction | undefined> {
  const plan = (target: Steered): ActionPlan => planAction({ gate, target, reports, nowMs: actor.now() });
  const planned = plan(cached);
  if (planned.step.kind === 'none' && isKnown(planned, gate))
    return permitted(actor, gate, cached, planned.says);
  const live = await readLive(actor, cached);
  if (live === undefined) return undefined;
  const { step, says } = plan(live);
  try {
    await take(actor.client, live, step);
  } catch (error) {
    const refused = refusal(error);
    if (refused === undefined) throw error;
    actor.count(step.kind, 'refused');
    return refusedAction(gate, live, refused, actor.now());
  }
  if (step.kind !== 'none') actor.count(step.kind, 'done');
  return step.kind === 'none' ? permitted(actor, gate, live, says) : says;
}

/** A cache may be behind our own last write: what would be news is looked at where it is. */
function isKnown({ says }: ActionPlan, { status }: RegressionGate): boolean {
  const { state, reason, revision } = status?.action ?? {};
  return says?.state === state && says?.reason === reason && says?.revision === revision;
}

async function releaseOrphans(actor: Actor, namespace: string, gate: string): Promise<void> {
  for (const kind of STEERED_KINDS) {
    for (const object of objectsOf(kind, namespace, actor.view)) {
      if (markOf(object)?.gate === gate)
        await releaseOrphan(actor, gate, steeredObject(kind, object, actor.view));
    }
  }
}

async function releaseOrphan(actor: Actor, gate: string, cached: Steered): Promise<void> {
  if (planWithoutGate(cached).kind === 'none') return;
  const live = await readLive(actor, cached);
  if (live === undefined || live.mark?.gate !== gate) return;
  const step = planWithoutGate(live);
  if (step.kind === 'none') return;
  try {
    await take(actor.client, live, step);
    actor.count(step.kind, 'done');
  } catch (error) {
    if (refusal(error) === undefined) throw error;
    actor.count(step.kind, 'refused');
  }
}

const refOf = ({ kind, namespace, name }: Steered): ObjectRef => ({ ...TARGET_KINDS[kind], namespace, name });

/** Undefined: gone, or another of the same name. */
async function readLive({ client, view }: Actor, cached: Steered): Promise<Steered | undefined> {
  const object = await client.get<KubernetesObject>(refOf(cached));
  return object === undefined || object.metadata?.uid !== cached.uid
    ? undefined
    : steeredObject(cached.kind, object, view);
}

async function take(client: KubeClient, target: Steered, step: ActionStep): Promise<void> {
  const ref = refOf(target);
  const { kind, namespace, name, uid, resourceVersion } = target;
  const { apiVersion } = ref;
  const metadata = { name, namespace, uid, resourceVersion };
  switch (step.kind) {
    case 'none':
      return;
    case 'pause': {
      const annotations = { [PAUSE_ANNOTATION]: markText(step.mark) };
      const object = { apiVersion, kind, metadata: { ...metadata, annotations }, spec: { paused: true } };
      // The annotation is ours wherever it came from: `kubectl rollout undo` copies it from ReplicaSets. Nobody's spec.paused is forced.
      await client.apply(ref, object, { fieldManager: ACTING_MANAGER, force: !target.hasOtherOwner });
      return;
    }
    case 'release': // what we own is gone then; a pause that somebody else asks for, too, stays
      await client.apply(ref, { apiVersion, kind, metadata }, { fieldManager: ACTING_MANAGER });
      return;
    case 'abort': // as `kubectl argo rollouts abort` does
      await client.request(
        'PATCH',
        `${pathOf(ref)}/status?fieldManager=${ACTING_MANAGER}`,
        { metadata: { resourceVersion }, status: { abort: true } },
        PatchStrategy.MergePatch,
      );
  }
}

/** Without the right to do it, it had better be known before it is needed. */
async function permitted(
  { permissions, now }: Actor,
  gate: RegressionGate,
  target: Steered,
  says: GateAction | undefined,
): Promise<GateAction | undefined> {
  if (!acts(gate) || says !== undefined) return says;
  const why = await permissions.missing(gate, target);
  return why === undefined ? undefined : refusedAction(gate, target, { reason: 'NotPermitted', why }, now());
}

interface Refusal {
  readonly reason: 'NotPermitted' | 'Conflict' | 'Invalid';
  readonly why: string;
}

/** What another try at once does not mend. Undefined: it may. */
function refusal(error: unknown): Refusal | undefined {
  if (isKubeError(error, 'KUBE_FORBIDDEN')) return { reason: 'NotPermitted', why: error.message };
  if (isKubeError(error, 'KUBE_INVALID')) return { reason: 'Invalid', why: error.message };
  return isKubeError(error, 'KUBE_CONFLICT') && speaksOfOwners(error)
    ? { reason: 'Conflict', why: error.message }
    : undefined;
}

// k8s.io/apimachinery managedfields: "Apply failed with 1 conflict: …"; another version of the object is a conflict of another kind.
const speaksOfOwners = ({ message }: KubeError): boolean => message.includes('Apply failed with');

const MAX_MESSAGE = 1024; // the bound in the kind

function refusedAction(
  gate: RegressionGate,
  target: Steered,
  { reason, why }: Refusal,
  nowMs: number,
): GateAction {
  const before = gate.status?.action;
  const { revision } = target;
  const isAsBefore = before?.state === 'Refused' && before.reason === reason && before.revision === revision;
  return {
    ...{ state: 'Refused', reason, revision },
    message: `${target.kind}/${target.name} cannot be stopped: ${why}`.slice(0, MAX_MESSAGE),
    at: isAsBefore ? before.at : new Date(nowMs).toISOString(),
  };
}
