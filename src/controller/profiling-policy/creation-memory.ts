/**
 * What this process remembers of injections at Pod creation: since when each is in force, and which broke its pods. Where a workload's pods
 * end again and again with our flags, and none with them is ready, nobody gets them any more until the policy's spec changes: the next pod
 * that is created, by whatever, comes up without.
 */
const MAX_REMEMBERED = 10_000; // workloads with flags; a cluster of 5,000 nodes has about as many in all

interface Memory {
  readonly sinceMs: number;
  /** metadata.generation of the policy for which it was stopped. */
  readonly stoppedFor: number | undefined;
}

export interface CreationMemory {
  /** When it was first asked about, by this process. */
  inForceSince(key: string, nowMs: number): number;
  stop(key: string, generation: number, nowMs: number): void;
  isStopped(key: string, generation: number): boolean;
}

export function creationMemory(): CreationMemory {
  const memory = new Map<string, Memory>();
  const remember = (key: string, entry: Memory): void => {
    memory.delete(key);
    memory.set(key, entry);
    const oldest = memory.keys().next().value;
    if (memory.size > MAX_REMEMBERED && oldest !== undefined) memory.delete(oldest);
  };
  return {
    inForceSince(key, nowMs) {
      const known = memory.get(key);
      if (known === undefined) remember(key, { sinceMs: nowMs, stoppedFor: undefined });
      return known?.sinceMs ?? nowMs;
    },
    stop(key, generation, nowMs) {
      remember(key, { sinceMs: memory.get(key)?.sinceMs ?? nowMs, stoppedFor: generation });
    },
    isStopped: (key, generation) => memory.get(key)?.stoppedFor === generation,
  };
}
