#!/usr/bin/env node
/** `flamegate`, also installed as `kubectl-flamegate`. Results go to standard output, everything else to standard error. */
import { constants } from 'node:os';
import { CliError, type Outcome } from './cli-error.ts';
import type { Command } from './command.ts';
import { parseCommandLine } from './command-line.ts';
import { HELP } from './help.ts';
import { sayAfterAWhile } from './progress.ts';
import { visible } from './visible.ts';

const COLUMNS_OF_A_FILE = 100;
const ROWS_OF_A_FILE = 24;

/** What a command does that tells nothing of it by itself, should it take long. */
const BUSY_WITH: Readonly<Partial<Record<Command['kind'], string>>> = {
  status: 'asking the API server and the controller …',
  gates: 'asking the API server …',
  report: 'asking the cluster …',
  diff: 'reading both profiles …',
  doctor: 'trying each way of watching …',
  noise: 'reading the recordings …',
  replay: 'judging again …',
  plan: 'judging placebos …',
};

/** Each command loads what it needs: the Kubernetes client alone takes a second. */
async function run(command: Command): Promise<string | Outcome> {
  switch (command.kind) {
    case 'help':
      return HELP;
    case 'diff':
      return (await import('./diff-command.ts')).runDiff(command);
    case 'report':
      return (await import('./report-command.ts')).runReport(command, look());
    case 'status':
      return (await import('./status/status-command.ts')).runStatus(command, look());
    case 'gates':
      return (await import('./status/status-command.ts')).runGateList(command, look());
    case 'completion':
      return (await import('./completion/completion-script.ts')).completionScript(command.shell);
    case 'record':
      return (await import('./record-command.ts')).runRecord(command, {
        say: watched() ?? (() => undefined),
        signal: stopSignal(),
      });
    case 'local':
      return (await import('./local/local-record-command.ts')).runLocalRecord(command, {
        say: watched(),
        signal: stopSignal(),
      });
    case 'ui':
      return (await import('./ui-command.ts')).runUi(command, {
        say: tell, // without its address it is of no use
        signal: stopSignal(),
      });
    case 'top':
      return (await import('./top/top-command.ts')).runTop(command, topTerminal());
    case 'podTop':
    case 'podRecord':
      return (await import('./pod/pod-command.ts')).runOfPod(command, { ...topTerminal(), say: watched() });
    case 'compare':
      return (await import('./compare/compare-command.ts')).runCompare(command, {
        say: watched(),
        signal: stopSignal(),
        random: Math.random,
      });
    case 'doctor':
      return (await import('./doctor/doctor-command.ts')).runDoctor(command);
    case 'noise':
      return (await import('./noise-command.ts')).runNoise(command.recordings);
    case 'replay':
      return (await import('./replay-command.ts')).runReplay(command);
    case 'plan':
      return (await import('./plan-command.ts')).runPlan(command);
    case 'gate':
      return (await import('./gate-wait-command.ts')).runGateWait(command, { say: watched() });
  }
}

/** How what is printed may look. An empty NO_COLOR is none (no-color.org); a terminal that was not told its size says 0. */
const look = () => ({
  useColour: process.stdout.isTTY && (process.env['NO_COLOR'] ?? '') === '',
  columns: (process.stdout.isTTY && process.stdout.columns) || COLUMNS_OF_A_FILE,
});

const topTerminal = () => ({
  write: (text: string) => process.stdout.write(text),
  isTerminal: process.stdout.isTTY,
  rows: (process.stdout.isTTY && process.stdout.rows) || ROWS_OF_A_FILE,
  signal: AbortSignal.any([stopSignal(), unread.signal]),
});

/** Says what goes on, where somebody watches. */
const watched = (): ((line: string) => void) | undefined => (process.stderr.isTTY ? tell : undefined);

/** Much of it is somebody else's words. */
function tell(text: string): void {
  process.stderr.write(`${text.split('\n').map(visible).join('\n')}\n`);
}

/**
 * Aborts at the first Ctrl-C, or when the terminal is closed, so that a recording ends with its index; the second ends the process, and with
 * it what was started for it.
 */
function stopSignal(): AbortSignal {
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(name, () => {
      stop.abort();
      process.once(name, () => process.exit(128 + constants.signals[name])); // as a shell says it
    });
  }
  return stop.signal;
}

/** A verdict's 1 must not be taken for it: what fails has a code of its own. */
const FAILED = 4;
const WRONG_LINE = 2;

function complain(error: unknown): number {
  const code = error instanceof Error && 'code' in error ? `${String(error.code)}: ` : '';
  const message = error instanceof Error ? error.message : String(error);
  tell(`flamegate: ${message.startsWith(code) ? '' : code}${message}`);
  return error instanceof CliError && error.code === 'USAGE' ? WRONG_LINE : FAILED;
}

/** Aborted when nobody reads what is printed any more: `flamegate top --pid 4242 | head`. */
const unread = new AbortController();

/** Who has read enough leaves, which is no failure. Throws FILE_UNWRITABLE for any other. */
async function print(text: string): Promise<void> {
  const written = await new Promise<unknown>((done) => process.stdout.write(text, done));
  const failure = written ?? unread.signal.reason;
  if (!(failure instanceof Error) || ('code' in failure && failure.code === 'EPIPE')) return;
  throw new CliError('FILE_UNWRITABLE', `cannot write to standard output: ${failure.message}`, failure);
}

async function main(argv: readonly string[]): Promise<number> {
  try {
    const command = parseCommandLine(argv);
    const ended = await sayAfterAWhile(run(command), watched(), BUSY_WITH[command.kind]);
    const { text, exitCode } = typeof ended === 'string' ? { text: ended, exitCode: 0 } : ended;
    await print(text);
    return exitCode;
  } catch (error) {
    return complain(error);
  }
}

process.stdout.on('error', (error) => unread.abort(error));
process.stderr.on('error', () => undefined); // nobody is left to tell it
// Connections to the API server are kept alive for ten seconds, which nobody at a terminal should wait for.
process.exit(await main(process.argv.slice(2)));
