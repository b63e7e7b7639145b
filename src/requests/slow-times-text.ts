/** Slow requests against normal ones, as text for a terminal. */
import type { PartTimes, RouteTimes, SlowTimes } from './slow-times.ts';

export function slowTimesText(arm: string, { knownShare, routes }: SlowTimes): string {
  const share = `${(knownShare * 100).toFixed(0)} % of the samples of CPU belong to requests of a known route`;
  const head = `slow requests against normal ones, ${arm}: ${share}; slow is above the route's 95th percentile`;
  if (routes.length === 0) return `${head}\n\nno route has slow requests and normal ones to tell\n`;
  return `${[head, ...routes.map(routeText)].join('\n\n')}\n`;
}

function routeText({ route, slow, normal, parts, functions }: RouteTimes): string {
  const heading = `${route}: ${slow.requests} slow, ${ms(slow.meanMs)} ms; ${normal.requests} normal, ${ms(normal.meanMs)} ms`;
  return [
    heading,
    ...table('MS A REQUEST', parts),
    ...(functions.length === 0 ? [] : table('ON A CPU, WITH CALLEES', functions)),
  ].join('\n');
}

/** Names come last: they are long and never cut. */
function table(title: string, rows: readonly PartTimes[]): readonly string[] {
  const cells = (slow: string, normal: string, change: string, name: string) =>
    `  ${slow.padStart(9)}${normal.padStart(9)}${change.padStart(9)}  ${name}`;
  return [
    cells('SLOW', 'NORMAL', 'CHANGE', title),
    ...rows.map(({ name, slowMs, normalMs }) =>
      cells(ms(slowMs), ms(normalMs), signed(slowMs - normalMs), name),
    ),
  ];
}

const ms = (value: number): string => value.toFixed(2);
const signed = (value: number): string => `${value > 0 ? '+' : ''}${ms(value)}`;
