/**
 * The queue of a level-based controller, after client-go's workqueue: a key waits at most once, is worked on by one
 * worker at a time, and comes back with backoff when its work fails. Its size is the number of watched objects.
 */

export interface Requeue {
  readonly requeueAfterMs?: number;
}

export type QueueResult = 'success' | 'error' | 'requeue_after';

/** What metrics are made of; times in milliseconds. */
export interface QueueObserver {
  added(depth: number): void;
  started(depth: number, waitedMs: number): void;
  finished(result: QueueResult, workedMs: number): void;
}

export interface QueueOptions {
  readonly workers: number;
  readonly now: () => number;
  readonly onError: (key: string, error: unknown, attempt: number) => void;
  readonly observer?: QueueObserver;
}

const FIRST_RETRY_MS = 5;
const LAST_RETRY_MS = 300_000;

/** A key whose work is long has a tenth of the time, where it is others who wake it. */
const REST = 9;
const LONGEST_REST_MS = 2_000; // work also waits, for an API server or its turn

/** 5 ms, doubling, at most 300 s: client-go's DefaultControllerRateLimiter for one key. */
export const retryDelayMs = (attempt: number): number =>
  Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.max(0, attempt - 1));

export class WorkQueue {
  readonly #work: (key: string, signal: AbortSignal) => Promise<Requeue | undefined>;
  readonly #options: QueueOptions;
  readonly #waiting = new Map<string, number>(); // key → since when; insertion order is the order of work
  readonly #working = new Set<string>();
  readonly #again = new Map<string, number>(); // asked for while being worked on
  readonly #later = new Map<string, { readonly atMs: number; readonly timer: NodeJS.Timeout }>();
  readonly #resting = new Map<string, { readonly untilMs: number; readonly timer: NodeJS.Timeout }>();
  readonly #attempts = new Map<string, number>();
  readonly #abort = new AbortController();
  #drained = Promise.withResolvers<void>();
  #started = false;
  #stopped = false;

  constructor(
    work: (key: string, signal: AbortSignal) => Promise<Requeue | undefined>,
    options: QueueOptions,
  ) {
    this.#work = work;
    this.#options = options;
  }

  /** Keys may be added before; nothing is worked on until this is called. */
  start(): void {
    this.#started = true;
    this.#fill();
  }

  /** Puts a key to work now; a key that waits already is not added twice. */
  add(key: string): void {
    if (this.#stopped || this.#waiting.has(key) || this.#again.has(key)) {
      return;
    }
    const nowMs = this.#options.now();
    if (this.#working.has(key)) {
      this.#again.set(key, nowMs);
      return;
    }
    this.#waiting.set(key, nowMs);
    this.#options.observer?.added(this.#waiting.size);
    this.#fill();
  }

  /** Puts a key to work later; of two times for one key the earlier stands. */
  addAfter(key: string, delayMs: number): void {
    if (this.#stopped) {
      return;
    }
    const atMs = this.#options.now() + delayMs;
    const before = this.#later.get(key);
    if (before !== undefined && before.atMs <= atMs) {
      return;
    }
    clearTimeout(before?.timer);
    const timer = setTimeout(() => {
      this.#later.delete(key);
      this.add(key);
    }, delayMs);
    this.#later.set(key, { atMs, timer });
  }

  /** Puts a key to work later, and not before it has rested from the work before. */
  addRested(key: string, delayMs: number): void {
    const restMs = (this.#resting.get(key)?.untilMs ?? 0) - this.#options.now();
    this.addAfter(key, Math.max(delayMs, restMs));
  }

  depth(): number {
    return this.#waiting.size;
  }

  /** Takes no more work, waits for what is under way, and aborts it after `graceMs`. */
  async stop(graceMs = 10_000): Promise<void> {
    this.#stopped = true;
    for (const waiting of [this.#later, this.#resting]) {
      for (const { timer } of waiting.values()) clearTimeout(timer);
      waiting.clear();
    }
    this.#waiting.clear();
    if (this.#working.size > 0) {
      const timer = setTimeout(() => this.#abort.abort(), graceMs);
      await this.#drained.promise;
      clearTimeout(timer);
    }
    this.#abort.abort();
  }

  #fill(): void {
    while (this.#started && !this.#stopped && this.#working.size < this.#options.workers) {
      const next = this.#waiting.entries().next().value;
      if (next === undefined) {
        return;
      }
      const [key, sinceMs] = next;
      this.#waiting.delete(key);
      this.#working.add(key);
      void this.#run(key, sinceMs);
    }
  }

  async #run(key: string, sinceMs: number): Promise<void> {
    const { now, observer } = this.#options;
    const startedMs = now();
    observer?.started(this.#waiting.size, startedMs - sinceMs);
    const result = await this.#attempt(key);
    const workedMs = now() - startedMs;
    observer?.finished(result, workedMs);
    this.#working.delete(key);
    this.#rest(key, Math.min(LONGEST_REST_MS, REST * workedMs));
    const askedMs = this.#again.get(key);
    this.#again.delete(key);
    if (askedMs !== undefined && !this.#stopped) {
      this.#waiting.set(key, askedMs);
      observer?.added(this.#waiting.size);
    }
    if (this.#working.size === 0) {
      this.#drained.resolve();
      this.#drained = Promise.withResolvers();
    }
    // In a turn of the loop of its own: work that has nothing to wait for would make one turn of all that is waiting.
    setImmediate(() => this.#fill());
  }

  #rest(key: string, restMs: number): void {
    if (this.#stopped || restMs <= 0) return;
    clearTimeout(this.#resting.get(key)?.timer);
    const timer = setTimeout(() => this.#resting.delete(key), restMs).unref();
    this.#resting.set(key, { untilMs: this.#options.now() + restMs, timer });
  }

  async #attempt(key: string): Promise<QueueResult> {
    try {
      const requeue = await this.#work(key, this.#abort.signal);
      this.#attempts.delete(key);
      if (requeue?.requeueAfterMs === undefined) {
        return 'success';
      }
      this.addAfter(key, requeue.requeueAfterMs);
      return 'requeue_after';
    } catch (error) {
      const attempt = (this.#attempts.get(key) ?? 0) + 1;
      this.#attempts.set(key, attempt);
      this.#options.onError(key, error, attempt);
      this.addAfter(key, retryDelayMs(attempt));
      return 'error';
    }
  }
}
