/** A workload as far as its rollout can be stopped: a Deployment, or an Argo Rollout. Pure. */
import type { KubernetesObject, V1Deployment } from '@kubernetes/client-node';
import type { RegressionGate } from '../../crds/regression-gate.ts';
import type { ClusterView, TargetObject } from '../cluster-view.ts';
import { ownerUid, podIsLive } from '../regression-gate/arm-pods.ts';
import { isTemplateOf, type Revision, revisionsOf } from '../regression-gate/revisions.ts';
import { ACTING_MANAGER, markOf, ownersOfAbort, ownersOfPause, type PauseMark } from './pause-mark.ts';

export const STEERED_KINDS = ['Deployment', 'Rollout'] as const;
export type SteeredKind = (typeof STEERED_KINDS)[number];

export interface Steered {
  readonly kind: SteeredKind;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  /** Everything else was so at this version. */
  readonly resourceVersion: string;
  /** Hash of the newest revision; "": there is none. */
  readonly revision: string;
  /** Of the revision that it replaces. */
  readonly baseline: string;
  /** Pods of the older revision run, and the newest one is to have some. */
  readonly isRollingOut: boolean;
  /** The newest revision is older than the one it replaces: somebody goes back. */
  readonly isRollback: boolean;
  /** The template is that of a revision that has no ReplicaSet yet, or its controller has not seen the newest. */
  readonly asksForAnother: boolean;
  readonly isPaused: boolean;
  readonly isPausedByUs: boolean;
  /** Of an object of a cache, which keeps our entries only, it is not known. */
  readonly hasOtherOwner: boolean;
  readonly mark: PauseMark | undefined;
  readonly isAborted: boolean;
  readonly isAbortedByUs: boolean;
}

/** The gate's target as a cache has it; undefined where it is of another kind, or not there. */
export function targetOf(
  { spec, metadata }: RegressionGate,
  view: ClusterView,
): { readonly kind: SteeredKind; readonly object: KubernetesObject } | undefined {
  const { targetRef } = spec;
  if (targetRef?.kind !== 'Deployment' && targetRef?.kind !== 'Rollout') return undefined;
  const { kind, name } = targetRef;
  const object = objectsOf(kind, metadata.namespace, view).find((each) => each.metadata?.name === name);
  return object && { kind, object };
}

/** As the caches have them. */
export const objectsOf = (
  kind: SteeredKind,
  namespace: string,
  view: ClusterView,
): readonly KubernetesObject[] =>
  kind === 'Deployment' ? view.deployments(namespace) : view.targets(kind, namespace).objects;

export function steeredObject(kind: SteeredKind, object: KubernetesObject, view: ClusterView): Steered {
  switch (kind) {
    case 'Deployment':
      return steeredDeployment(object, view);
    case 'Rollout':
      return steeredRollout(object);
  }
}

function identity(kind: SteeredKind, object: KubernetesObject) {
  const { namespace = '', name = '', uid = '', resourceVersion = '' } = object.metadata ?? {};
  const owners = ownersOfPause(object);
  return {
    ...{ kind, namespace, name, uid, resourceVersion },
    mark: markOf(object),
    isPausedByUs: owners.includes(ACTING_MANAGER),
    hasOtherOwner: owners.some((manager) => manager !== ACTING_MANAGER),
  };
}

function steeredDeployment(deployment: V1Deployment, view: ClusterView): Steered {
  const about = identity('Deployment', deployment);
  const sets = view.replicaSets(about.namespace);
  const live = view.pods(about.namespace).filter(podIsLive);
  const hasPods = ({ replicaSets }: Revision) => live.some((pod) => replicaSets.has(ownerUid(pod) ?? ''));
  const [newest, ...olderOnes] = revisionsOf(deployment, sets);
  const older = olderOnes.find(hasPods);
  const ofNewest = sets.filter(({ metadata }) => newest?.replicaSets.has(metadata?.uid ?? '') === true);
  const template = deployment.spec?.template;
  return {
    ...about,
    revision: newest?.hash ?? '',
    baseline: older?.hash ?? '',
    isRollingOut: older !== undefined && ofNewest.some(({ spec }) => (spec?.replicas ?? 1) > 0),
    isRollback: newest !== undefined && older !== undefined && newest.createdAtMs < older.createdAtMs,
    asksForAnother: template !== undefined && !ofNewest.some((set) => isTemplateOf(template, set)),
    isPaused: deployment.spec?.paused === true,
    ...{ isAborted: false, isAbortedByUs: false },
  };
}

function steeredRollout(object: TargetObject): Steered {
  const { status, spec } = object;
  const textOf = (name: string): string => {
    const value = status?.[name];
    return typeof value === 'string' ? value : '';
  };
  const revision = textOf('currentPodHash');
  const baseline = textOf('stableRS');
  return {
    ...identity('Rollout', object),
    ...{ revision, baseline },
    isRollingOut: revision !== '' && baseline !== '' && revision !== baseline,
    isRollback: false, // to its stable revision a Rollout goes without steps, and nothing is on trial
    asksForAnother: false, // status.currentPodHash is of the newest template, also where no pod of it may start
    isPaused: spec?.['paused'] === true,
    isAborted: status?.['abort'] === true,
    isAbortedByUs: status?.['abort'] === true && ownersOfAbort(object).includes(ACTING_MANAGER),
  };
}
