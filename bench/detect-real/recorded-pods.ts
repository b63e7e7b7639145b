/**
 * A recording as gates see it: each pod's warm windows, summed by look. An hour and a half of eighteen pods is some ten thousand
 * windows; as sums of looks a third of that is kept, without the lines where functions stood.
 */
import { podWindowOf } from '../../src/cli/past-evaluations.ts';
import { readIndex, windowsOf } from '../../src/cli/recording.ts';
import { LOOK_MS } from '../../src/detect/looks.ts';
import { mergeWindows } from '../../src/detect/merged-window.ts';
import type { PodWindow } from '../../src/detect/pod-window.ts';
import { createStackIndex } from '../../src/detect/stack-index.ts';

export interface RecordedPod {
  /** Unique, of pod and container. */
  readonly id: string;
  /** Its Deployment, and the hash of the revision it is of. */
  readonly arm: string;
  readonly hash: string;
  readonly jdk: string;
  /** Of all of its windows, the young ones too. */
  readonly firstMs: number;
  readonly lastMs: number;
  /** By number of its look since the epoch, those past the warm-up. */
  readonly looks: ReadonlyMap<number, PodWindow>;
  /** Those before. */
  readonly cold: ReadonlyMap<number, PodWindow>;
}

export interface RecordedPods {
  readonly pods: readonly RecordedPod[];
  readonly firstMs: number;
  readonly lastMs: number;
  readonly windows: number;
}

export const lookOf = ({ endMs }: PodWindow): number => Math.floor((endMs - 1) / LOOK_MS);

export async function readPods(directory: string, warmUpMs: number): Promise<RecordedPods> {
  const pods = new Map<string, Collected>();
  const known = createStackIndex(); // files have tables of their own: the same stack is another array in each
  let windows = 0;
  for await (const recorded of windowsOf(directory, await readIndex(directory))) {
    const { pod: name, jdk } = recorded.meta;
    const window = podWindowOf(recorded);
    const { arm, hash } = revisionOf(name);
    const pod = pods.get(window.pod) ?? collected({ id: window.pod, arm, hash, jdk });
    pods.set(window.pod, pod);
    pod.firstMs = Math.min(pod.firstMs, window.startMs);
    pod.lastMs = Math.max(pod.lastMs, window.endMs);
    windows += 1;
    const isCold = window.startMs - window.podStartedAtMs < warmUpMs;
    const looks = isCold ? pod.cold : pod.looks;
    const stacks = [...window.stacks].map(({ frames, count }) => ({
      frames: known.of(frames).frames,
      count,
    }));
    const before = looks.get(lookOf(window));
    const bare = { ...window, stacks };
    looks.set(lookOf(window), mergeWindows(before === undefined ? [bare] : [before, bare]));
  }
  const all = [...pods.values()];
  return {
    pods: all,
    firstMs: Math.min(...all.map(({ firstMs }) => firstMs)),
    lastMs: Math.max(...all.map(({ lastMs }) => lastMs)),
    windows,
  };
}

type Collected = Omit<RecordedPod, 'firstMs' | 'lastMs' | 'looks' | 'cold'> & {
  firstMs: number;
  lastMs: number;
  readonly looks: Map<number, PodWindow>;
  readonly cold: Map<number, PodWindow>;
};

const collected = (names: Pick<RecordedPod, 'id' | 'arm' | 'hash' | 'jdk'>): Collected => ({
  ...names,
  firstMs: Number.POSITIVE_INFINITY,
  lastMs: 0,
  looks: new Map(),
  cold: new Map(),
});

/** A Deployment's pod is called DEPLOYMENT-HASH-ID. */
function revisionOf(pod: string): { readonly arm: string; readonly hash: string } {
  const [, arm = pod, hash = ''] = /^(.+)-([a-z0-9]{1,10})-[a-z0-9]{5}$/.exec(pod) ?? [];
  return { arm, hash };
}

/** What these pods did in one look, by their ids. */
export function inLook(pods: readonly RecordedPod[], look: number): PodWindow[] {
  return pods.flatMap(({ looks }) => looks.get(look) ?? []).sort((a, b) => (a.pod < b.pod ? -1 : 1));
}

/** Pods of one revision, which came and went together. */
export interface Generation {
  readonly hash: string;
  readonly pods: readonly RecordedPod[];
  readonly firstMs: number;
  readonly lastMs: number;
}

/** An arm's revisions, the oldest first. */
export function generationsOf(pods: readonly RecordedPod[], arm: string): readonly Generation[] {
  const ofArm = pods.filter((pod) => pod.arm === arm);
  return [...Map.groupBy(ofArm, ({ hash }) => hash)]
    .map(([hash, ofHash]) => ({
      hash,
      pods: ofHash,
      firstMs: Math.min(...ofHash.map(({ firstMs }) => firstMs)),
      lastMs: Math.max(...ofHash.map(({ lastMs }) => lastMs)),
    }))
    .sort((a, b) => a.firstMs - b.firstMs);
}
