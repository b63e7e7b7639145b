/** Targets that the sampler looks at in a way that a policy asks for, each from so many milliseconds on. */
import type { Sampler } from '../native/sampler.ts';
import { codeOf, messageOf } from './agent-error.ts';
import type { AgentLog } from './log.ts';

export interface WatchFailure {
  readonly code: string;
  readonly message: string;
}

export interface TargetWatch {
  /** Why it cannot be looked at; undefined while it can, and while nobody asks. */
  readonly failure: WatchFailure | undefined;
  /** Makes the sampler look at these and no others; tries again every 30 s. */
  follow(sampler: Sampler | undefined, leastMs: ReadonlyMap<bigint, number>, nowMs: number): void;
  /** The sampler is gone. */
  forget(): void;
}

export interface WatchedWay {
  add(sampler: Sampler, id: bigint, leastNs: bigint): void;
  remove(sampler: Sampler, id: bigint): void;
  /** In the log, where it fails. */
  readonly failed: string;
}

const RETRY_MS = 30_000;

export function createTargetWatch(way: WatchedWay, log: AgentLog): TargetWatch {
  const watched = new Map<bigint, number>();
  let failure: WatchFailure | undefined;
  let triedMs = Number.NEGATIVE_INFINITY;
  return {
    get failure() {
      return failure;
    },
    follow(sampler, leastMs, nowMs) {
      if (leastMs.size === 0) failure = undefined;
      if (!sampler) return;
      for (const id of watched.keys()) {
        if (leastMs.has(id)) continue;
        way.remove(sampler, id);
        watched.delete(id);
      }
      if (failure && nowMs - triedMs < RETRY_MS) return;
      triedMs = nowMs;
      try {
        for (const [id, least] of leastMs) {
          if (watched.get(id) === least) continue;
          way.add(sampler, id, BigInt(least) * 1_000_000n);
          watched.set(id, least);
        }
        failure = undefined;
      } catch (error) {
        failure = { code: codeOf(error), message: messageOf(error) };
        log.error({ err: error, retryMs: RETRY_MS }, way.failed);
      }
    },
    forget() {
      watched.clear();
    },
  };
}
