/** Finds the requests that one container's samples belong to. Samples of requests that are not answered wait until they are. */
import {
  type LoggedWindow,
  type RatedRequest,
  type ReceivedRequest,
  RequestLog,
} from '../requests/request-log.ts';
import type { CountedAs } from '../requests/request-tally.ts';
import { type Finding, findRequests, type SampledWork } from '../requests/sample-requests.ts';
import {
  MOST_SERVED_ROUTES,
  type ServedRow,
  type ServedWindow,
  type Speed,
} from '../requests/served-window.ts';
import type { BatchStacks } from './batch-stacks.ts';
import type { NamedFrame } from './window-names.ts';

/** A sample, or a wait. */
export interface TimedSample extends SampledWork {
  readonly frames: readonly NamedFrame[];
  readonly kind: 'samples' | 'waited';
  /** Samples, or nanoseconds. */
  readonly weight: number;
}

export interface OpenRequests {
  readonly open: readonly ReceivedRequest[];
  /** What a request was counted as is by now. */
  readonly labelOf: (counted: CountedAs) => CountedAs;
}

/** A kilobyte each, mostly of names that are shared; what is open for longer than a minute is a stream of events. */
const MOST_HELD = 1_000;
const LONGEST_HELD_NS = 60e9;

export class ContainerServed {
  readonly log = new RequestLog();
  #held: readonly TimedSample[] = [];

  /** What came until now belongs to no window. */
  forget({ labelOf }: OpenRequests): void {
    this.log.take(labelOf, []);
    this.log.keepFrom(Number.POSITIVE_INFINITY);
    this.log.lose();
    this.#held = [];
  }

  /** `unseen`: samples of the window without a moment. */
  fold(
    fresh: readonly TimedSample[],
    { open, labelOf }: OpenRequests,
    { stacks, unseen }: { readonly stacks: BatchStacks; readonly unseen: number },
  ): ServedWindow {
    const logged = this.log.take(labelOf, open);
    const rows = new RowSums(logged);
    const others = { samples: unseen, waited: 0 };
    const held: TimedSample[] = [];
    const samples = [...this.#held, ...fresh];
    const newestNs = samples.reduce((newest, { atNs }) => Math.max(newest, atNs), 0);
    findRequests(logged.requests, samples, logged, (sample, finding) => {
      const mayWait = held.length < MOST_HELD && newestNs - sample.atNs < LONGEST_HELD_NS;
      if (finding.kind === 'open' && mayWait) held.push(sample);
      else if (!rows.add(sample, finding, stacks)) others[sample.kind] += sample.weight;
    });
    this.#held = held;
    const oldestNs = held.reduce((oldest, { atNs }) => Math.min(oldest, atNs), Number.POSITIVE_INFINITY);
    this.log.keepFrom(oldestNs);
    return { otherSamples: others.samples, otherWaitedNs: others.waited, rows: rows.all() };
  }
}

interface RowSum {
  readonly counted: CountedAs;
  readonly key: string;
  readonly speed: Speed;
  requests: number;
  latencyNs: number;
  unreadNs: number;
  stoppedNs: number;
  stopsKnown: number;
  readonly samples: Map<number, number>;
  readonly waited: Map<number, number>;
}

class RowSums {
  readonly #logged: LoggedWindow;
  readonly #rows = new Map<string, RowSum>();
  readonly #routes = new Set<string>();

  constructor(logged: LoggedWindow) {
    this.#logged = logged;
    const { from, to } = logged.ended;
    const requests = new Map<string, number>();
    for (let at = from; at < to; at++) {
      const { key } = logged.rated(at);
      requests.set(key, (requests.get(key) ?? 0) + 1);
    }
    const most = [...requests].toSorted(([, a], [, b]) => b - a).slice(0, MOST_SERVED_ROUTES);
    this.#routes = new Set(most.map(([key]) => key));
    for (let at = from; at < to; at++) this.#count(logged.rated(at));
  }

  /** False where it belongs to none of the rows. */
  add(sample: TimedSample, finding: Finding, stacks: BatchStacks): boolean {
    if (finding.kind !== 'of') return false;
    const requests = finding.requests.map((request) => this.#logged.rated(request));
    const [first] = requests;
    if (!first || requests.some(({ key }) => key !== first.key)) return false;
    const isCertain = requests.every(({ speed }) => speed === first.speed);
    const row = this.#rowOf(first, isCertain ? first.speed : 'unrated');
    const stack = row && stacks.add(sample.frames);
    if (stack === undefined) return false;
    row?.[sample.kind].set(stack, (row[sample.kind].get(stack) ?? 0) + sample.weight);
    return true;
  }

  all(): readonly ServedRow[] {
    return Array.from(this.#rows.values(), (row) => ({
      ...slowestOf(row, this.#logged),
      method: row.counted.method,
      route: row.counted.label.route,
      ...(row.counted.label.byPattern && { byPattern: true as const }),
      speed: row.speed,
      requests: row.requests,
      latencyNs: Math.round(row.latencyNs),
      unreadNs: Math.round(row.unreadNs),
      stoppedNs: Math.round(row.stoppedNs),
      stopsKnown: row.stopsKnown,
      samples: [...row.samples],
      waited: Array.from(row.waited, ([stack, ns]) => [stack, Math.max(1, Math.round(ns))] as const),
    }));
  }

  #count(request: RatedRequest): void {
    const row = this.#rowOf(request, request.speed);
    if (!row) return;
    row.requests += 1;
    row.latencyNs += request.latencyNs;
    row.unreadNs += request.unreadNs;
    row.stoppedNs += request.stoppedNs ?? 0;
    row.stopsKnown += request.stoppedNs === undefined ? 0 : 1;
  }

  /** Samples may be of requests that ended in the window before. */
  #rowOf({ counted, key }: RatedRequest, speed: Speed): RowSum | undefined {
    if (!this.#routes.has(key) && this.#routes.size >= MOST_SERVED_ROUTES) return undefined;
    this.#routes.add(key);
    const known = this.#rows.get(`${speed} ${key}`);
    if (known) return known;
    const sums = { requests: 0, latencyNs: 0, unreadNs: 0, stoppedNs: 0, stopsKnown: 0 };
    const row = { counted, key, speed, ...sums, samples: new Map(), waited: new Map() };
    this.#rows.set(`${speed} ${key}`, row);
    return row;
  }
}

function slowestOf({ key, speed }: RowSum, { slowest }: LoggedWindow): Pick<ServedRow, 'slowest'> {
  const request = speed === 'slow' ? slowest.get(key) : undefined;
  return request === undefined ? {} : { slowest: { ...request, latencyNs: Math.round(request.latencyNs) } };
}
