/** The options of `flamegate record` for processes of this machine. */
import { usageError } from '../cli-error.ts';
import { durationOption } from '../quantity-options.ts';

const text = { type: 'string' } as const;

/** For node:util's parseArgs; --duration and --output are those of recordings of a cluster, too. */
export const LOCAL_OPTIONS = { pid: text, container: text, frequency: text } as const;

/** Whose CPU is recorded. */
export type LocalTarget =
  | { readonly kind: 'pid'; readonly pid: number }
  | { readonly kind: 'container'; readonly containerId: string }
  | { readonly kind: 'command'; readonly command: string; readonly args: readonly string[] };

export interface LocalRecord {
  readonly target: LocalTarget;
  readonly durationMs: number;
  readonly frequencyHz: number;
  /** A file: collapsed stacks by the end of its name (.collapsed, .folded, .txt), else gzipped pprof. */
  readonly output: string;
}

export interface LocalValues {
  readonly pid?: string | undefined;
  readonly container?: string | undefined;
  readonly frequency?: string | undefined;
  readonly duration?: string | undefined;
  readonly output?: string | undefined;
}

const RIGHT = 'record --pid PID -o a.pb.gz, or record -o a.pb.gz -- COMMAND [ARGUMENT...]';
const LONGEST_MS = 24 * 3_600_000;
const HIGHEST_HZ = 199; // a tick costs every CPU 9 to 16 µs beside what is done at it

export const isLocal = (words: readonly string[], { pid, container }: LocalValues): boolean =>
  words.length > 0 || pid !== undefined || container !== undefined;

/** `words`: a command line to start. Throws a CliError USAGE that names the option. */
export function localRecord(words: readonly string[], values: LocalValues): LocalRecord {
  const { duration = '30s', output } = values;
  if (output === undefined) throw usageError(`record needs -o: ${RIGHT}`);
  const durationMs = durationOption('duration', duration);
  if (durationMs < 1_000 || durationMs > LONGEST_MS) throw usageError('--duration is 1s to 24h');
  const target = localTarget(words, values, RIGHT);
  return { target, durationMs, frequencyHz: samplingRate(values.frequency), output };
}

export function localTarget(
  words: readonly string[],
  { pid, container }: Pick<LocalValues, 'pid' | 'container'>,
  right: string,
): LocalTarget {
  const [command, ...args] = words;
  const given = [command, pid, container].filter((each) => each !== undefined).length;
  if (given !== 1) throw usageError(`one of --pid, --container and a command is needed: ${right}`);
  if (command !== undefined) return { kind: 'command', command, args };
  if (container !== undefined) {
    const [, containerId] = /^(?:[a-z-]{1,32}:\/\/)?([0-9a-f]{64})$/.exec(container) ?? [];
    if (containerId !== undefined) return { kind: 'container', containerId };
    throw usageError('--container is an id of 64 hexadecimal digits, as "crictl ps --no-trunc" shows it');
  }
  if (/^[1-9][0-9]{0,6}$/.test(pid ?? '')) return { kind: 'pid', pid: Number(pid) };
  throw usageError(`--pid is the number of a process, not "${pid?.slice(0, 64)}"`);
}

export function samplingRate(text = '97'): number {
  const hz = Number(text);
  if (Number.isInteger(hz) && hz >= 1 && hz <= HIGHEST_HZ) return hz;
  throw usageError(`--frequency is 1 to ${HIGHEST_HZ} samples a second of each busy CPU`);
}
