/** What a report says beside checks and culprits: routes, pods left out, what would settle it, the error rate. Pure. */
import {
  formatDuration,
  formatLatencyMs,
  formatLatencyRange,
  formatSharePercent,
  formatShareRange,
} from '../../crds/quantities.ts';
import type {
  LeftOutPod as ReportedLeftOutPod,
  RouteEffect as ReportedRoute,
  WouldSettle,
} from '../../crds/regression-report.ts';
import type {
  EffectNumbers,
  GateJudgement,
  LeftOutPod,
  RouteEffect,
  Settling,
} from '../../detect/verdict.ts';

// The bounds in the kind's schema.
const MAX_ROUTES = 48;
const MAX_LEFT_OUT = 64;
const MAX_ROUTE = 512;
const MAX_POD = 253;

type Unit = EffectNumbers['unit'];

export const formatIn = (unit: Unit, value: number): string =>
  unit === 'ms' ? formatLatencyMs(value) : formatSharePercent(value);

const changeIn = (unit: Unit, value: number): string =>
  unit === 'ms' ? formatLatencyMs(value, { sign: true }) : formatSharePercent(value, { sign: true });

const rangeIn = (unit: Unit, ends: readonly [number, number]): [string, string] =>
  unit === 'ms' ? formatLatencyRange(ends) : formatShareRange(ends);

export const effectFields = ({ unit, baseline, canary, delta, interval, sinceMs }: EffectNumbers) => ({
  baseline: formatIn(unit, baseline),
  canary: formatIn(unit, canary),
  delta: changeIn(unit, delta),
  interval: rangeIn(unit, interval),
  ...(sinceMs === undefined ? {} : { since: formatDuration(sinceMs) }),
});

export function detailsOf(judgement: GateJudgement) {
  const { requests, routes = [], leaveOnePodOut = [], wouldSettle = [], falseFailureRate } = judgement;
  return {
    ...(requests !== undefined && requests.canary > 0 && { requests: { ...requests } }),
    ...(routes.length > 0 && { routes: routes.slice(0, MAX_ROUTES).map(reportedRoute) }),
    ...(leaveOnePodOut.length > 0 && {
      leaveOnePodOut: leaveOnePodOut.slice(0, MAX_LEFT_OUT).map(reportedLeftOut),
    }),
    ...(wouldSettle.length > 0 && { wouldSettle: wouldSettle.map(reportedSettling) }),
    ...(falseFailureRate !== undefined && {
      falseFailureRate: {
        allowed: formatSharePercent(falseFailureRate.allowed),
        spent: formatSharePercent(falseFailureRate.spent),
      },
    }),
  };
}

const reportedRoute = ({
  check,
  route,
  requests,
  numbers,
  shareOfDelta,
  isGrown,
}: RouteEffect): ReportedRoute => ({
  check,
  route: route.length <= MAX_ROUTE ? route : `${route.slice(0, MAX_ROUTE - 1)}…`,
  requests: Math.round(requests),
  ...(numbers && effectFields(numbers)),
  ...(shareOfDelta === undefined ? {} : { shareOfDelta: `${Math.round(shareOfDelta * 100) + 0}%` }),
  grown: isGrown,
});

function reportedLeftOut({
  pod,
  check,
  effect,
  lower,
  upper,
  verdictWithout,
}: LeftOutPod): ReportedLeftOutPod {
  const unit = check.startsWith('latency.') || check === 'cpu.perRequest' ? 'ms' : 'share';
  const [low, high] = rangeIn(unit, [lower, upper]);
  return {
    pod: pod.slice(0, MAX_POD),
    check,
    effect: changeIn(unit, effect),
    lower: low,
    upper: high,
    verdictWithout,
  };
}

function reportedSettling({ check, unit, deadlineMs, pods, traffic, margin }: Settling): WouldSettle {
  return {
    check,
    ...(deadlineMs === undefined ? {} : { deadline: formatDuration(deadlineMs) }),
    ...(pods === undefined ? {} : { pods: { ...pods } }),
    ...(traffic === undefined ? {} : { traffic: `×${roundedUp(traffic)}` }),
    ...(margin === undefined ? {} : { margin: formatIn(unit, roundedUp(margin)) }),
  };
}

/** To two digits, never below what it takes. */
function roundedUp(value: number): number {
  if (!(value > 0) || !Number.isFinite(value)) return value;
  const unit = 10 ** (Math.floor(Math.log10(value)) - 1);
  return Number((Math.ceil(value / unit - 1e-9) * unit).toPrecision(2));
}
