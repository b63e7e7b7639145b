/** One side of a comparison: a revision, and the pods of it that run. Pure. */
import { createHash } from 'node:crypto';
import type { V1Pod } from '@kubernetes/client-node';
import { type BuiltFrom, builtFromOf } from '../../crds/built-from.ts';

export interface ArmPods {
  /** What the verdict is about: "" while there is no pod. */
  readonly hash: string;
  readonly images: readonly string[];
  readonly builtFrom: BuiltFrom;
  readonly pods: readonly V1Pod[];
}

/** Running, and not on its way out. */
export const podIsLive = (pod: V1Pod): boolean =>
  pod.status?.phase === 'Running' && pod.metadata?.deletionTimestamp === undefined;

export function armOf(hash: string, pods: readonly V1Pod[]): ArmPods {
  const images = pods.flatMap((pod) => (pod.spec?.containers ?? []).map(({ image }) => image ?? ''));
  return {
    // 128 is the bound in the kinds: that many Deployments behind one selector need a hash of hashes.
    hash: hash.length <= 128 ? hash : createHash('sha256').update(hash).digest('hex').slice(0, 32),
    images: [...new Set(images)]
      .filter((image) => image !== '')
      .sort()
      .slice(0, 16),
    builtFrom: builtFromOf(pods.map(({ metadata }) => metadata?.annotations)),
    pods: pods.toSorted((a, b) => ((a.metadata?.name ?? '') < (b.metadata?.name ?? '') ? -1 : 1)),
  };
}

export const ownerUid = (pod: V1Pod): string | undefined =>
  pod.metadata?.ownerReferences?.find(({ controller }) => controller === true)?.uid;
