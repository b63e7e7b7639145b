/**
 * How far each node has told the store in use what its agent has spooled. After a change of leader, or of a broken store, that is
 * nothing at first: agents learn of the new store from an answer, and begin again with their oldest window. Until they are through,
 * a verdict would rest on a part of what the one before had seen.
 */
import type { WindowStore } from '../store/window-store.ts';
import type { Batch } from '../wire/batch-schema.ts';

export interface ToldNodes {
  /** After the commit. `believedStore`: what the agent takes the store to be; undefined when it says nothing of it. */
  record(batch: Pick<Batch, 'node' | 'endMs'>, believedStore: string | undefined): void;
  /** Its agent is there, but what it has is of the future by the clock of one of us, and waits. */
  heard(node: string): void;
  /** Until when all windows of these nodes are stored that are still to be waited for; Infinity when none is. */
  toldToMs(nodes: Iterable<string>): number;
}

/** Agents come back to a new leader within half a minute (the longest pause between two tries), and push every ten seconds. */
const SILENT_MS = 90_000;
/** Further behind than two pushes and a pause: it is being told again. */
const BEHIND_MS = 60_000;
/** An hour of windows takes one or two minutes (BETWEEN_MS of the push loop). Who is not through then holds no gate up any longer. */
const LONGEST_REPLAY_MS = 5 * 60_000;
/** Of the largest clusters, twice. */
const MAX_NODES = 10_000;

interface Told {
  /** Undefined: nothing yet that is known to be in order. */
  readonly endMs: number | undefined;
  readonly heardAtMs: number;
  readonly behindSinceMs: number | undefined;
}

/** How long somebody is waited for is measured by a clock that nobody sets. */
export function toldNodes(
  store: Pick<WindowStore, 'storeId'>,
  now: () => number,
  monotonicNow: () => number = () => performance.now(),
): ToldNodes {
  let current = store.storeId();
  let sinceMs = monotonicNow();
  const told = new Map<string, Told>();
  const startAnewForAnotherStore = (): void => {
    if (current === store.storeId()) return;
    current = store.storeId();
    sinceMs = monotonicNow();
    told.clear();
  };
  const hear = (node: string, furthestMs: number | undefined): void => {
    if (told.size >= MAX_NODES && !told.has(node)) return;
    const isBehind = furthestMs === undefined || now() - furthestMs > BEHIND_MS;
    const behindSinceMs = isBehind ? (told.get(node)?.behindSinceMs ?? monotonicNow()) : undefined;
    told.set(node, { endMs: furthestMs, heardAtMs: monotonicNow(), behindSinceMs });
  };
  return {
    record({ node, endMs }, believedStore) {
      startAnewForAnotherStore();
      const before = told.get(node)?.endMs;
      const inOrder = believedStore === undefined || believedStore === current;
      // What is sent again after a lost answer is older than what was told before.
      hear(node, inOrder ? Math.max(before ?? 0, endMs) : before);
    },
    heard(node) {
      startAnewForAnotherStore();
      hear(node, told.get(node)?.endMs);
    },
    toldToMs(nodes) {
      startAnewForAnotherStore();
      const nowMs = monotonicNow();
      let toMs = Number.POSITIVE_INFINITY;
      for (const node of nodes) {
        const { endMs = 0, heardAtMs, behindSinceMs } = told.get(node) ?? unheard(sinceMs);
        const isSilent = nowMs - heardAtMs > SILENT_MS;
        const isStuck = behindSinceMs !== undefined && nowMs - behindSinceMs > LONGEST_REPLAY_MS;
        if (!isSilent && !isStuck) toMs = Math.min(toMs, endMs);
      }
      return toMs;
    },
  };
}

const unheard = (sinceMs: number): Told => ({
  endMs: undefined,
  heardAtMs: sinceMs,
  behindSinceMs: undefined,
});
