/** What would have settled an evaluation, in a sentence. */
import type { Settling } from './verdict.ts';

/** "for latency.p99 a deadline of 52 min, 3 + 6 pods, 2.1 times the traffic or a margin of 11.4 ms; for errors …". */
export const settlingText = (all: readonly Settling[]): string => all.map(ofCheck).join('; ');

function ofCheck({ check, unit, deadlineMs, pods, traffic, margin }: Settling): string {
  const ways = [
    ...(deadlineMs === undefined ? [] : [`a deadline of ${deadlineMs / 60_000} min`]),
    ...(pods === undefined ? [] : [`${pods.baseline} + ${pods.canary} pods`]),
    ...(traffic === undefined ? [] : [`${digits(traffic)} times the traffic`]),
    ...(margin === undefined
      ? []
      : [`a margin of ${unit === 'ms' ? `${digits(margin)} ms` : `${digits(margin * 100)} %`}`]),
  ];
  if (ways.length === 0) return `for ${check} none of time, pods, traffic or margin`;
  return `for ${check} ${listed(ways)}`;
}

const listed = (ways: readonly string[]): string =>
  ways.length < 2 ? ways.join('') : `${ways.slice(0, -1).join(', ')} or ${ways.at(-1)}`;

/** To two digits, never below what it takes. */
function digits(value: number): string {
  const unit = 10 ** (Math.floor(Math.log10(value)) - 1);
  return String(Number((Math.ceil(value / unit - 1e-9) * unit).toPrecision(2)));
}
