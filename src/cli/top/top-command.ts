/** `flamegate top`: the functions that take a process's CPU, again and again as it runs. */
import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { profileProcesses } from '../../agent/local-profile.ts';
import { type StackCount, totalCount } from '../../profile/stack-counts.ts';
import { begin, SILENT } from '../local/begun-target.ts';
import { nativeFiles } from '../native-files.ts';
import type { Top } from './top-options.ts';
import { type TopShape, topText } from './top-table.ts';

export interface TopTerminal extends Omit<TopShape, 'format'> {
  write(text: string): void;
  readonly signal: AbortSignal;
}

const LONGEST_MS = 24 * 3_600_000;

export async function runTop(command: Top, terminal: TopTerminal): Promise<string> {
  const { frequencyHz, everyMs, times } = command;
  await using scratch = await mkdtempDisposable(join(tmpdir(), 'flamegate-top-'));
  const target = begin(command.target, terminal.signal);
  const enough = new AbortController();
  let tables = 0;
  const folded = (stacks: readonly StackCount[]) => {
    if (enough.signal.aborted || terminal.signal.aborted) return; // what is left of a table's time
    const cpuPercentOfCore = (100 * totalCount(stacks)) / (frequencyHz * (everyMs / 1_000));
    const look = { atMs: Date.now(), of: target.name, cpuPercentOfCore, stacks };
    terminal.write(topText(look, { ...terminal, format: command.format }));
    if (++tables === times) enough.abort();
  };
  try {
    await profileProcesses({
      ...{ pids: target.pids, frequencyHz, durationMs: LONGEST_MS, foldMs: everyMs, folded },
      ...{ signal: AbortSignal.any([terminal.signal, enough.signal]), directory: scratch.path, log: SILENT },
      ...{ procRoot: '/proc', ...nativeFiles() },
    });
    return '';
  } finally {
    await target.end();
  }
}
