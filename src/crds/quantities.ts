/** Durations and percentages as the kinds spell them ("1h30m", "0.5%"), to numbers and back. */

export class QuantityError extends Error {
  readonly code = 'QUANTITY_INVALID';
  override readonly name = 'QuantityError';
}

/** What a `duration` field may hold: whole hours, minutes and seconds, in this order, at least one of them. */
export const DURATION_PATTERN = '^([0-9]{1,4}h)?([0-9]{1,4}m)?([0-9]{1,5}s)?$';
/** What a `percentage` field may hold: 0% to 100%, at most four decimals. */
export const PERCENTAGE_PATTERN = '^(100(\\.0{1,4})?|[0-9]{1,2}(\\.[0-9]{1,4})?)%$';

/** What a latency's margin may be: whole milliseconds or seconds. */
export const LATENCY_PATTERN = '^[0-9]{1,5}(ms|s)$';

const MS_OF_UNIT: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1_000 };

/** "1h30m" → 5 400 000. Throws a QuantityError for anything a `duration` field would refuse. */
export function parseDurationMs(text: string): number {
  if (text === '' || !new RegExp(DURATION_PATTERN).test(text)) {
    throw new QuantityError(
      `"${text.slice(0, 64)}" is not a duration: write hours, minutes and seconds, like 1h30m or 90s`,
    );
  }
  let totalMs = 0;
  for (const [, amount = '0', unit = 's'] of text.matchAll(/(\d+)([hms])/g)) {
    totalMs += Number(amount) * (MS_OF_UNIT[unit] ?? 0);
  }
  return totalMs;
}

/** "2ms" → 2, "1s" → 1 000. Throws a QuantityError for anything a `latency` field would refuse. */
export function parseLatencyMs(text: string): number {
  if (!new RegExp(LATENCY_PATTERN).test(text)) {
    throw new QuantityError(
      `"${text.slice(0, 64)}" is not a latency: write milliseconds or seconds, like 2ms`,
    );
  }
  return text.endsWith('ms') ? Number(text.slice(0, -2)) : Number(text.slice(0, -1)) * 1_000;
}

/** 12.345 → "12.3ms", 0.0421 → "0.042ms"; a plus before a gain where `sign` is true. What is not finite is "n/a". */
export function formatLatencyMs(ms: number, options: { readonly sign?: boolean } = {}): string {
  if (!Number.isFinite(ms)) {
    return 'n/a';
  }
  const size = Math.abs(ms);
  const plus = options.sign === true ? '+' : '';
  if (size < 0.001) {
    return '0ms';
  }
  const text =
    size >= 100 ? size.toFixed(0) : size >= 10 ? size.toFixed(1) : String(Number(size.toPrecision(3)));
  return `${ms < 0 ? '-' : plus}${text}ms`;
}

/** Both ends of an interval, to the digit that the larger one has: [0.42, 18.31] → ["+0.4ms", "+18.3ms"]. */
export function formatLatencyRange(ms: readonly [number, number]): [string, string] {
  const decimals = decimalsOf(ms, { digits: 3, most: 4 });
  return inOneWay(ms, (value) => `${value.toFixed(decimals)}ms`);
}

/** The same of shares: [-0.0016, 0.0229] → ["-0.16%", "+2.29%"]. */
export function formatShareRange(shares: readonly [number, number]): [string, string] {
  const percents = [shares[0] * 100, shares[1] * 100] as const;
  const decimals = decimalsOf(percents, { digits: largest(percents) >= 1 ? 3 : 2, most: 4 });
  return inOneWay(percents, (value) => `${value.toFixed(decimals)}%`);
}

const largest = (values: readonly number[]): number => Math.max(...values.map(Math.abs));

function decimalsOf(values: readonly number[], { digits, most }: { digits: number; most: number }): number {
  const size = largest(values);
  if (!Number.isFinite(size) || size === 0) return 0;
  return Math.min(most, Math.max(0, digits - 1 - Math.floor(Math.log10(size))));
}

function inOneWay(ends: readonly [number, number], format: (size: number) => string): [string, string] {
  const text = (value: number): string => {
    if (!Number.isFinite(value)) return 'n/a';
    const shown = format(Math.abs(value));
    if (Number.parseFloat(shown) === 0) return shown;
    return `${value < 0 ? '-' : '+'}${shown}`;
  };
  return [text(ends[0]), text(ends[1])];
}

/** An e-value, of its logarithm: how many times likelier the data are than without any change. */
export function formatEvidence(logE: number): string {
  if (!(logE >= 0)) return 'below 1';
  if (logE > LARGEST_LOG_EVIDENCE) return 'over 1000000';
  const value = Math.exp(logE);
  return value < 10 ? value.toFixed(1) : value.toFixed(0);
}

const LARGEST_LOG_EVIDENCE = Math.log(1_000_000); // nobody tells larger ones apart

/** "0.5%" → 0.005. Throws a QuantityError for anything a `percentage` field would refuse. */
export function parsePercentage(text: string): number {
  if (!new RegExp(PERCENTAGE_PATTERN).test(text)) {
    throw new QuantityError(`"${text.slice(0, 64)}" is not a percentage: write 0% to 100%, like 0.5%`);
  }
  return Number(text.slice(0, -1)) / 100;
}

/**
 * A share (0…1, or a difference of two) as a reader wants it: 0.123 → "12.3%", 0.00042 → "0.042%".
 * One decimal from 10 % up, two from 1 % up, else two significant digits; below 0.001 % it is "0%".
 * `sign: true` writes a plus before a gain. What is not finite is "n/a".
 */
export function formatSharePercent(share: number, options: { readonly sign?: boolean } = {}): string {
  if (!Number.isFinite(share)) {
    return 'n/a';
  }
  const percent = Math.abs(share) * 100;
  if (percent < 0.001) {
    return '0%';
  }
  const plus = options.sign === true ? '+' : '';
  return `${share < 0 ? '-' : plus}${percentDigits(percent)}%`;
}

function percentDigits(percent: number): string {
  if (percent >= 1) {
    return percent.toFixed(percent >= 10 ? 1 : 2);
  }
  // toPrecision would write 0.00099 in full, but 1e-7 in exponents; the caller stops at 0.001.
  return String(Number(percent.toPrecision(2)));
}

/** 5 400 000 → "1h30m": the shortest spelling of a whole number of seconds; part seconds are rounded. */
export function formatDuration(durationMs: number): string {
  const seconds = Math.max(0, Math.round(durationMs / 1_000));
  const parts = [
    [Math.floor(seconds / 3_600), 'h'],
    [Math.floor((seconds % 3_600) / 60), 'm'],
    [seconds % 60, 's'],
  ] as const;
  const spelled = parts.filter(([amount]) => amount > 0).map(([amount, unit]) => `${amount}${unit}`);
  return spelled.length === 0 ? '0s' : spelled.join('');
}
