/** The revisions of a Deployment: ReplicaSets, those that differ only by our JVM flags counted as one. Pure. */
import { hash } from 'node:crypto';
import type { V1Deployment, V1PodTemplateSpec, V1ReplicaSet } from '@kubernetes/client-node';
import { ownedBy } from '../owned-objects.ts';
import { FLAG_LINE, FLAG_VARIABLES } from '../profiling-policy/flag-variables.ts';

export interface Revision {
  /** pod-template-hash of its first ReplicaSet: it stays when flags are injected later. */
  readonly hash: string;
  readonly number: number;
  /** When the first of its ReplicaSets was made. */
  readonly createdAtMs: number;
  /** UIDs: the owners of its pods. */
  readonly replicaSets: ReadonlySet<string>;
}

export const TEMPLATE_HASH_LABEL = 'pod-template-hash';
/** Of Argo Rollouts, on ReplicaSets and pods. */
export const ROLLOUTS_HASH_LABEL = 'rollouts-pod-template-hash';
/** Of StatefulSets and DaemonSets, on pods: the whole name of a ControllerRevision. */
export const CONTROLLER_REVISION_LABEL = 'controller-revision-hash';
const REVISION_ANNOTATION = 'deployment.kubernetes.io/revision';

/** Which revision of its workload a pod says it is of. */
export const revisionLabel = (labels: Readonly<Record<string, string>> | undefined): string | undefined =>
  labels?.[ROLLOUTS_HASH_LABEL] ?? labels?.[TEMPLATE_HASH_LABEL] ?? labels?.[CONTROLLER_REVISION_LABEL];

/** Newest first. */
export function revisionsOf(
  deployment: V1Deployment,
  replicaSets: readonly V1ReplicaSet[],
): readonly Revision[] {
  const owned = ownedBy(replicaSets, [deployment.metadata?.uid ?? '']);
  const byTemplate = Map.groupBy(owned, (set) => templateWithoutOurFlags(set.spec?.template));
  return [...byTemplate.values()].map(asRevision).sort((a, b) => b.number - a.number);
}

/** The revision a pod belongs to. */
export const revisionOwning = (
  revisions: readonly Revision[],
  ownerUid: string | undefined,
): Revision | undefined =>
  revisions.find(({ replicaSets }) => ownerUid !== undefined && replicaSets.has(ownerUid));

/** Whether the ReplicaSet was made of this template, or of it with other flags of ours. */
export const isTemplateOf = (template: V1PodTemplateSpec, { spec }: V1ReplicaSet): boolean =>
  templateWithoutOurFlags(template) === templateWithoutOurFlags(spec?.template);

function asRevision(sets: readonly V1ReplicaSet[]): Revision {
  const byAge = sets.toSorted((a, b) => createdMs(a) - createdMs(b));
  return {
    hash: byAge[0]?.metadata?.labels?.[TEMPLATE_HASH_LABEL] ?? byAge[0]?.metadata?.name ?? '',
    number: Math.max(...sets.map((set) => Number(set.metadata?.annotations?.[REVISION_ANNOTATION] ?? 0))),
    createdAtMs: byAge[0] === undefined ? 0 : createdMs(byAge[0]),
    replicaSets: new Set(sets.map((set) => set.metadata?.uid ?? '')),
  };
}

const createdMs = (set: V1ReplicaSet): number => new Date(set.metadata?.creationTimestamp ?? 0).getTime();

/** Caches replace an object when it changes: what is said of one stays true, and all gates ask for it again with each change of a pod. */
const known = new WeakMap<V1PodTemplateSpec, string>();

/** Tells templates apart, but for the label every ReplicaSet has of its own and what we injected. */
function templateWithoutOurFlags(template: V1PodTemplateSpec | undefined): string {
  if (template === undefined) return '';
  const before = known.get(template);
  if (before !== undefined) return before;
  const digest = hash('sha256', textOfTemplate(template), 'base64');
  known.set(template, digest);
  return digest;
}

function textOfTemplate(template: V1PodTemplateSpec): string {
  const { [TEMPLATE_HASH_LABEL]: _, ...labels } = template.metadata?.labels ?? {};
  const containers = (template.spec?.containers ?? []).map((container) => {
    const env = (container.env ?? []).filter(
      ({ name, value }) => !(value === FLAG_LINE && FLAG_VARIABLES.some((variable) => variable === name)),
    );
    const { env: _env, ...rest } = container;
    return env.length === 0 ? rest : { ...rest, env };
  });
  return JSON.stringify([labels, template.metadata?.annotations, { ...template.spec, containers }], sortKeys);
}

/** Objects arrive with their keys in the API server's order, but the spread above moved some. */
const sortKeys = (_key: string, value: unknown): unknown =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
    : value;
