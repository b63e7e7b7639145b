/**
 * The two sides of workloads other than Deployments: which of their pods are on trial, and which are known to be good. Pure.
 *
 *    kind         | baseline                            | canary, and its hash                  | on trial while
 *    StatefulSet  | pods of status.currentRevision      | pods of status.updateRevision         | they differ
 *    Rollout      | pods of status.stableRS             | pods of status.currentPodHash         | they differ
 *    Canary       | the Deployment NAME-primary         | the newest ReplicaSet of its target   | the phase says so
 *
 * Unlike a Deployment's ReplicaSets these forget what was before the rollout: then the gate's last report remembers it.
 */
import type { V1ObjectMeta, V1Pod } from '@kubernetes/client-node';
import type { RegressionGate } from '../../crds/regression-gate.ts';
import { reportsOf } from '../../crds/revision-verdict.ts';
import { type OptionalTargetKind, resourceName } from '../../crds/target-kinds.ts';
import type { ClusterView, TargetObject } from '../cluster-view.ts';
import { type ArmPods, armOf, ownerUid, podIsLive } from './arm-pods.ts';
import type { Arms } from './arms.ts';
import { isOpen } from './evaluation.ts';
import { CONTROLLER_REVISION_LABEL, type Revision, ROLLOUTS_HASH_LABEL, revisionsOf } from './revisions.ts';

export interface WorkloadRef {
  readonly kind: string;
  readonly name: string;
}

interface Sides {
  /** Without a hash: there has been no revision that was good. */
  readonly baseline: ArmPods;
  /** Undefined: none is on trial. */
  readonly canary: (ArmPods & { readonly sinceMs: number }) | undefined;
  /** What the last canary has become, if it was rolled out. */
  readonly promoted: ArmPods | undefined;
}

interface Found {
  readonly object: TargetObject;
  readonly namespace: string;
  readonly view: ClusterView;
}

export function armsOfWorkload(
  gate: RegressionGate,
  ref: WorkloadRef & { readonly kind: OptionalTargetKind },
  view: ClusterView,
): Arms {
  const { namespace } = gate.metadata;
  const target = `${ref.kind}/${ref.name}`;
  const { state } = view.targets(ref.kind, namespace);
  const resource = resourceName(ref.kind);
  switch (state) {
    case 'Unread': {
      const message = `${resource} are being read`;
      return { kind: 'NoPair', target, reason: 'NoCanaryPods', message };
    }
    case 'NotServed':
      return { kind: 'TargetNotFound', target, message: `the cluster does not serve ${resource}` };
    case 'NotPermitted': {
      const message = `the controller may not list ${resource}: apply ${ROLES[ref.kind]}`;
      return { kind: 'TargetNotFound', target, message, isForbidden: true };
    }
    case 'Read':
      break;
  }
  const object = objectNamed(namespace, ref, view);
  if (object === undefined) {
    const message = `no ${ref.kind} ${ref.name} in namespace ${namespace}`;
    return { kind: 'TargetNotFound', target, message };
  }
  const sides = sidesOf(ref.kind, { object, namespace, view });
  return typeof sides === 'string'
    ? { kind: 'TargetNotFound', target, message: sides }
    : armsOfSides(target, sides, gate, view);
}

const ROLES: Readonly<Record<OptionalTargetKind, string>> = {
  StatefulSet: 'config/targets/stateful-sets',
  Rollout: 'config/targets/argo-rollouts',
  Canary: 'config/targets/flagger',
};

/** Every pod of any revision. */
export function podsOfWorkload(
  namespace: string,
  ref: WorkloadRef & { readonly kind: OptionalTargetKind },
  view: ClusterView,
): readonly V1Pod[] {
  const object = objectNamed(namespace, ref, view);
  if (object === undefined) return [];
  const owners = ownersOfPods(ref.kind, { object, namespace, view });
  return view.pods(namespace).filter((pod) => owners.has(ownerUid(pod) ?? ''));
}

const objectNamed = (
  namespace: string,
  { kind, name }: WorkloadRef & { readonly kind: OptionalTargetKind },
  view: ClusterView,
): TargetObject | undefined =>
  view.targets(kind, namespace).objects.find(({ metadata }) => metadata?.name === name);

