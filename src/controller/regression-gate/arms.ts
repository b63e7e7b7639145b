/** The two sides a gate compares: which pods, and which revision each side is. Pure. */
import { createHash } from 'node:crypto';
import type { V1Pod } from '@kubernetes/client-node';
import type { RegressionGate } from '../../crds/regression-gate.ts';
import { selectorText, selects } from '../../kube/label-selector.ts';
import type { ClusterView } from '../cluster-view.ts';
import { ownedBy } from '../owned-objects.ts';
import { type ArmPods, armOf, ownerUid, podIsLive } from './arm-pods.ts';
import {
  CONTROLLER_REVISION_LABEL,
  type Revision,
  ROLLOUTS_HASH_LABEL,
  revisionOwning,
  revisionsOf,
  TEMPLATE_HASH_LABEL,
} from './revisions.ts';
import { armsOfWorkload, podsOfWorkload } from './workload-arms.ts';

export type Arms =
  | { readonly kind: 'Pair'; readonly target: string; readonly baseline: ArmPods; readonly canary: ArmPods }
  | {
      readonly kind: 'TargetNotFound';
      readonly target: string;
      readonly message: string;
      /** The controller may not read its kind. */
      readonly isForbidden?: true;
    }
  /** No two revisions are there to be compared. */
  | {
      readonly kind: 'NoPair';
      readonly target: string;
      readonly reason: 'NoBaselinePods' | 'NoCanaryPods' | 'SameRevision';
      readonly message: string;
      /** What the next canary will be compared with; absent: nothing that runs. */
      readonly baseline?: ArmPods;
    }
  /** A workload whose previous revision has no pods; `sinceMs`: when the newest one was made. */
  | {
      readonly kind: 'BaselineGone';
      readonly target: string;
      readonly baselineHash: string;
      readonly canary: ArmPods;
      readonly sinceMs: number;
    };

export function findArms(gate: RegressionGate, view: ClusterView): Arms {
  const { baseline, canary, targetRef } = gate.spec;
  if (targetRef !== undefined) return armsOfTarget(gate, targetRef, view);
  return armsOfSelectors(gate.metadata.namespace, view, {
    baseline: baseline?.podSelector ?? {},
    canary: canary?.podSelector ?? {},
  });
}

/** Every pod a gate may ever compare: their stacks are wanted before a rollout begins, too. */
export function podsUnderGate(gate: RegressionGate, view: ClusterView): readonly V1Pod[] {
  const { baseline, canary, targetRef } = gate.spec;
  const pods = view.pods(gate.metadata.namespace);
  if (targetRef === undefined) {
    return pods.filter(
      ({ metadata }) =>
        selects(baseline?.podSelector, metadata?.labels) || selects(canary?.podSelector, metadata?.labels),
    );
  }
  const { kind, name } = targetRef;
  if (kind !== 'Deployment') return podsOfWorkload(gate.metadata.namespace, { kind, name }, view);
  const found = deploymentNamed(gate.metadata.namespace, name, view);
  if (found === undefined) return [];
  return found.revisions.flatMap(({ replicaSets }) => ownedBy(pods, replicaSets));
}

function armsOfTarget(
  gate: RegressionGate,
  { kind, name }: NonNullable<RegressionGate['spec']['targetRef']>,
  view: ClusterView,
): Arms {
  return kind === 'Deployment'
    ? armsOfDeployment(gate.metadata.namespace, name, view)
    : armsOfWorkload(gate, { kind, name }, view);
}

function deploymentNamed(namespace: string, name: string, view: ClusterView) {
  const deployment = view.deployments(namespace).find(({ metadata }) => metadata?.name === name);
  if (deployment === undefined) return undefined;
  return { revisions: revisionsOf(deployment, view.replicaSets(namespace)) };
}

