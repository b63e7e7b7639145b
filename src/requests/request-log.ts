/** The requests of one container that samples may belong to: those that ended since its last window, and the latest before. */
import type { CountedAs } from './request-tally.ts';
import { NOBODY, type ServedRequests } from './sample-requests.ts';
import { SPEEDS, type Speed, type TracedRequest } from './served-window.ts';
import { isSampled, traceIdOf } from './trace-parent.ts';

/** A request that was received. Times are of one clock. */
export interface ReceivedRequest {
  readonly process: number;
  /** The thread. */
  readonly receiver: number;
  readonly receivedAtNs: number;
}

/** What an ended one has to say about itself. */
export interface EndedRequest extends ReceivedRequest {
  readonly startedAtNs: number;
  readonly latencyNs: number;
  readonly sender: number;
  readonly status: number;
  readonly outcome: string;
  /** How long the JVM stood still meanwhile, if that is known. */
  readonly stoppedNs: number | undefined;
  /** As TimedExchange has it. */
  readonly traceParent?: string;
}

export interface RatedRequest {
  readonly counted: CountedAs;
  /** `METHOD /route`. */
  readonly key: string;
  readonly latencyNs: number;
  /** Of that, until the application had read it. */
  readonly unreadNs: number;
  readonly stoppedNs: number | undefined;
  readonly speed: Speed;
}

export interface LoggedWindow {
  /** Those that are not answered yet included, as the last ones. */
  readonly requests: ServedRequests;
  /** The numbers of those that ended in the window. */
  readonly ended: { readonly from: number; readonly to: number };
  /** By key, of those that ended in it and were slow the slowest that its caller's trace knows. */
  readonly slowest: ReadonlyMap<string, TracedRequest>;
  /** No request was missed. */
  readonly isWhole: boolean;
  /** Of one that has ended. */
  rated(request: number): RatedRequest;
}

/** 60 bytes each: 1,600 requests a second. */
const MOST_REQUESTS = 16_384;
const FIRST_ROOM = 256;
const SLOW_QUANTILE = 0.95;
/** So many answers of a route are its latest, and fewer than these say nothing of its 95th percentile. */
const LATEST = 200;
const LEAST = 40;
/** Routes of which the latest answers are kept. */
const MOST_ROUTES = 128;
const UNRATED = SPEEDS.indexOf('unrated');
const NOT_KNOWN = -1;

const newColumns = (room: number) => ({
  process: new Uint32Array(room),
  receivedNs: new Float64Array(room),
  endedNs: new Float64Array(room),
  receiver: new Uint32Array(room),
  sender: new Uint32Array(room),
  latencyNs: new Float64Array(room),
  stoppedNs: new Float64Array(room),
  label: new Uint32Array(room),
  isAnswered: new Uint8Array(room),
  speed: new Uint8Array(room),
});
type Columns = ReturnType<typeof newColumns>;

export class RequestLog {
  #columns: Columns = newColumns(FIRST_ROOM);
  #length = 0;
  /** Of them, so many of windows before. */
  #kept = 0;
  #isWhole = false; // in the first window, those from before it began may be open
  #labels: CountedAs[] = [];
  readonly #labelOf = new Map<CountedAs, number>();
  /** Of the window: as many as there are labels. */
  #slowest = new Map<CountedAs, TracedRequest>();
  readonly #latest = new Map<string, number[]>();

  add(request: EndedRequest, counted: CountedAs): void {
    if (this.#length >= MOST_REQUESTS) {
      this.#isWhole = false;
      return;
    }
    const { startedAtNs, latencyNs, sender, stoppedNs = NOT_KNOWN } = request;
    const at = this.#begin(request, startedAtNs + latencyNs);
    const columns = this.#columns;
    columns.sender[at] = sender;
    columns.latencyNs[at] = latencyNs;
    columns.stoppedNs[at] = stoppedNs;
    columns.label[at] = this.#numberOf(counted);
    columns.isAnswered[at] = request.outcome === 'Completed' && request.status < 500 ? 1 : 0;
    columns.speed[at] = UNRATED;
    this.#length += 1;
    this.#trace(request, counted);
  }

  /** Requests were missed. */
  lose(): void {
    this.#isWhole = false;
  }

