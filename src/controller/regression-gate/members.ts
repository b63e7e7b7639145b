/** The pods of an evaluation, as its report keeps them: a leader with an empty store asks for the windows of those that are gone, too. Pure. */
import type { V1Pod } from '@kubernetes/client-node';
import { type Member, MOST_MEMBERS, type RegressionReport } from '../../crds/regression-report.ts';
import type { Arm, PodRef } from '../../store/window-store.ts';

const ARMS: readonly Arm[] = ['baseline', 'canary'];

export type ArmRefs = Readonly<Record<Arm, readonly Required<PodRef>[]>>;

/** Containers of the arm by what its report says. */
export const refsIn = ({ status }: RegressionReport, arm: Arm): readonly Required<PodRef>[] =>
  (status?.members ?? [])
    .filter((member) => member.arm === arm)
    .flatMap(({ uid, containers }) => containers.map((container) => ({ podUid: uid, container })));

/** Each container once, in the order of their first mention. */
export function unionOf(...lists: readonly (readonly Required<PodRef>[])[]): readonly Required<PodRef>[] {
  const known = new Map(lists.flat().map((ref) => [`${ref.podUid}/${ref.container}`, ref]));
  return [...known.values()];
}

export interface Membership {
  readonly refs: ArmRefs;
  /** Of the namespace, as they are now. */
  readonly pods: readonly V1Pod[];
  /** What the report said before. */
  readonly before?: readonly Member[] | undefined;
}

/** Of more pods than a report may hold those are left out that are still there to be seen. */
export function membersOf({ refs, pods, before = [] }: Membership): readonly Member[] {
  const nodes = new Map(before.map(({ uid, node }) => [uid, node]));
  const live = new Set<string>();
  for (const { metadata, spec, status } of pods) {
    const { uid = '', deletionTimestamp } = metadata ?? {};
    if (spec?.nodeName !== undefined) nodes.set(uid, spec.nodeName);
    if (status?.phase === 'Running' && deletionTimestamp === undefined) live.add(uid);
  }
  const members = ARMS.flatMap((arm) =>
    [...Map.groupBy(refs[arm], ({ podUid }) => podUid)].flatMap(([uid, ofPod]): Member[] => {
      const node = nodes.get(uid);
      return node === undefined ? [] : [{ arm, uid, node, containers: containersOf(ofPod) }];
    }),
  );
  const order = ({ uid, arm }: Member) => `${live.has(uid) ? 1 : 0} ${arm} ${uid}`;
  return members.toSorted((a, b) => (order(a) < order(b) ? -1 : 1)).slice(0, MOST_MEMBERS);
}

const MOST_CONTAINERS = 16; // the bound in the kind

const containersOf = (refs: readonly Required<PodRef>[]): string[] =>
  refs
    .map(({ container }) => container)
    .sort()
    .slice(0, MOST_CONTAINERS);
