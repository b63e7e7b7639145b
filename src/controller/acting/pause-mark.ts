/**
 * What says that a pause is ours: an annotation, which says whose and why to whoever wonders, and the field manager that owns spec.paused.
 * Both, since `kubectl rollout undo` gives a Deployment the annotations of an older ReplicaSet. Pure.
 */
import type { KubernetesObject } from '@kubernetes/client-node';
import { ACTION_REASONS } from '../../crds/gate-action.ts';

/** Owns spec.paused and the annotation, or status.abort of a Rollout, and nothing else. */
export const ACTING_MANAGER = 'flamegate-acting';
export const PAUSE_ANNOTATION = 'flamegate.dev/pause';

export interface PauseMark {
  /** Name of the RegressionGate, in the same namespace. */
  readonly gate: string;
  readonly revision: string;
  readonly since: string;
  readonly why: (typeof ACTION_REASONS)[number];
}

export const markText = ({ gate, revision, since, why }: PauseMark): string =>
  JSON.stringify({ gate, revision, since, why });

const MAX_MARK = 1_000; // ours have 300 characters at the most

/** Undefined of none, and of one that is not as ours are: anybody may write annotations. */
export function markOf({ metadata }: KubernetesObject): PauseMark | undefined {
  const text = metadata?.annotations?.[PAUSE_ANNOTATION];
  if (text === undefined || text.length > MAX_MARK) return undefined;
  const { gate, revision, since, why } = recordIn(text);
  const reason = ACTION_REASONS.find((known) => known === why);
  if (typeof gate !== 'string' || typeof revision !== 'string' || reason === undefined) return undefined;
  if (typeof since !== 'string' || Number.isNaN(Date.parse(since))) return undefined;
  return { gate, revision, since, why: reason };
}

function recordIn(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}

/** Who has a say in spec.paused; we, where it is there because we applied it. `kubectl rollout resume` takes it from us. */
export const ownersOfPause = (object: KubernetesObject): readonly string[] =>
  ownersOf(object, 'spec', 'paused');

/** Who set status.abort last. */
export const ownersOfAbort = (object: KubernetesObject): readonly string[] =>
  ownersOf(object, 'status', 'abort');

function ownersOf({ metadata }: KubernetesObject, part: 'spec' | 'status', name: string): readonly string[] {
  return (metadata?.managedFields ?? []).flatMap(({ manager = '', fieldsV1 }) => {
    const fields: Readonly<Record<string, unknown>> = { ...fieldsV1 };
    const ofPart = fields[`f:${part}`];
    return typeof ofPart === 'object' && ofPart !== null && `f:${name}` in ofPart ? [manager] : [];
  });
}
