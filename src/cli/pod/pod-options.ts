/** The options of `flamegate record --pod` and `top --pod`. */
import { usageError } from '../cli-error.ts';
import { type OutputFormat, outputFormat } from '../output-format.ts';
import { durationOption } from '../quantity-options.ts';
import { tablesOption } from '../top/top-options.ts';

const text = { type: 'string' } as const;

/** For node:util's parseArgs; --duration, --times and --output others have, too. */
export const POD_OPTIONS = { pod: text } as const;

export interface PodRecord {
  readonly durationMs: number;
  /** A file: collapsed stacks by the end of its name, else gzipped pprof. */
  readonly output: string;
}

export interface PodTop {
  /** How many tables; undefined: until Ctrl-C. */
  readonly times: number | undefined;
  readonly format: OutputFormat;
}

interface PodValues {
  readonly duration?: string | undefined;
  readonly output?: string | undefined;
  readonly times?: string | undefined;
}

const LONGEST_MS = 6 * 3_600_000;

/** Throws a CliError USAGE that names the option. */
export function podRecordOptions({ duration = '30s', output }: PodValues): PodRecord {
  if (output === undefined) throw usageError('record needs -o: record --pod shop/orders-7d4b-x2x -o a.pb.gz');
  const durationMs = durationOption('duration', duration);
  if (durationMs < 1_000 || durationMs > LONGEST_MS) throw usageError('--duration of a pod is 1s to 6h');
  return { durationMs, output };
}

export const podTopOptions = ({ output, times }: PodValues): PodTop => ({
  times: tablesOption(times),
  format: outputFormat(output),
});
