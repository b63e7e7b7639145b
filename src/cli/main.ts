#!/usr/bin/env node
/** `flamegate`, also installed as `kubectl-flamegate`. Results go to standard output, everything else to standard error. */
import { CliError, type Outcome } from './cli-error.ts';
import { type Command, HELP, parseCommandLine } from './command-line.ts';
import { runDiff } from './diff-command.ts';
import { runGateWait } from './gate-wait-command.ts';
import { runNoise } from './noise-command.ts';
import { runPlan } from './plan-command.ts';
import { runRecord } from './record-command.ts';
import { runReplay } from './replay-command.ts';
import { runReport } from './report-command.ts';
import { runUi } from './ui-command.ts';

const COLUMNS_OF_A_FILE = 100;

async function run(command: Command): Promise<string | Outcome> {
  switch (command.kind) {
    case 'help':
      return HELP;
    case 'diff':
      return runDiff(command);
    case 'report':
      return runReport(command, {
        useColour: process.stdout.isTTY && process.env['NO_COLOR'] === undefined,
        columns: process.stdout.isTTY ? process.stdout.columns : COLUMNS_OF_A_FILE,
      });
    case 'record':
      return runRecord(command, { say: (line) => process.stderr.write(`${line}\n`), signal: stopSignal() });
    case 'ui':
      return runUi(command, { say: (line) => process.stderr.write(`${line}\n`), signal: stopSignal() });
    case 'noise':
      return runNoise(command.recordings);
    case 'replay':
      return runReplay(command);
    case 'plan':
      return runPlan(command);
    case 'gate':
      return runGateWait(command, {
        say: process.stderr.isTTY ? (line) => process.stderr.write(`${line}\n`) : undefined,
      });
  }
}

/** Aborts at the first Ctrl-C, so that a recording ends with its index; the second ends the process as usual. */
function stopSignal(): AbortSignal {
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.once(name, () => stop.abort());
  }
  return stop.signal;
}

/** A verdict's 1 must not be taken for it: where a script acts on the exit code, a failure has one of its own. */
const VERDICTS: ReadonlySet<Command['kind']> = new Set<Command['kind']>(['replay', 'plan', 'gate']);
const failureOf = (command: Command | undefined): number =>
  command !== undefined && VERDICTS.has(command.kind) ? 4 : 1;

function complain(error: unknown, command: Command | undefined): number {
  const code = error instanceof Error && 'code' in error ? `${String(error.code)}: ` : '';
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`flamegate: ${message.startsWith(code) ? '' : code}${message}\n`);
  return error instanceof CliError && error.code === 'USAGE' ? 2 : failureOf(command);
}

async function main(argv: readonly string[]): Promise<number> {
  let command: Command | undefined;
  try {
    command = parseCommandLine(argv);
    const ended = await run(command);
    const { text, exitCode } = typeof ended === 'string' ? { text: ended, exitCode: 0 } : ended;
    await new Promise<void>((done) => process.stdout.write(text, () => done()));
    return exitCode;
  } catch (error) {
    return complain(error, command);
  }
}

// Connections to the API server are kept alive for ten seconds, which nobody at a terminal should wait for.
process.exit(await main(process.argv.slice(2)));