  /** `labelOf`: what a request was counted as is by now. Valid until the next call of anything else. */
  take(labelOf: (counted: CountedAs) => CountedAs, open: readonly ReceivedRequest[]): LoggedWindow {
    this.#labels = this.#labels.map(labelOf);
    this.#labelOf.clear(); // by what they were counted in, which is over
    const labels = this.#labels;
    const keys = labels.map(keyOf);
    const ended = { from: this.#kept, to: this.#length };
    const slowNs = this.#rate(keys);
    const slowest = this.#slowestBy(labelOf, new Map(keys.map((key, at) => [key, slowNs[at]])));
    let end = this.#length;
    for (const request of open.slice(0, MOST_REQUESTS)) this.#begin(request, Number.POSITIVE_INFINITY, end++);
    const columns = this.#columns;
    const isWhole = this.#isWhole;
    this.#isWhole = true;
    const rated = (at: number): RatedRequest => {
      const number = columns.label[at] ?? 0;
      const latencyNs = columns.latencyNs[at] ?? 0;
      const servedNs = (columns.endedNs[at] ?? 0) - (columns.receivedNs[at] ?? 0);
      const stoppedNs = columns.stoppedNs[at] ?? NOT_KNOWN;
      return {
        counted: labels[number] ?? NO_LABEL,
        key: keys[number] ?? keyOf(NO_LABEL),
        latencyNs,
        unreadNs: Math.min(latencyNs, Math.max(0, latencyNs - servedNs)),
        stoppedNs: stoppedNs === NOT_KNOWN ? undefined : stoppedNs,
        speed: SPEEDS[columns.speed[at] ?? UNRATED] ?? 'unrated',
      };
    };
    return { requests: { ...columns, length: end }, ended, slowest, isWhole, rated };
  }

  /** After a take: those that ended later than this stay, for samples of the next window may belong to them. */
  keepFrom(ns: number): void {
    const columns = this.#columns;
    const labels = this.#labels;
    this.#labels = [];
    let kept = 0;
    for (let at = 0; at < this.#length; at++) {
      const label = labels[columns.label[at] ?? 0];
      if (!((columns.endedNs[at] ?? 0) > ns) || label === undefined) continue;
      for (const column of Object.values(columns)) column[kept] = column[at] ?? 0;
      columns.label[kept] = this.#numberOf(label);
      kept += 1;
    }
    this.#length = kept;
    this.#kept = kept;
    this.#labelOf.clear();
  }

  #begin({ process, receiver, receivedAtNs }: ReceivedRequest, endedNs: number, at = this.#length): number {
    if (at >= this.#columns.process.length) this.#columns = grown(this.#columns);
    const columns = this.#columns;
    columns.process[at] = process;
    columns.receiver[at] = receiver;
    columns.receivedNs[at] = receivedAtNs;
    columns.endedNs[at] = endedNs;
    columns.sender[at] = NOBODY;
    return at;
  }

  #trace({ latencyNs, traceParent = '' }: EndedRequest, counted: CountedAs): void {
    if (traceParent === '' || !isSampled(traceParent)) return;
    const known = this.#slowest.get(counted);
    if (known !== undefined && known.latencyNs >= latencyNs) return;
    this.#slowest.set(counted, { traceId: traceIdOf(traceParent), latencyNs });
  }

  #slowestBy(
    labelOf: (counted: CountedAs) => CountedAs,
    slowNs: ReadonlyMap<string, number | undefined>,
  ): ReadonlyMap<string, TracedRequest> {
    const slowest = new Map<string, TracedRequest>();
    for (const [counted, request] of this.#slowest) {
      const key = keyOf(labelOf(counted));
      const isSlow = request.latencyNs > (slowNs.get(key) ?? Number.POSITIVE_INFINITY);
      if (isSlow && request.latencyNs > (slowest.get(key)?.latencyNs ?? 0)) slowest.set(key, request);
    }
    this.#slowest = new Map();
    return slowest;
  }

  #numberOf(counted: CountedAs): number {
    const known = this.#labelOf.get(counted);
    if (known !== undefined) return known;
    const number = this.#labels.push({ method: counted.method, label: counted.label }) - 1;
    this.#labelOf.set(counted, number);
    return number;
  }

  /** Returns from when on the answers of each key are slow. */
  #rate(keys: readonly string[]): readonly (number | undefined)[] {
    const { label, latencyNs, isAnswered, speed } = this.#columns;
    for (let at = this.#kept; at < this.#length; at++) {
      if (isAnswered[at] === 1) this.#remember(keys[label[at] ?? 0] ?? '', latencyNs[at] ?? 0);
    }
    const slowNs = keys.map((key) => slowFrom(this.#latest.get(key)));
    for (let at = this.#kept; at < this.#length; at++) {
      const from = slowNs[label[at] ?? 0];
      if (isAnswered[at] === 0 || from === undefined) continue;
      speed[at] = SPEEDS.indexOf((latencyNs[at] ?? 0) > from ? 'slow' : 'normal');
    }
    return slowNs;
  }

  #remember(key: string, latencyNs: number): void {
    const latest = this.#latest.get(key) ?? [];
    const [oldest] = this.#latest.keys();
    const isFull = latest.length === 0 && this.#latest.size >= MOST_ROUTES;
    if (isFull && oldest !== undefined) this.#latest.delete(oldest); // routes that were folded are not met again
    latest.push(latencyNs);
    if (latest.length > LATEST) latest.shift();
    this.#latest.set(key, latest);
  }
}

const NO_LABEL: CountedAs = { method: 'other', label: { route: 'other', byPattern: false } };

const keyOf = ({ method, label }: CountedAs): string => `${method} ${label.route}`;

function grown(columns: Columns): Columns {
  const twice = newColumns(2 * columns.process.length);
  for (const name of Object.keys(columns) as (keyof Columns)[]) twice[name].set(columns[name]);
  return twice;
}

function slowFrom(latest: readonly number[] | undefined): number | undefined {
  if (latest === undefined || latest.length < LEAST) return undefined;
  return latest.toSorted((a, b) => a - b)[Math.floor((latest.length - 1) * SLOW_QUANTILE)];
}