function armsOfSides(target: string, sides: Sides, gate: RegressionGate, view: ClusterView): Arms {
  const { baseline, canary, promoted } = sides;
  if (canary === undefined) {
    const [last] = reportsOf(gate, view.reports(gate.metadata.namespace));
    const isLast = promoted !== undefined && last?.spec.canaryHash === promoted.hash;
    if (isLast && (promoted.pods.length > 0 || isOpen(last))) {
      const { baselineHash } = last.spec;
      return { kind: 'BaselineGone', target, baselineHash, canary: promoted, sinceMs: 0 };
    }
    const message =
      baseline.hash === ''
        ? `${target} has not been rolled out yet; the rollout after that will be compared with it`
        : `${target} has revision ${baseline.hash} only; the next rollout will be compared with it`;
    const standing = baseline.pods.length === 0 ? {} : { baseline };
    return { kind: 'NoPair', target, reason: 'NoCanaryPods', message, ...standing };
  }
  const { sinceMs, ...arm } = canary;
  if (arm.pods.length === 0) {
    const message = `no pod of ${target}'s newest revision ${arm.hash} runs yet`;
    return { kind: 'NoPair', target, reason: 'NoCanaryPods', message, baseline };
  }
  if (baseline.pods.length === 0) {
    return { kind: 'BaselineGone', target, baselineHash: baseline.hash, canary: arm, sinceMs };
  }
  return { kind: 'Pair', target, baseline, canary: arm };
}

/** A sentence: why it has no sides. */
function sidesOf(kind: OptionalTargetKind, found: Found): Sides | string {
  switch (kind) {
    case 'StatefulSet':
      return sidesOfStatefulSet(found);
    case 'Rollout':
      return sidesOfRollout(found);
    case 'Canary':
      return sidesOfCanary(found);
  }
}

function ownersOfPods(kind: OptionalTargetKind, found: Found): ReadonlySet<string> {
  const { object } = found;
  switch (kind) {
    case 'StatefulSet':
      return new Set([object.metadata?.uid ?? '']);
    case 'Rollout':
      return new Set(replicaSetsOfRollout(found).map(({ metadata }) => metadata?.uid ?? ''));
    case 'Canary':
      return new Set(
        deploymentsOfCanary(found).flatMap((revisions) =>
          revisions.flatMap(({ replicaSets }) => [...replicaSets]),
        ),
      );
  }
}

function sidesOfStatefulSet({ object, namespace, view }: Found): Sides {
  const update = textIn(object.status, 'updateRevision');
  const current = textIn(object.status, 'currentRevision');
  const uid = object.metadata?.uid;
  const live = view.pods(namespace).filter((pod) => podIsLive(pod) && ownerUid(pod) === uid);
  const byHash = Map.groupBy(live, ({ metadata }) => metadata?.labels?.[CONTROLLER_REVISION_LABEL] ?? '');
  const armNamed = (hash: string) => armOf(hash, byHash.get(hash) ?? []);
  // Under OnDelete status.currentRevision stays the first one for ever: then most of the other pods say what was before.
  const [mostOfOthers] = [...byHash]
    .filter(([hash]) => hash !== update)
    .sort(([a, pods], [b, others]) => others.length - pods.length || (a < b ? -1 : 1));
  const older = byHash.has(current) && current !== update ? current : mostOfOthers?.[0];
  if (update === '' || (current === update && older === undefined)) {
    const only = armNamed(update);
    return { baseline: only, canary: undefined, promoted: only };
  }
  const canary = armNamed(update);
  const sinceMs = Math.min(...canary.pods.map(createdMs));
  return { baseline: armNamed(older ?? current), canary: { ...canary, sinceMs }, promoted: undefined };
}

function sidesOfRollout(found: Found): Sides {
  const { object, namespace, view } = found;
  const stable = textIn(object.status, 'stableRS');
  const current = textIn(object.status, 'currentPodHash');
  const sets = replicaSetsOfRollout(found);
  const setsOf = (hash: string) =>
    sets.filter(({ metadata }) => hash !== '' && metadata?.labels?.[ROLLOUTS_HASH_LABEL] === hash);
  const live = view.pods(namespace).filter(podIsLive);
  const armNamed = (hash: string): ArmPods => {
    const owners = new Set(setsOf(hash).map(({ metadata }) => metadata?.uid));
    return armOf(
      hash,
      live.filter((pod) => owners.has(ownerUid(pod))),
    );
  };
  const baseline = armNamed(stable);
  if (stable === '' || stable === current) return { baseline, canary: undefined, promoted: baseline };
  const sinceMs = Math.min(...setsOf(current).map(createdMs));
  return { baseline, canary: { ...armNamed(current), sinceMs }, promoted: undefined };
}

