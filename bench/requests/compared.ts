/** What the kernel's hooks say of requests, against a capture of the same ones, and against server and client. Pure. */
import { quantile } from '../overhead/paired-ratio.ts';
import type { Asked } from './pace.ts';
import type { Timed } from './timed.ts';

/** The same requests, told by each. */
export interface Told {
  readonly stack: string;
  readonly asked: readonly Asked[];
  readonly captured: readonly Timed[];
  readonly seen: readonly Timed[];
}

export interface RouteExactness {
  readonly stack: string;
  readonly route: string;
  /** That were captured. */
  readonly requests: number;
  /** Of those, the share that was seen. */
  readonly countedShare: number;
  /** Seen and not captured. */
  readonly uncaptured: number;
  readonly p50ErrorMs: number;
  readonly p99ErrorMs: number;
  readonly p50ErrorPercent: number;
  readonly p99ErrorPercent: number;
  /** By the capture. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly clientP99Ms: number;
  /** Requests that are by themselves within 1 % or 0.1 ms of what was captured. */
  readonly eachWithinShare: number;
}

const WITHIN_SHARE = 0.01;
const WITHIN_NS = 1e5;

/** An application's own timer, what was seen, and the client's timer, of each request that has all three. */
export interface InAppTimer {
  readonly stack: string;
  readonly requests: number;
  /** The application's is not the longer one, and the client's not the shorter one. */
  readonly holdsShare: number;
  readonly notBelowAppShare: number;
  readonly notAboveClientShare: number;
  readonly appP50Ms: number;
  readonly seenP50Ms: number;
  readonly clientP50Ms: number;
}

export function exactnessOf({ stack, asked, captured, seen }: Told): readonly RouteExactness[] {
  const seenById = byId(seen);
  return [...Map.groupBy(captured, ({ route }) => route)].map(([route, ofRoute]) => {
    const wire = ofRoute.map(({ latencyNs }) => latencyNs);
    const pairs = ofRoute.flatMap(({ id, latencyNs }) => {
      const one = seenById.get(id);
      return one ? [{ wireNs: latencyNs, seenNs: one.latencyNs }] : [];
    });
    const counted = pairs.map(({ seenNs }) => seenNs);
    const [p50Ns, p99Ns] = [quantile(wire, 0.5), quantile(wire, 0.99)];
    const [p50Off, p99Off] = [quantile(counted, 0.5) - p50Ns, quantile(counted, 0.99) - p99Ns];
    const client = asked.filter((one) => one.route === route).map(({ latencyNs }) => latencyNs);
    return {
      ...{ stack, route, requests: wire.length, countedShare: counted.length / wire.length },
      uncaptured: seen.filter((one) => one.route === route).length - counted.length,
      ...{ p50ErrorMs: milliseconds(p50Off), p99ErrorMs: milliseconds(p99Off) },
      ...{ p50ErrorPercent: percent(p50Off / p50Ns), p99ErrorPercent: percent(p99Off / p99Ns) },
      ...{ p50Ms: milliseconds(p50Ns), p99Ms: milliseconds(p99Ns) },
      clientP99Ms: milliseconds(quantile(client, 0.99)),
      eachWithinShare: pairs.filter(isWithin).length / wire.length,
    };
  });
}

/** Undefined of servers without such a timer. */
export function inAppTimerOf({ stack, asked, seen }: Omit<Told, 'captured'>): InAppTimer | undefined {
  const seenById = byId(seen);
  const all = asked.flatMap(({ id, appNs, tookNs }) => {
    const seenNs = seenById.get(id)?.latencyNs;
    return appNs === undefined || seenNs === undefined ? [] : [{ appNs, seenNs, tookNs }];
  });
  if (all.length === 0) return undefined;
  const share = (holds: (one: (typeof all)[number]) => boolean) => all.filter(holds).length / all.length;
  const middle = (nsOf: (one: (typeof all)[number]) => number) => milliseconds(quantile(all.map(nsOf), 0.5));
  return {
    ...{ stack, requests: all.length },
    holdsShare: share(({ appNs, seenNs, tookNs }) => appNs <= seenNs && seenNs <= tookNs),
    notBelowAppShare: share(({ appNs, seenNs }) => appNs <= seenNs),
    notAboveClientShare: share(({ seenNs, tookNs }) => seenNs <= tookNs),
    appP50Ms: middle(({ appNs }) => appNs),
    seenP50Ms: middle(({ seenNs }) => seenNs),
    clientP50Ms: middle(({ tookNs }) => tookNs),
  };
}

const isWithin = ({ wireNs, seenNs }: { readonly wireNs: number; readonly seenNs: number }): boolean =>
  Math.abs(seenNs - wireNs) <= Math.max(WITHIN_NS, WITHIN_SHARE * wireNs);
const byId = (all: readonly Timed[]): ReadonlyMap<string, Timed> => new Map(all.map((one) => [one.id, one]));
const milliseconds = (ns: number) => Number((ns / 1e6).toFixed(3));
const percent = (share: number) => Number((100 * share).toFixed(2));
