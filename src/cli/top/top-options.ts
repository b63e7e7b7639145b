/** The options of `flamegate top`. */
import { usageError } from '../cli-error.ts';
import { type LocalTarget, localTarget, samplingRate } from '../local/local-options.ts';
import { type OutputFormat, outputFormat } from '../output-format.ts';
import { durationOption } from '../quantity-options.ts';

const text = { type: 'string' } as const;

/** For node:util's parseArgs; --pid, --container and --frequency are those of local recordings, too. */
export const TOP_OPTIONS = { every: text, times: text } as const;

export interface Top {
  readonly target: LocalTarget;
  readonly frequencyHz: number;
  readonly everyMs: number;
  /** How many tables; undefined: until Ctrl-C. */
  readonly times: number | undefined;
  readonly format: OutputFormat;
}

export interface TopValues {
  readonly pid?: string | undefined;
  readonly container?: string | undefined;
  readonly frequency?: string | undefined;
  readonly every?: string | undefined;
  readonly times?: string | undefined;
  readonly output?: string | undefined;
}

const SHORTEST_MS = 1_000;
const LONGEST_MS = 3_600_000;
const MOST_TIMES = 100_000;

/** Throws a CliError USAGE that names the option. */
export function topOptions(values: TopValues): Top {
  const { every = '5s', times } = values;
  const everyMs = durationOption('every', every);
  if (everyMs < SHORTEST_MS || everyMs > LONGEST_MS) throw usageError('--every is 1s to 1h');
  return {
    target: localTarget([], values, 'top --pid PID, top --container ID, or top --pod NAMESPACE/NAME'),
    frequencyHz: samplingRate(values.frequency),
    ...{ everyMs, times: tablesOption(times), format: outputFormat(values.output) },
  };
}

export function tablesOption(times: string | undefined): number | undefined {
  if (times === undefined) return undefined;
  const count = Number(times);
  if (Number.isInteger(count) && count >= 1 && count <= MOST_TIMES) return count;
  throw usageError(`--times is 1 to ${MOST_TIMES}`);
}
