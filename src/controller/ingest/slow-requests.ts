/** GET of where the time of an arm's slow requests went against its normal ones: text, or a page of one route, for people with their own token. */

import { renderDiffPage } from '../../profile/diff-page.ts';
import type { ArmCosts } from '../../profile/flame-measure.ts';
import { type StackCount, totalCount } from '../../profile/stack-counts.ts';
import { type RouteTimes, type SlowTimes, type SpeedTimes, slowTimes } from '../../requests/slow-times.ts';
import { slowTimesText } from '../../requests/slow-times-text.ts';
import type { Arm } from '../../store/window-store.ts';
import { NS_PER_LOOK } from '../report-page/report-views.ts';
import type { Endpoint } from './batches.ts';
import { Refusal, send } from './refusal.ts';
import { PAGE_HEADERS, queryOf, type ReportPageOptions, reportAt, warmUpOf } from './report-page.ts';

export const SLOW_REQUESTS_PATTERN =
  /^\/reports\/v1\/([a-z0-9-]{1,63})\/([a-z0-9.-]{1,253})\/slow(\/flamegraph)?$/;

const TEXT_HEADERS = { 'content-type': 'text/plain; charset=utf-8', 'referrer-policy': 'no-referrer' };

export function slowRequestsEndpoint(options: ReportPageOptions): Endpoint {
  return async (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'https://localhost');
    const [, namespace = '', name = '', page] = SLOW_REQUESTS_PATTERN.exec(pathname) ?? [];
    await options.authenticator.viewer(request, namespace);
    const report = reportAt(options.view, namespace, name);
    const arm = armOf(searchParams.get('arm'));
    const warmUpMs = warmUpOf(report, options);
    const windows = options.store
      .served(queryOf(report, arm, options))
      .filter(({ startMs, podStartedAtMs }) => startMs >= podStartedAtMs + warmUpMs);
    if (windows.length === 0) {
      const sentence = `no requests were seen of the pods of report ${name} (${arm}), or it is more than an hour ago`;
      throw new Refusal(410, 'REPORT_DATA_GONE', sentence);
    }
    const times = slowTimes(windows, searchParams.get('raw') === '1');
    if (page === undefined) {
      send(response, { status: 200, headers: TEXT_HEADERS, body: slowTimesText(arm, times) });
      return;
    }
    const route = routeOf(times, searchParams.get('route'));
    const title = `${namespace}/${report.spec.gate}, ${arm}: slow requests of ${route.route}`;
    send(response, { status: 200, headers: PAGE_HEADERS, body: pageOf(title, route) });
  };
}

function armOf(text: string | null): Arm {
  if (text === 'baseline' || text === 'canary') return text;
  throw new Refusal(400, 'REPORT_QUERY_INVALID', 'arm is baseline or canary');
}

/** Without a wish, the one with the most slow requests. */
function routeOf({ routes }: SlowTimes, wish: string | null): RouteTimes {
  const route = wish === null ? routes[0] : routes.find((each) => each.route === wish);
  if (route !== undefined) return route;
  const known = routes.map((each) => each.route).join(', ');
  throw new Refusal(
    400,
    'REPORT_QUERY_INVALID',
    `there are slow and normal requests of: ${known || 'no route'}`,
  );
}

function pageOf(title: string, { slow, normal }: RouteTimes): string {
  const looks = (stacks: readonly StackCount[]) =>
    stacks.map((stack) => ({ ...stack, count: Math.max(1, Math.round(stack.count / NS_PER_LOOK)) }));
  const waiting = { baseline: looks(normal.waited), canary: looks(slow.waited) };
  const group = 'Of these requests';
  const views = [
    {
      ...{ id: 'cpu', label: 'CPU', group, what: 'CPU' },
      ...{
        baseline: normal.samples,
        canary: slow.samples,
        costs: costsOf(normal, slow, ({ cpuMs }) => cpuMs),
      },
    },
    ...(waiting.baseline.length > 0 && waiting.canary.length > 0
      ? [
          {
            ...{ id: 'waiting', label: 'Waiting', group, what: 'the time that threads waited' },
            ...{ ...waiting, costs: costsOf(normal, slow, ({ waited }) => totalCount(waited) / 1e6) },
          },
        ]
      : []),
  ];
  return renderDiffPage({
    title,
    subtitle: `${slow.requests} slow requests, ${slow.meanMs.toFixed(1)} ms; ${normal.requests} normal ones, ${normal.meanMs.toFixed(1)} ms`,
    sides: { baseline: 'normal ones', canary: 'slow ones' },
    views,
  });
}

function costsOf(normal: SpeedTimes, slow: SpeedTimes, msOf: (times: SpeedTimes) => number): ArmCosts {
  const cost = (times: SpeedTimes) => ({
    ms: msOf(times) / times.requests,
    relativeError: 1 / Math.sqrt(times.requests),
  });
  return { baseline: cost(normal), canary: cost(slow) };
}
