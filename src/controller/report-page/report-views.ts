/** What can be looked at on a report's page: CPU, what was waited for, slow reads and writes, and CPU by the requests it served. Pure. */
import type { ArmCosts } from '../../profile/flame-measure.ts';
import type { ViewInput } from '../../profile/page-data.ts';
import { mergeStacks, type StackCount, totalCount } from '../../profile/stack-counts.ts';
import { waitFrame } from '../../profile/waiting.ts';
import type { ArmWindow } from '../../requests/arm-windows.ts';
import { requestCost, requestsOfWindow } from '../../requests/arm-windows.ts';
import { SharedRoutes } from '../../requests/shared-routes.ts';
import type { StoredServed, StoredServedRow } from '../../store/stored-served.ts';
import type { StoredTimes } from '../../store/stored-times.ts';

/** What an arm was seen doing, without the windows of pods that were still warming up. */
export interface ArmData {
  readonly windows: readonly (ArmWindow & { readonly stacks: Iterable<StackCount> })[];
  readonly waiting: readonly Pick<StoredTimes, 'stacks'>[];
  readonly io: readonly Pick<StoredTimes, 'stacks'>[];
  readonly served: readonly Pick<StoredServed, 'hz' | 'rows'>[];
}

export interface ArmsData {
  readonly baseline: ArmData;
  readonly canary: ArmData;
}

/** Agents look twenty times a second at who waits (native/wait_scan.cc): as often as a look found them, so noise is that of samples. */
export const NS_PER_LOOK = 50_000_000;
const NS_PER_SLOW_CALL = 10_000_000; // as long as a slow call is by default
const IDLE = waitFrame('idle'); // most of what is waited, and of no interest

const SERVICE = 'The whole service';
const ROUTES = 'CPU of requests to';
const SLOW = 'Slow requests';
const MOST_ROUTES = 6;
const LEAST_SAMPLES = 50; // of a route in both arms: less is no picture

/** CPU first; none where an arm has no samples. */
export function reportViews(arms: ArmsData): readonly ViewInput[] {
  const cpu = both(arms, ({ windows }) => summed(windows));
  if (cpu.baseline.length === 0 || cpu.canary.length === 0) return [];
  const requests = both(arms, ({ windows }) => windows.reduce((sum, one) => sum + requestsOfWindow(one), 0));
  const costs = cpuCosts(arms);
  const waiting = both(arms, ({ waiting: times }) =>
    inUnits(
      summed(times).filter(({ frames }) => frames[0] !== IDLE),
      NS_PER_LOOK,
    ),
  );
  const io = both(arms, ({ io: times }) => inUnits(summed(times), NS_PER_SLOW_CALL));
  const timeCosts = (unitNs: number, of: Both<readonly StackCount[]>): ArmCosts | undefined =>
    costs && {
      baseline: timeCost(of.baseline, unitNs, requests.baseline, costs.baseline.relativeError),
      canary: timeCost(of.canary, unitNs, requests.canary, costs.canary.relativeError),
    };
  const hasWaiting = waiting.baseline.length > 0 && waiting.canary.length > 0;
  const hasIo = io.baseline.length + io.canary.length > 0; // a baseline without any is good news
  return [
    { id: 'cpu', label: 'CPU', group: SERVICE, what: 'CPU', costs, ...cpu },
    ...(hasWaiting
      ? [
          {
            ...{ id: 'waiting', label: 'Waiting', group: SERVICE, what: 'the time that threads waited' },
            ...{ costs: timeCosts(NS_PER_LOOK, waiting), ...waiting },
          },
        ]
      : []),
    ...(hasIo
      ? [
          {
            ...{
              id: 'io',
              label: 'I/O',
              group: SERVICE,
              what: 'the time of slow reads and writes, and of syncs',
            },
            ...{ costs: timeCosts(NS_PER_SLOW_CALL, io), ...io },
          },
        ]
      : []),
    ...servedViews(arms, costs),
  ];
}

interface Both<T> {
  readonly baseline: T;
  readonly canary: T;
}

const both = <T>({ baseline, canary }: ArmsData, of: (arm: ArmData) => T): Both<T> => ({
  baseline: of(baseline),
  canary: of(canary),
});

