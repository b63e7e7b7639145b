/**
 * Which node each pod runs on, remembered for a while after it has gone: its last windows arrive after it.
 * So an agent can speak only of pods of its own node.
 */
import type { ClusterView } from '../cluster-view.ts';

export interface PodHome {
  readonly uid: string;
  readonly node: string;
}

export interface PodHomes {
  /** Of a pod that is named twice the later home counts. */
  learn(pods: readonly PodHome[], nowMs: number): void;
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
      for (const { uid, node } of pods) {
        homes.delete(uid); // to the end: the map stays ordered by when a pod was last seen
        homes.set(uid, { node, seenMs: nowMs });
      }
      for (const [uid, { seenMs }] of homes) {
        if (nowMs - seenMs <= REMEMBER_MS && homes.size <= MAX_PODS) break;
        homes.delete(uid);
      }
    },
    nodeOf: (podUid) => homes.get(podUid)?.node,
  };
}

export const podsThatRun = (view: ClusterView): readonly PodHome[] =>
  view.pods().flatMap(({ metadata, spec }) => {
    const [uid, node] = [metadata?.uid, spec?.nodeName];
    return uid === undefined || node === undefined ? [] : [{ uid, node }];
  });

/** Pods of evaluations whose windows agents may still have, for a leader that came too late to see them. */
export function podsOfReports(view: ClusterView, nowMs: number): readonly PodHome[] {
  const namespaces = new Set(view.gates().map(({ metadata }) => metadata.namespace));
  return [...namespaces]
    .flatMap((namespace) => view.reports(namespace))
    .filter(
      ({ status }) => status?.decidedAt === undefined || nowMs - Date.parse(status.decidedAt) <= REMEMBER_MS,
    )
    .flatMap(({ status }) => status?.members ?? []);
}
