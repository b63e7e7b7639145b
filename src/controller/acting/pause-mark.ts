/**
 * What says that a pause is ours: an annotation, which says whose and why to whoever wonders, and the field manager that owns spec.paused.
 * Both, since `kubectl rollout undo` gives a Deployment the annotations of an older ReplicaSet. Pure.
 */
import type { KubernetesObject } from '@kubernetes/client-node';
import { ACTION_REASONS } from '../../crds/gate-action.ts';

/** Of server-side apply: it owns spec.paused and the annotation, and nothing else. */
export const PAUSE_MANAGER = 'flamegate-pause';
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
export function ownersOfPause({ metadata }: KubernetesObject): readonly string[] {
  return (metadata?.managedFields ?? []).flatMap(({ manager = '', fieldsV1 }) => {
    const fields: Readonly<Record<string, unknown>> = { ...fieldsV1 };
    const spec = fields['f:spec'];
    return typeof spec === 'object' && spec !== null && 'f:paused' in spec ? [manager] : [];
  });
}