function armsOfDeployment(namespace: string, name: string, view: ClusterView): Arms {
  const target = `Deployment/${name}`;
  const found = deploymentNamed(namespace, name, view);
  if (found === undefined) {
    const message = `no Deployment ${name} in namespace ${namespace}`;
    return { kind: 'TargetNotFound', target, message };
  }
  const [newest, ...olderOnes] = found.revisions;
  const pods = view.pods(namespace);
  const podsOf = ({ replicaSets }: Revision) => ownedBy(pods, replicaSets).filter(podIsLive);
  const older = olderOnes.find((revision) => podsOf(revision).length > 0) ?? olderOnes[0];
  if (newest === undefined || older === undefined) {
    const message = `${target} has had only one revision so far; the next rollout will be compared with it`;
    const only = newest && { baseline: armOf(newest.hash, podsOf(newest)) };
    return { kind: 'NoPair', target, reason: 'NoCanaryPods', message, ...only };
  }
  const canary = armOf(newest.hash, podsOf(newest));
  const baseline = armOf(older.hash, podsOf(older));
  if (baseline.pods.length === 0) {
    const sinceMs = newest.createdAtMs;
    return { kind: 'BaselineGone', target, baselineHash: older.hash, canary, sinceMs };
  }
  if (canary.pods.length > 0) return { kind: 'Pair', target, baseline, canary };
  const message = `no pod of ${target}'s newest revision ${newest.hash} runs yet`;
  return { kind: 'NoPair', target, reason: 'NoCanaryPods', message, baseline };
}

/** The pods that a canary is, or will be, compared with: after a rollout those of the revision that was the canary. */
export function standingArm(arms: Arms): ArmPods | undefined {
  switch (arms.kind) {
    case 'Pair':
      return arms.baseline;
    case 'BaselineGone':
      return arms.canary;
    case 'NoPair':
      return arms.baseline;
    case 'TargetNotFound':
      return undefined;
  }
}

interface Selectors {
  readonly baseline: Parameters<typeof selectorText>[0];
  readonly canary: Parameters<typeof selectorText>[0];
}

function armsOfSelectors(namespace: string, view: ClusterView, selectors: Selectors): Arms {
  const target = `${selectorText(selectors.canary)} vs ${selectorText(selectors.baseline)}`.slice(0, 253);
  const live = view.pods(namespace).filter(podIsLive);
  const chosen = (side: keyof Selectors) =>
    newestOfEachDeployment(
      live.filter((pod) => selects(selectors[side], pod.metadata?.labels)),
      namespace,
      view,
    );
  const baseline = chosen('baseline');
  const canary = chosen('canary');
  for (const [side, arm, reason] of [
    ['baseline', baseline, 'NoBaselinePods'],
    ['canary', canary, 'NoCanaryPods'],
  ] as const) {
    if (arm.pods.length > 0) continue;
    const message = `no running pod in namespace ${namespace} matches ${side}: ${selectorText(selectors[side])}`;
    return { kind: 'NoPair', target, reason, message, ...(side === 'canary' ? { baseline } : {}) };
  }
  const shared = canary.pods.find((pod) => baseline.pods.includes(pod));
  if (shared === undefined) return { kind: 'Pair', target, baseline, canary };
  const message = `the selectors overlap: pod ${shared.metadata?.name} is both baseline and canary`;
  return { kind: 'NoPair', target, reason: 'SameRevision', message };
}

/** While a Deployment behind a selector rolls, its outgoing pods are not what is on trial. */
function newestOfEachDeployment(pods: readonly V1Pod[], namespace: string, view: ClusterView): ArmPods {
  const families = view
    .deployments(namespace)
    .map((deployment) => revisionsOf(deployment, view.replicaSets(namespace)));
  const revisionOf = (pod: V1Pod) => {
    for (const revisions of families) {
      const revision = revisionOwning(revisions, ownerUid(pod));
      if (revision !== undefined) return { revisions, revision };
    }
    return undefined;
  };
  const owned = pods.map((pod) => ({ pod, owner: revisionOf(pod) }));
  const current = owned.filter(({ owner }) => {
    if (owner === undefined) return true;
    const numbers = owned
      .filter((other) => other.owner?.revisions === owner.revisions)
      .map((other) => other.owner?.revision.number ?? 0);
    return owner.revision.number === Math.max(...numbers);
  });
  const hashes = current.map(({ pod, owner }) => owner?.revision.hash ?? hashWithoutDeployment(pod));
  return armOf(
    [...new Set(hashes)].sort().join('.'),
    current.map(({ pod }) => pod),
  );
}

const HASH_LABELS = [TEMPLATE_HASH_LABEL, ROLLOUTS_HASH_LABEL, CONTROLLER_REVISION_LABEL];

/** For pods that no Deployment owns: their revision's hash if they carry one, else what their images are. */
function hashWithoutDeployment(pod: V1Pod): string {
  const label = HASH_LABELS.map((name) => pod.metadata?.labels?.[name]).find((hash) => hash !== undefined);
  if (label !== undefined) return label;
  const ids = (pod.status?.containerStatuses ?? []).map(({ imageID }) => imageID).sort();
  return createHash('sha256').update(ids.join(' ')).digest('hex').slice(0, 10);
}