const replicaSetsOfRollout = ({ object, namespace, view }: Found) =>
  view
    .replicaSets(namespace)
    .filter(({ metadata }) => metadata?.ownerReferences?.some(({ uid }) => uid === object.metadata?.uid));

/** While Flagger keeps both revisions apart. In the others the primary has, or is getting, what was on trial. */
const ON_TRIAL: readonly string[] = ['Progressing', 'Waiting', 'WaitingPromotion'];
const PROMOTED: readonly string[] = ['Promoting', 'Finalising', 'Succeeded'];

function sidesOfCanary(found: Found): Sides | string {
  const { object } = found;
  const { kind } = targetOfCanary(object);
  if (kind !== 'Deployment') {
    return `Canary ${object.metadata?.name} is about a ${kind}: only those of Deployments can be compared`;
  }
  const { newest, primary, podsOf } = newestAndPrimary(found);
  const last = newest && armOf(newest.hash, podsOf(newest));
  const phase = textIn(object.status, 'phase');
  const isOnTrial = last !== undefined && primary !== undefined && ON_TRIAL.includes(phase);
  return {
    baseline: armOf(primary?.hash ?? '', podsOf(primary)),
    canary: isOnTrial ? { ...last, sinceMs: newest?.createdAtMs ?? 0 } : undefined,
    promoted: PROMOTED.includes(phase) ? last : undefined,
  };
}

function newestAndPrimary(found: Found) {
  const live = found.view.pods(found.namespace).filter(podIsLive);
  const podsOf = (revision: Revision | undefined) =>
    live.filter((pod) => revision?.replicaSets.has(ownerUid(pod) ?? ''));
  const [[newest], ofPrimary] = deploymentsOfCanary(found);
  const primary = ofPrimary.find((revision) => podsOf(revision).length > 0) ?? ofPrimary[0];
  return { newest, primary, podsOf };
}

/** What a Canary has on trial, by the hashes that reports name. */
export interface CanaryTrial {
  readonly canary: string;
  readonly baseline: string;
  /** Whose newest revision is on trial, and the number that it has there. */
  readonly deployment: string;
  readonly revision: number;
}

/** Undefined: nothing is on trial, or there is no such Canary. */
export function trialOfCanary(namespace: string, name: string, view: ClusterView): CanaryTrial | undefined {
  const object = objectNamed(namespace, { kind: 'Canary', name }, view);
  if (object === undefined || !ON_TRIAL.includes(textIn(object.status, 'phase'))) return undefined;
  const { kind, name: deployment } = targetOfCanary(object);
  const { newest, primary } = newestAndPrimary({ object, namespace, view });
  if (kind !== 'Deployment' || newest === undefined || primary === undefined) return undefined;
  return { canary: newest.hash, baseline: primary.hash, deployment, revision: newest.number };
}

/** Revisions of the target and of the primary that Flagger makes of it, newest first. */
function deploymentsOfCanary({
  object,
  namespace,
  view,
}: Found): readonly [readonly Revision[], readonly Revision[]] {
  const { name } = targetOfCanary(object);
  const revisionsNamed = (wanted: string): readonly Revision[] => {
    const found = view.deployments(namespace).find(({ metadata }) => metadata?.name === wanted);
    return found === undefined ? [] : revisionsOf(found, view.replicaSets(namespace));
  };
  return [revisionsNamed(name), revisionsNamed(`${name}-primary`)];
}

function targetOfCanary({ spec }: TargetObject): WorkloadRef {
  const ref = spec?.['targetRef'];
  const fields: Readonly<Record<string, unknown>> = typeof ref === 'object' && ref !== null ? { ...ref } : {};
  return { kind: textIn(fields, 'kind'), name: textIn(fields, 'name') };
}

/** "" of what is not there, or no text. */
function textIn(fields: Readonly<Record<string, unknown>> | undefined, name: string): string {
  const value = fields?.[name];
  return typeof value === 'string' ? value : '';
}

const createdMs = ({ metadata }: { readonly metadata?: V1ObjectMeta }): number =>
  new Date(metadata?.creationTimestamp ?? 0).getTime();
