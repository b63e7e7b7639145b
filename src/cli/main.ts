#!/usr/bin/env node
/** `flamegate`, also installed as `kubectl-flamegate`. Results go to standard output, everything else to standard error. */
import { CliError } from './cli-error.ts';
import { type Command, HELP, parseCommandLine } from './command-line.ts';
import { runDiff } from './diff-command.ts';
import { runNoise } from './noise-command.ts';
import { runRecord } from './record-command.ts';
import { runReport } from './report-command.ts';

async function run(command: Command): Promise<string> {
  switch (command.kind) {
    case 'help':
      return HELP;
    case 'diff':
      return runDiff(command);
    case 'report':
      return runReport(command, { useColour: process.stdout.isTTY && process.env['NO_COLOR'] === undefined });
    case 'record':
      return runRecord(command, { say: (line) => process.stderr.write(`${line}\n`), signal: stopSignal() });
    case 'noise':
      return runNoise(command.recordings);
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

function complain(error: unknown): number {
  const code = error instanceof Error && 'code' in error ? `${String(error.code)}: ` : '';
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`flamegate: ${message.startsWith(code) ? '' : code}${message}\n`);
  return error instanceof CliError && error.code === 'USAGE' ? 2 : 1;
}

async function main(argv: readonly string[]): Promise<number> {
  try {
    const text = await run(parseCommandLine(argv));
    await new Promise<void>((done) => process.stdout.write(text, () => done()));
    return 0;
  } catch (error) {
    return complain(error);
  }
}

// Connections to the API server are kept alive for ten seconds, which nobody at a terminal should wait for.
process.exit(await main(process.argv.slice(2)));
