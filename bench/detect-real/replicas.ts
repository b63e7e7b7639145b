/** The baseline of a recording as its replicas: a pod that was restarted goes on in the place of the one before it. */
import { type BaselineHistory, blocksOf } from '../../src/detect/baseline-history.ts';
import { LOOK_MS } from '../../src/detect/looks.ts';
import type { PodWindow } from '../../src/detect/pod-window.ts';
import { BLOCK_MS } from '../../src/detect/request-spread.ts';
import type { RecordedPod } from './recorded-pods.ts';

/** A pod is asked to end when its successor starts, and is given half a minute. */
const OVERLAP_MS = 60_000;
/** Of the looks; a replica that was there for less belongs to a recording that was cut. */
const PRESENT_PART = 0.8;

/** The places that pods took one after the other. */
export function replicasOf(pods: readonly RecordedPod[]): readonly (readonly RecordedPod[])[] {
  const replicas: RecordedPod[][] = [];
  for (const pod of pods.toSorted((a, b) => a.firstMs - b.firstMs || (a.id < b.id ? -1 : 1))) {
    const free = replicas
      .filter((replica) => endOf(replica) <= pod.firstMs + OVERLAP_MS)
      .sort((a, b) => endOf(a) - endOf(b))[0];
    if (free === undefined) replicas.push([pod]);
    else free.push(pod);
  }
  return replicas;
}

const endOf = (replica: readonly RecordedPod[]): number => replica.at(-1)?.lastMs ?? 0;

/** What placebo gates are cut from. Its pods are replicas: windows are of whichever pod was in that place. */
export function historyOfReplicas(pods: readonly RecordedPod[]): BaselineHistory {
  const looksOf = replicasOf(pods).map(
    (replica) => new Map(replica.flatMap(({ looks }) => [...looks].map(([look, window]) => [look, window]))),
  );
  const all = looksOf.flatMap((looks) => [...looks.keys()]);
  const first = Math.ceil((Math.min(...all) * LOOK_MS) / BLOCK_MS) * (BLOCK_MS / LOOK_MS);
  const end = Math.max(first, Math.max(...all)); // the last look may not be whole
  const isWithin = (look: number): boolean => look >= first && look < end;
  const present = looksOf
    .filter((looks) => [...looks.keys()].filter(isWithin).length >= PRESENT_PART * (end - first))
    .map((looks, number) => [`replica-${String(number).padStart(2, '0')}`, looks] as const);
  return {
    pods: present.map(([name]) => name),
    startMs: first * LOOK_MS,
    endMs: end * LOOK_MS,
    windows: all.filter(isWithin).length,
    block: (number) =>
      new Map(
        present.flatMap(([name, looks]): [string, PodWindow][] => {
          const window = looks.get(first + number);
          return window === undefined ? [] : [[name, window]];
        }),
      ),
  };
}

/** A part of a history, as if there were nothing else. */
export const sliceOf = (history: BaselineHistory, fromBlock: number, blocks: number): BaselineHistory => ({
  ...history,
  startMs: history.startMs + fromBlock * LOOK_MS,
  endMs: history.startMs + Math.min(blocksOf(history), fromBlock + blocks) * LOOK_MS,
  block: (number) => history.block(fromBlock + number),
});