function cpuCosts(arms: ArmsData): ArmCosts | undefined {
  const { baseline, canary } = both(arms, ({ windows }) => requestCost(windows));
  return baseline === undefined || canary === undefined ? undefined : { baseline, canary };
}

const timeCost = (
  stacks: readonly StackCount[],
  unitNs: number,
  requests: number,
  relativeError: number,
) => ({
  ms: requests === 0 ? 0 : (totalCount(stacks) * unitNs) / 1e6 / requests,
  relativeError,
});

function summed(windows: readonly { readonly stacks: Iterable<StackCount> }[]): readonly StackCount[] {
  const counts = new Map<readonly string[], { -readonly [Field in keyof StackCount]: StackCount[Field] }>();
  for (const { stacks } of windows) {
    for (const stack of stacks) {
      const key = stack.places ?? stack.frames; // equal ones are one array in the store
      const seen = counts.get(key);
      if (seen === undefined) counts.set(key, { ...stack });
      else seen.count += stack.count;
    }
  }
  return [...counts.values()];
}

const inUnits = (stacks: readonly StackCount[], unitNs: number): readonly StackCount[] =>
  stacks.map((stack) => ({ ...stack, count: Math.max(1, Math.round(stack.count / unitNs)) }));

interface Row {
  readonly row: StoredServedRow;
  readonly hz: number;
}

/** By route, the ones with the most samples first; and of slow requests, whatever they asked for. */
function servedViews(arms: ArmsData, whole: ArmCosts | undefined): ViewInput[] {
  const rows = both(arms, ({ served }) =>
    served.flatMap(({ hz, rows: ofWindow }) => ofWindow.map((row) => ({ row, hz }))),
  );
  const shared = new SharedRoutes();
  shared.learn([...rows.baseline, ...rows.canary].map(({ row }) => row));
  const routes = { baseline: byRoute(rows.baseline, shared), canary: byRoute(rows.canary, shared) };
  const view = (
    names: Pick<ViewInput, 'id' | 'label' | 'group' | 'what'>,
    of: Both<readonly Row[]>,
  ): ViewInput[] => {
    const [baseline, canary] = [of.baseline, of.canary].map(samplesOf);
    if (baseline === undefined || canary === undefined) return [];
    if (Math.min(totalCount(baseline), totalCount(canary)) < LEAST_SAMPLES) return [];
    const costs = whole && {
      baseline: servedCost(of.baseline, whole.baseline.relativeError),
      canary: servedCost(of.canary, whole.canary.relativeError),
    };
    return [{ ...names, baseline, canary, costs }];
  };
  const slow = (list: readonly Row[]): readonly Row[] => list.filter(({ row }) => row.speed === 'slow');
  const names = [...routes.canary.keys()].filter((route) => routes.baseline.has(route));
  const byRoutes = names
    .flatMap((route, nth) =>
      view(
        { id: `route${nth}`, label: route, group: ROUTES, what: `CPU of ${route}` },
        { baseline: routes.baseline.get(route) ?? [], canary: routes.canary.get(route) ?? [] },
      ),
    )
    .toSorted((a, b) => totalCount(b.canary) - totalCount(a.canary))
    .slice(0, MOST_ROUTES);
  return [
    ...byRoutes,
    ...view(
      { id: 'slow', label: 'CPU of slow requests', group: SLOW, what: 'CPU of slow requests' },
      { baseline: slow(rows.baseline), canary: slow(rows.canary) },
    ),
  ];
}

const byRoute = (rows: readonly Row[], shared: SharedRoutes): ReadonlyMap<string, readonly Row[]> =>
  Map.groupBy(rows, ({ row }) => shared.keyOf(row));

const samplesOf = (rows: readonly Row[]): readonly StackCount[] =>
  mergeStacks(...rows.map(({ row }) => row.samples));

function servedCost(rows: readonly Row[], relativeError: number) {
  const requests = rows.reduce((sum, { row }) => sum + row.requests, 0);
  const ms = rows.reduce(
    (sum, { row, hz }) => sum + (hz === 0 ? 0 : (1_000 * totalCount(row.samples)) / hz),
    0,
  );
  return { ms: requests === 0 ? 0 : ms / requests, relativeError };
}
