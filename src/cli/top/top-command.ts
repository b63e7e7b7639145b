/** `flamegate top`: the functions that take a process's CPU, again and again as it runs. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { profileProcesses } from '../../agent/local-profile.ts';
import { type StackCount, totalCount } from '../../profile/stack-counts.ts';
import { functionsText } from '../functions-text.ts';
import { begin, SILENT } from '../local/begun-target.ts';
import { nativeFiles } from '../native-files.ts';
import type { Top } from './top-options.ts';

export interface TopTerminal {
  write(text: string): void;
  /** Tables follow each other in one place; else below each other. */
  readonly isTerminal: boolean;
  readonly rows: number;
  readonly signal: AbortSignal;
}

const HEAD_ROWS = 4;
const FROM_THE_TOP = '\u001b[H\u001b[2J'; // ECMA-48: cursor to the first place, erase the screen
const LONGEST_MS = 24 * 3_600_000;

export async function runTop(command: Top, terminal: TopTerminal): Promise<string> {
  const { frequencyHz, everyMs, times } = command;
  const directory = await mkdtemp(join(tmpdir(), 'flamegate-top-'));
  const target = begin(command.target);
  const enough = new AbortController();
  let tables = 0;
  const folded = (stacks: readonly StackCount[]) => {
    if (enough.signal.aborted || terminal.signal.aborted) return; // what is left of a table's time
    const busy = ((100 * totalCount(stacks)) / (frequencyHz * (everyMs / 1_000))).toFixed(0);
    const head = `${new Date().toISOString().slice(11, 19)}  ${target.name}: ${busy}% of a CPU\n\n`;
    const table = functionsText(stacks, Math.max(1, terminal.rows - HEAD_ROWS));
    terminal.write(
      `${terminal.isTerminal ? FROM_THE_TOP : ''}${head}${table}${terminal.isTerminal ? '' : '\n'}`,
    );
    if (++tables === times) enough.abort();
  };
  try {
    await profileProcesses({
      ...{ pids: target.pids, frequencyHz, durationMs: LONGEST_MS, foldMs: everyMs, folded },
      ...{ signal: AbortSignal.any([terminal.signal, enough.signal]), directory, log: SILENT },
      ...{ procRoot: '/proc', ...nativeFiles() },
    });
    return '';
  } finally {
    await target.end();
    await rm(directory, { recursive: true, force: true });
  }
}
