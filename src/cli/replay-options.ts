/** The options of `flamegate replay` and `flamegate plan`: margins and times by the names of a gate's spec. */
import { parseDurationMs, parseLatencyMs, parsePercentage, QuantityError } from '../crds/quantities.ts';
import { usageError } from './cli-error.ts';
import type { ArmNames } from './past-evaluations.ts';
import type { Quantile, ReplayOverrides } from './replay.ts';

const text = { type: 'string' } as const;

/** For node:util's parseArgs. */
export const REPLAY_OPTIONS = {
  gate: text,
  database: text,
  baseline: text,
  canary: text,
  'margin-p50': text,
  'margin-p90': text,
  'margin-p95': text,
  'margin-p99': text,
  'margin-p99.9': text,
  'margin-cpu': text,
  'margin-cpu-per-request': text,
  'margin-errors': text,
  'false-failure-rate': text,
  'warm-up': text,
  'min-duration': text,
  deadline: text,
  'pod-variance-factor': text,
  placebos: text,
} as const;

export type ReplayValues = { readonly [Name in keyof typeof REPLAY_OPTIONS]?: string | undefined };

export const OVERRIDES = [
  'margin-p50',
  'margin-p90',
  'margin-p95',
  'margin-p99',
  'margin-p99.9',
  'margin-cpu',
  'margin-cpu-per-request',
  'margin-errors',
  'false-failure-rate',
  'warm-up',
  'min-duration',
  'deadline',
  'pod-variance-factor',
] as const satisfies readonly (keyof typeof REPLAY_OPTIONS)[];

const QUANTILE_NAMES = ['p50', 'p90', 'p95', 'p99', 'p99.9'] as const satisfies readonly Quantile[];

/** Throws a CliError USAGE that names the option. */
export function replayOverrides(values: ReplayValues): ReplayOverrides {
  const percentage = (name: keyof typeof REPLAY_OPTIONS): string | undefined =>
    checked(name, values[name], parsePercentage);
  const duration = (name: keyof typeof REPLAY_OPTIONS): string | undefined =>
    checked(name, values[name], parseDurationMs);
  const latency = QUANTILE_NAMES.flatMap((quantile) => {
    const given = values[`margin-${quantile}`];
    return given === undefined ? [] : [{ quantile, margin: latencyMargin(`margin-${quantile}`, given) }];
  });
  const rate = percentage('false-failure-rate');
  if (rate !== undefined && parsePercentage(rate) === 0) {
    throw usageError('--false-failure-rate must be above 0%: at 0% nothing could ever be proven');
  }
  return withoutUndefined({
    latency,
    cpuFunction: percentage('margin-cpu'),
    cpuPerRequest: percentage('margin-cpu-per-request'),
    errors: percentage('margin-errors'),
    falseFailureRate: rate,
    warmUp: duration('warm-up'),
    min: duration('min-duration'),
    deadline: duration('deadline'),
    podVarianceFactor: varianceFactor(values['pod-variance-factor']),
  });
}

type Given<T> = { readonly [Key in keyof T]: T[Key] | undefined };

const withoutUndefined = (overrides: Given<Required<ReplayOverrides>>): ReplayOverrides =>
  Object.fromEntries(
    Object.entries(overrides).filter(([, value]) => value !== undefined),
  ) as unknown as ReplayOverrides;

function checked(
  name: string,
  given: string | undefined,
  parse: (text: string) => number,
): string | undefined {
  if (given === undefined) return undefined;
  try {
    parse(given);
    return given;
  } catch (cause) {
    if (cause instanceof QuantityError) throw usageError(`--${name}: ${cause.message}`, cause);
    throw cause;
  }
}

/** "10%", "5ms" or both: "10%,2ms", of which the larger counts. */
function latencyMargin(name: string, given: string): { relative?: string; absolute?: string } {
  const parts = given.split(',');
  const relative = parts.find((part) => part.endsWith('%'));
  const absolute = parts.find((part) => !part.endsWith('%'));
  if (parts.length > 2 || (parts.length === 2 && (relative === undefined || absolute === undefined))) {
    throw usageError(`--${name} is a percentage, a latency or both: 10%, 5ms, 10%,2ms`);
  }
  checked(name, relative, parsePercentage);
  checked(name, absolute, parseLatencyMs);
  return { ...(relative === undefined ? {} : { relative }), ...(absolute === undefined ? {} : { absolute }) };
}

function varianceFactor(given: string | undefined): number | undefined {
  if (given === undefined) return undefined;
  const factor = Number(given);
  if (!(factor >= 1 && factor <= 100)) throw usageError('--pod-variance-factor is a number from 1 to 100');
  return factor;
}

const MOST_PLACEBOS = 10_000;

export function mostPlacebos(given: string | undefined): number | undefined {
  if (given === undefined) return undefined;
  const most = Number(given);
  if (Number.isInteger(most) && most >= 1 && most <= MOST_PLACEBOS) return most;
  throw usageError(`--placebos is a whole number from 1 to ${MOST_PLACEBOS}`);
}

/** Both, or none. */
export function armNames({ baseline, canary }: ReplayValues): ArmNames | undefined {
  if ((baseline === undefined) !== (canary === undefined)) {
    throw usageError('--baseline and --canary belong together: give both');
  }
  return baseline === undefined || canary === undefined ? undefined : { baseline, canary };
}
