/** Where the time of slow requests went, against that of normal ones: by route, in milliseconds a request. */
import { foldingOf } from '../profile/folding.ts';
import { functionCounts } from '../profile/function-counts.ts';
import { mergeStacks, type StackCount, totalCount } from '../profile/stack-counts.ts';
import type { ServedRow, Speed } from './served-window.ts';
import { SharedRoutes } from './shared-routes.ts';

/** One container's window, with stacks by their names. */
export interface ServedTimes {
  readonly hz: number;
  readonly otherSamples: number;
  readonly rows: readonly ServedTimesRow[];
}

export interface ServedTimesRow extends Omit<ServedRow, 'samples' | 'waited'> {
  readonly samples: readonly StackCount[];
  /** Counts are nanoseconds; the leaf is what was waited for. */
  readonly waited: readonly StackCount[];
}

export interface SlowTimes {
  /** Of all samples of CPU, the share that belongs to requests of a known route. */
  readonly knownShare: number;
  readonly routes: readonly RouteTimes[];
}

export interface RouteTimes {
  /** `METHOD /route`. */
  readonly route: string;
  readonly slow: SpeedTimes;
  readonly normal: SpeedTimes;
  /** Largest change first. */
  readonly parts: readonly PartTimes[];
  /** Of the time on a CPU, by function, callees included. */
  readonly functions: readonly PartTimes[];
}

export interface SpeedTimes {
  readonly requests: number;
  readonly meanMs: number;
  /** On a CPU, of all of them together. */
  readonly cpuMs: number;
  readonly samples: readonly StackCount[];
  readonly waited: readonly StackCount[];
}

/** Milliseconds a request. */
export interface PartTimes {
  readonly name: string;
  readonly slowMs: number;
  readonly normalMs: number;
}

const MOST_ROUTES = 20;
const MOST_FUNCTIONS = 15;
/** Below, it is not worth a line. */
const LEAST_MS = 0.005;
const UNNAMED = '['; // machinery, and code without a name of its own

export function slowTimes(windows: readonly ServedTimes[], raw = false): SlowTimes {
  const shared = new SharedRoutes();
  const all = windows.flatMap(({ rows, hz }) => rows.map((row) => ({ row, hz })));
  shared.learn(all.map(({ row }) => row));
  const known = all.reduce((sum, { row }) => sum + totalCount(row.samples), 0);
  const other = windows.reduce((sum, { otherSamples }) => sum + otherSamples, 0);
  const byRoute = Map.groupBy(all, ({ row }) => shared.keyOf(row));
  const routes = Array.from(byRoute, ([route, rows]) => routeTimes(route, rows, raw))
    .filter(({ slow, normal }) => slow.requests > 0 && normal.requests > 0)
    .toSorted((a, b) => b.slow.requests - a.slow.requests)
    .slice(0, MOST_ROUTES);
  return { knownShare: known === 0 ? 0 : known / (known + other), routes };
}

interface HzRow {
  readonly row: ServedTimesRow;
  readonly hz: number;
}

function routeTimes(route: string, rows: readonly HzRow[], raw: boolean): RouteTimes {
  const [slow, normal] = [sumOf(rows, 'slow'), sumOf(rows, 'normal')];
  const cpu = [slow.samples, normal.samples] as const;
  const { fold } = foldingOf(...cpu);
  const functionsOf = (stacks: readonly StackCount[]) =>
    new Map(
      Array.from(functionCounts(raw ? stacks : stacks.map(fold)), ([name, { total }]) => [name, total]),
    );
  const stopsAreKnown = slow.stopsKnown >= slow.requests && normal.stopsKnown >= normal.requests;
  const named = compared(slow, normal, functionsOf(slow.cpuMs), functionsOf(normal.cpuMs));
  return {
    route,
    slow: timesOf(slow),
    normal: timesOf(normal),
    parts: compared(slow, normal, partsOf(slow, stopsAreKnown), partsOf(normal, stopsAreKnown)),
    functions: named.filter(({ name }) => !name.startsWith(UNNAMED)).slice(0, MOST_FUNCTIONS),
  };
}

interface SpeedSum {
  readonly requests: number;
  readonly latencyMs: number;
  readonly unreadMs: number;
  readonly stoppedMs: number;
  /** Of so many requests. */
  readonly stopsKnown: number;
  readonly samples: readonly StackCount[];
  /** Counts are milliseconds. */
  readonly cpuMs: readonly StackCount[];
  readonly waited: readonly StackCount[];
}

function sumOf(all: readonly HzRow[], speed: Speed): SpeedSum {
  const rows = all.filter(({ row }) => row.speed === speed);
  const sum = (numberOf: (row: ServedTimesRow) => number) =>
    rows.reduce((total, { row }) => total + numberOf(row), 0);
  return {
    requests: sum((row) => row.requests),
    latencyMs: sum((row) => row.latencyNs) / 1e6,
    unreadMs: sum((row) => row.unreadNs) / 1e6,
    stoppedMs: sum((row) => row.stoppedNs) / 1e6,
    stopsKnown: sum((row) => row.stopsKnown),
    samples: mergeStacks(...rows.map(({ row }) => row.samples)),
    cpuMs: mergeStacks(
      ...rows.map(({ row, hz }) =>
        row.samples.map((stack) => ({ ...stack, count: (stack.count * 1000) / hz })),
      ),
    ),
    waited: mergeStacks(...rows.map(({ row }) => row.waited)),
  };
}

const timesOf = ({ requests, latencyMs, cpuMs, samples, waited }: SpeedSum): SpeedTimes => ({
  ...{ requests, samples, waited, cpuMs: totalCount(cpuMs) },
  meanMs: latencyMs / Math.max(1, requests),
});

export const ON_CPU = 'on a CPU';
export const UNREAD = 'in the socket, not read yet';
export const STOPPED = 'JVM stood still (GC pauses and other safepoints)';
export const UNKNOWN = 'elsewhere: suspended, or not known';

/** In all. What waits during a pause is in both. */
function partsOf(sum: SpeedSum, stopsAreKnown: boolean): ReadonlyMap<string, number> {
  const parts = new Map([
    [ON_CPU, totalCount(sum.cpuMs)],
    [UNREAD, sum.unreadMs],
  ]);
  if (stopsAreKnown) parts.set(STOPPED, sum.stoppedMs);
  for (const { frames, count } of sum.waited) {
    const reason = frames[0] ?? '';
    parts.set(reason, (parts.get(reason) ?? 0) + count / 1e6);
  }
  const known = [...parts.values()].reduce((total, ms) => total + ms, 0);
  return parts.set(UNKNOWN, Math.max(0, sum.latencyMs - known));
}

function compared(
  slow: SpeedSum,
  normal: SpeedSum,
  slowMs: ReadonlyMap<string, number>,
  normalMs: ReadonlyMap<string, number>,
): readonly PartTimes[] {
  const each = (sums: ReadonlyMap<string, number>, name: string, { requests }: SpeedSum) =>
    (sums.get(name) ?? 0) / Math.max(1, requests);
  return Array.from(new Set([...slowMs.keys(), ...normalMs.keys()]), (name) => ({
    name,
    slowMs: each(slowMs, name, slow),
    normalMs: each(normalMs, name, normal),
  }))
    .filter((part) => Math.max(part.slowMs, part.normalMs) >= LEAST_MS)
    .toSorted(
      (a, b) =>
        Math.abs(b.slowMs - b.normalMs) - Math.abs(a.slowMs - a.normalMs) || (a.name < b.name ? -1 : 1),
    );
}
