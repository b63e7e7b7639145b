/**
 * Keeps an injection from fighting with whoever takes it out again (`kubectl replace`, an Argo CD sync with Replace):
 * each round of that fight would restart the workload. Twice within ten minutes, and we stop until the policies that
 * ask for it change.
 */
import { type FlagItem, sameItem } from './flag-variables.ts';

const WINDOW_MS = 10 * 60_000;
const TIMES = 2;
const MAX_REMEMBERED = 10_000; // Deployments with flags; a cluster of 5,000 nodes has about as many in all

interface Memory {
  /** metadata.generation right after our last write. */
  readonly generation: number;
  readonly items: readonly FlagItem[];
  readonly vanishedMs: readonly number[];
  /** What the policies asked for when we stopped. */
  readonly stoppedFor: string | undefined;
}

export interface WriteRequest {
  readonly uid: string;
  /** metadata.generation of the live Deployment. */
  readonly generation: number;
  readonly items: readonly FlagItem[];
  readonly owned: readonly FlagItem[];
  /** Identifies what the policies ask for; a change of it gives another try. */
  readonly request: string;
}

export class InjectionBreaker {
  readonly #memory = new Map<string, Memory>();

  /** Our items were written, and this is the generation that holds them. */
  wrote(uid: string, generation: number, items: readonly FlagItem[]): void {
    const vanishedMs = this.#memory.get(uid)?.vanishedMs ?? [];
    this.#remember(uid, { generation, items, vanishedMs, stoppedFor: undefined });
  }

  /** We took our items out on purpose. */
  forget(uid: string): void {
    this.#memory.delete(uid);
  }

  /** Asked before items are written. False: somebody keeps taking them out. */
  mayWrite(write: WriteRequest, nowMs: number): boolean {
    const memory = this.#memory.get(write.uid);
    if (memory?.stoppedFor !== undefined && memory.stoppedFor !== write.request) {
      this.#memory.delete(write.uid);
      return true;
    }
    if (memory?.stoppedFor !== undefined) {
      return false;
    }
    if (memory === undefined || write.generation <= memory.generation || !somethingVanished(memory, write)) {
      return true;
    }
    const vanishedMs = [...memory.vanishedMs.filter((atMs) => nowMs - atMs < WINDOW_MS), nowMs];
    const stoppedFor = vanishedMs.length >= TIMES ? write.request : undefined;
    this.#remember(write.uid, { ...memory, generation: write.generation, vanishedMs, stoppedFor });
    return stoppedFor === undefined;
  }

  #remember(uid: string, memory: Memory): void {
    this.#memory.delete(uid);
    this.#memory.set(uid, memory);
    const oldest = this.#memory.keys().next().value;
    if (this.#memory.size > MAX_REMEMBERED && oldest !== undefined) {
      this.#memory.delete(oldest);
    }
  }
}

/** True when an item that we wrote, and still want, is not ours any more. */
const somethingVanished = (memory: Memory, { items, owned }: WriteRequest): boolean =>
  memory.items.some(
    (item) => items.some((wanted) => sameItem(wanted, item)) && !owned.some((own) => sameItem(own, item)),
  );
