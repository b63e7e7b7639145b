/** Kubernetes Events (events.k8s.io/v1). Callers record transitions, never samples. */
import type { KubeClient } from './client.ts';

export interface Regarding {
  readonly apiVersion: string;
  readonly kind: string;
  /** Missing of what lives in none: its Events are in `default`, where the API server wants them. */
  readonly namespace?: string;
  readonly name: string;
  readonly uid: string;
}

export interface EventFacts {
  readonly regarding: Regarding;
  readonly type: 'Normal' | 'Warning';
  /** CamelCase, the reason of the condition that changed. */
  readonly reason: string;
  readonly note: string;
  /** CamelCase, what was done or found: `InjectFlags`, `Evaluate`. */
  readonly action: string;
}

export interface EventRecorder {
  /** Never throws and never waits: an Event that cannot be written is counted and reported to `onError`. */
  record(event: EventFacts): void;
  /** Waits for the Events under way. */
  stop(): Promise<void>;
}

export interface RecorderOptions {
  readonly controller: string;
  readonly instance: string;
  readonly now: () => number;
  readonly onError: (error: unknown, event: EventFacts) => void;
}

const MAX_NOTE_BYTES = 1024; // the API server refuses more
const MAX_REASON = 128;
/** The same reason of the same object again within this time is one Event. */
const REPEAT_MS = 10 * 60_000;
const MAX_REMEMBERED = 1_000;

export function eventRecorder(client: KubeClient, options: RecorderOptions): EventRecorder {
  const recent = new Map<string, number>();
  const underWay = new Set<Promise<void>>();
  let sequence = 0;
  return {
    record(event) {
      const nowMs = options.now();
      const key = `${event.regarding.uid} ${event.reason} ${event.note}`;
      if (nowMs - (recent.get(key) ?? Number.NEGATIVE_INFINITY) < REPEAT_MS) {
        return;
      }
      remember(recent, key, nowMs);
      sequence += 1;
      const namespace = event.regarding.namespace ?? 'default';
      const write = client
        .create(
          { apiVersion: 'events.k8s.io/v1', plural: 'events', namespace },
          {
            ...eventObject(event, options, nowMs),
            metadata: {
              namespace,
              name: `${event.regarding.name.slice(0, 200)}.${nowMs.toString(16)}${sequence.toString(16)}`,
            },
          },
        )
        .then(
          () => undefined,
          (error: unknown) => options.onError(error, event),
        )
        .finally(() => underWay.delete(write));
      underWay.add(write);
    },
    async stop() {
      await Promise.allSettled(underWay);
    },
  };
}

function remember(recent: Map<string, number>, key: string, nowMs: number): void {
  recent.delete(key);
  recent.set(key, nowMs);
  const oldest = recent.keys().next().value;
  if (recent.size > MAX_REMEMBERED && oldest !== undefined) {
    recent.delete(oldest);
  }
}

function eventObject(event: EventFacts, options: RecorderOptions, nowMs: number): object {
  return {
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    eventTime: new Date(nowMs).toISOString().replace('Z', '000Z'), // metav1.MicroTime
    reportingController: options.controller,
    reportingInstance: options.instance.slice(0, 128),
    type: event.type,
    reason: event.reason.slice(0, MAX_REASON),
    action: event.action,
    note: cutToBytes(event.note, MAX_NOTE_BYTES),
    regarding: event.regarding,
  };
}

function cutToBytes(text: string, bytes: number): string {
  if (Buffer.byteLength(text) <= bytes) {
    return text;
  }
  const cut = Buffer.from(text)
    .subarray(0, bytes - 3)
    .toString('utf8')
    .replace(/\uFFFD+$/, '');
  return `${cut}…`;
}
