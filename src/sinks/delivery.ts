/**
 * What waits to be sent to one sink: a queue with bounds, sent in batches, tried again while that may help. What is not sent is counted,
 * as refused by the other end or as lost here.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { SinkReport } from '../wire/sinks.ts';

/** How the other end answered. `reason` is a word of ours or a status, never its text. */
export type Answer =
  | { readonly kind: 'taken' }
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'later'; readonly reason: string; readonly afterMs?: number };

export interface DeliveryLimits {
  readonly mostQueued: number;
  readonly mostQueuedBytes: number;
  readonly mostAtOnce: number;
  readonly mostBytesAtOnce: number;
  /** What has waited for longer is worth nothing any more. */
  readonly worthMs: number;
}

export interface DeliveryOptions<Item> {
  readonly limits: DeliveryLimits;
  bytesOf(item: Item): number;
  send(items: readonly Item[], signal: AbortSignal): Promise<Answer>;
  /** Told of each attempt that failed. */
  failed(reason: string, items: number): void;
  readonly now: () => number;
  readonly random: () => number;
  readonly firstPauseMs?: number;
}

export interface Delivery<Item> {
  /** Queues it, and loses the oldest where there is no room. */
  add(item: Item): void;
  report(): Omit<SinkReport, 'name'>;
  start(): void;
  /** Sends what waits once more, until the signal is aborted; the rest is lost. */
  stop(last: AbortSignal): Promise<void>;
}

const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 60_000;
/** Of what a sink asks for: beyond it what waits would be lost for want of room. */
const LONGEST_RETRY_AFTER_MS = 300_000;
const MOST_DOUBLINGS = 16;

interface Waiting<Item> {
  readonly item: Item;
  readonly bytes: number;
  readonly sinceMs: number;
}

export function createDelivery<Item>(options: DeliveryOptions<Item>): Delivery<Item> {
  const { limits, now } = options;
  const counts = { sent: 0, refused: 0, lost: 0 };
  let failing: string | undefined;
  let queue: Waiting<Item>[] = [];
  let running: Promise<void> | undefined;
  const stopped = new AbortController();
  let woken = Promise.withResolvers<void>();

  const queuedBytes = (): number => queue.reduce((sum, { bytes }) => sum + bytes, 0);
  const dropOld = () => {
    const fresh = queue.filter(({ sinceMs }) => now() - sinceMs <= limits.worthMs);
    counts.lost += queue.length - fresh.length;
    queue = fresh;
  };
  const batch = (): readonly Waiting<Item>[] => {
    let bytes = 0;
    const fitting = queue.findIndex((each, at) => {
      bytes += each.bytes;
      return at > 0 && (at === limits.mostAtOnce || bytes > limits.mostBytesAtOnce);
    });
    return fitting < 0 ? queue.slice() : queue.slice(0, fitting);
  };
  const done = (items: readonly Waiting<Item>[]) => {
    const gone = new Set(items);
    queue = queue.filter((each) => !gone.has(each)); // some may have been lost for want of room meanwhile
  };
  /** Of a batch that is refused, each half alone: one bad item must not cost the others. */
  const settle = async (items: readonly Waiting<Item>[], signal: AbortSignal): Promise<Answer> => {
    const answer = await options.send(
      items.map(({ item }) => item),
      signal,
    );
    if (answer.kind !== 'refused' || items.length === 1) {
      if (answer.kind !== 'later') {
        counts[answer.kind === 'taken' ? 'sent' : 'refused'] += items.length;
        done(items);
      }
      return answer;
    }
    const middle = Math.ceil(items.length / 2);
    const first = await settle(items.slice(0, middle), signal);
    if (first.kind === 'later') return first;
    const second = await settle(items.slice(middle), signal);
    return second.kind === 'taken' ? first : second;
  };
  const note = (answer: Answer, items: number) => {
    failing = answer.kind === 'taken' ? undefined : answer.reason;
    if (answer.kind !== 'taken') options.failed(answer.reason, items);
  };
  const pauseOf = (answer: Answer, failures: number): number => {
    const doubled = (options.firstPauseMs ?? FIRST_PAUSE_MS) * 2 ** Math.min(failures, MOST_DOUBLINGS);
    const own = Math.min(LONGEST_PAUSE_MS, doubled) * (0.5 + options.random() / 2);
    const asked = answer.kind === 'later' ? (answer.afterMs ?? 0) : 0;
    return Math.max(own, Math.min(LONGEST_RETRY_AFTER_MS, asked));
  };
  /** Undefined: nothing waits. */
  const sendNext = async (signal: AbortSignal): Promise<Answer | undefined> => {
    dropOld();
    const items = batch();
    if (items.length === 0) return undefined;
    const answer = await settle(items, signal);
    if (!signal.aborted) note(answer, items.length);
    return answer;
  };
  const run = async (signal: AbortSignal): Promise<void> => {
    let failures = 0;
    while (!signal.aborted) {
      const answer = await sendNext(signal);
      if (answer === undefined) {
        await Promise.race([woken.promise, pause(LONGEST_PAUSE_MS, signal)]);
        woken = Promise.withResolvers();
      } else if (answer.kind === 'later') {
        await pause(pauseOf(answer, failures++), signal);
      } else failures = 0;
    }
  };
  return {
    add(item) {
      queue.push({ item, bytes: options.bytesOf(item), sinceMs: now() });
      for (let bytes = queuedBytes(); queue.length > limits.mostQueued || bytes > limits.mostQueuedBytes; ) {
        bytes -= queue.shift()?.bytes ?? 0;
        counts.lost += 1;
      }
      woken.resolve();
    },
    report: () => ({ ...counts, ...(failing === undefined ? {} : { failing }) }),
    start() {
      running ??= run(stopped.signal);
    },
    async stop(last) {
      stopped.abort();
      await running;
      while (!last.aborted) {
        const answer = await sendNext(last);
        if (answer === undefined || answer.kind === 'later') break;
      }
      counts.lost += queue.length;
      queue = [];
    },
  };
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await delay(ms, undefined, { signal }).catch(() => undefined);
}
