/** The options of `flamegate compare`. */
import { usageError } from '../cli-error.ts';
import { samplingRate } from '../local/local-options.ts';
import { durationOption, percentageOption } from '../quantity-options.ts';

const text = { type: 'string' } as const;

/** For node:util's parseArgs; --baseline, --canary, --warm-up, --deadline, --fail-on, --frequency and --output others have, too. */
export const COMPARE_OPTIONS = { load: text, ready: text, run: text, page: text } as const;

export const COMPARE_TAKES = [
  ...['baseline', 'canary', 'load', 'ready', 'run', 'page'],
  ...['warm-up', 'deadline', 'fail-on', 'frequency', 'output'],
] as const;

export type Readiness =
  /** Answered with a status of 2xx; $PORT in it is the run's. */
  | { readonly kind: 'url'; readonly url: string }
  | { readonly kind: 'wait'; readonly ms: number }
  /** Somebody listens on the run's port. */
  | { readonly kind: 'port' };

export type CompareFormat = (typeof COMPARE_FORMATS)[number];

export interface Compare {
  /** For a shell. */
  readonly baseline: string;
  readonly canary: string;
  readonly load: string | undefined;
  readonly ready: Readiness;
  readonly warmUpMs: number;
  readonly runMs: number;
  readonly deadlineMs: number;
  readonly frequencyHz: number;
  /** Growth of a function that fails: a share of named code. */
  readonly failOn: number;
  readonly format: CompareFormat;
  /** The file its flame graph goes to. */
  readonly page: string | undefined;
}

export interface CompareValues {
  readonly baseline?: string | undefined;
  readonly canary?: string | undefined;
  readonly load?: string | undefined;
  readonly ready?: string | undefined;
  readonly run?: string | undefined;
  readonly page?: string | undefined;
  readonly 'warm-up'?: string | undefined;
  readonly deadline?: string | undefined;
  readonly 'fail-on'?: string | undefined;
  readonly frequency?: string | undefined;
  readonly output?: string | undefined;
}

export const COMPARE_FORMATS = ['text', 'json', 'markdown', 'junit'] as const;
const RIGHT = "compare --baseline 'java -jar a.jar' --canary 'java -jar b.jar' --load 'COMMAND' --fail-on 2%";
const LONGEST_MS = 6 * 3_600_000;
const LONGEST_PART_MS = 3_600_000;
/** Runs of 15 s of a service have some thousand samples at it, of its own each. */
const DEFAULT_HZ = '199';

/** Throws a CliError USAGE that names the option. */
export function compareOptions(values: CompareValues): Compare {
  const { baseline, canary, load } = values;
  if (baseline === undefined || canary === undefined) {
    throw usageError(`compare needs --baseline and --canary: ${RIGHT}`);
  }
  for (const [name, command] of Object.entries({ baseline, canary, load })) {
    if (command?.trim() === '') throw usageError(`--${name} is a command: ${RIGHT}`);
  }
  const warmUpMs = duration('warm-up', values['warm-up'] ?? '10s', 0);
  const runMs = duration('run', values.run ?? '15s', 1_000);
  const deadlineMs = duration('deadline', values.deadline ?? '15m', 0, LONGEST_MS);
  if (deadlineMs < 2 * (warmUpMs + runMs)) {
    throw usageError('--deadline is shorter than one round: twice --warm-up and --run');
  }
  return {
    ...{ baseline, canary, load, warmUpMs, runMs, deadlineMs, ...outputs(values) },
    ready: readiness(values.ready),
    frequencyHz: samplingRate(values.frequency ?? DEFAULT_HZ),
    failOn: margin(values['fail-on'] ?? '2%'),
  };
}

function readiness(given: string | undefined): Readiness {
  if (given === undefined) return { kind: 'port' };
  if (/^https?:\/\/./.test(given)) return { kind: 'url', url: given };
  return { kind: 'wait', ms: duration('ready', given, 0) };
}

function duration(option: string, given: string, shortest: number, longest = LONGEST_PART_MS): number {
  const ms = durationOption(option, given);
  if (ms >= shortest && ms <= longest) return ms;
  throw usageError(`--${option} is ${shortest / 1_000}s to ${longest / 3_600_000}h`);
}

function margin(given: string): number {
  const share = percentageOption('fail-on', given);
  if (share > 0 && share < 1) return share;
  throw usageError('--fail-on is above 0% and below 100%');
}

/** `-o a.html` is a page beside text, as of a report; with --page there is another format beside it. */
function outputs({ output = 'text', page }: CompareValues): Pick<Compare, 'format' | 'page'> {
  const format = COMPARE_FORMATS.find((each) => each === output);
  if (format !== undefined) return { format, page };
  if (output.endsWith('.html') && page === undefined) return { format: 'text', page: output };
  throw usageError(
    `--output of compare is ${COMPARE_FORMATS.join(', ')} or a file.html, not "${output.slice(0, 64)}"`,
  );
}
