/**
 * Which node each pod runs on, remembered for a while after it has gone: its last windows arrive after it.
 * So an agent can speak only of pods of its own node.
 */
import type { V1Pod } from '@kubernetes/client-node';

export interface PodHomes {
  learn(pods: readonly V1Pod[], nowMs: number): void;
  nodeOf(podUid: string): string | undefined;
}

/** As long as agents keep what they could not send. */
const REMEMBER_MS = 60 * 60_000;
/** Twice the pods of the largest clusters Kubernetes is tested with (150,000), which will not happen here. */
const MAX_PODS = 300_000;

export function podHomes(): PodHomes {
  const homes = new Map<string, { readonly node: string; readonly seenMs: number }>();
  return {
    learn(pods, nowMs) {
      for (const pod of pods) {
        const { uid } = pod.metadata ?? {};
        const { nodeName } = pod.spec ?? {};
        if (uid === undefined || nodeName === undefined) continue;
        homes.delete(uid); // to the end: the map stays ordered by when a pod was last seen
        homes.set(uid, { node: nodeName, seenMs: nowMs });
      }
      for (const [uid, { seenMs }] of homes) {
        if (nowMs - seenMs <= REMEMBER_MS && homes.size <= MAX_PODS) break;
        homes.delete(uid);
      }
    },
    nodeOf: (podUid) => homes.get(podUid)?.node,
  };
}
