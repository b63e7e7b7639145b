/**
 * Pods that somebody looks at now: for as long as they ask, agents push their stacks though no gate compares them. In memory only: whoever
 * looks asks again every few seconds, a new leader too.
 */
export interface WatchedPods {
  /** From now for two minutes. False: as many are watched already as may be. */
  watch(podUid: string): boolean;
  /** By uid. */
  all(): ReadonlySet<string>;
  /** Calls back when one comes or goes. Returns the way to stop. */
  onChange(listener: () => void): () => void;
  stop(): void;
}

/** Longer than an agent's longest window and the wait for the next question. */
const WATCHED_MS = 120_000;
/** What their stacks cost is that of gated pods; a person looks at one or two. */
const MOST_WATCHED = 20;

export function watchedPods(): WatchedPods {
  const timers = new Map<string, NodeJS.Timeout>();
  const listeners = new Set<() => void>();
  const changed = (): void => {
    for (const listener of listeners) listener();
  };
  return {
    watch(podUid) {
      const timer = timers.get(podUid);
      if (timer === undefined && timers.size >= MOST_WATCHED) return false;
      clearTimeout(timer);
      const end = (): void => {
        timers.delete(podUid);
        changed();
      };
      timers.set(podUid, setTimeout(end, WATCHED_MS).unref());
      if (timer === undefined) changed();
      return true;
    },
    all: () => new Set(timers.keys()),
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    stop() {
      for (const timer of timers.values()) clearTimeout(timer);
      timers.clear();
    },
  };
}
