/**
 * A shell command with everything it starts: ended whole, also what has left its parent or its process group. All of it bears one
 * variable in its environment, as build servers tell the processes of a job.
 */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { CliError } from '../cli-error.ts';
import { endProcesses, signalled } from '../end-processes.ts';
import { processTree } from '../local/process-tree.ts';
import { visible } from '../visible.ts';

export interface MarkedCommand {
  /** Itself and what it started, as far as it still has its parent. */
  pids(): readonly number[];
  /** What it ended with, by itself; undefined while it runs. */
  ended(): string | undefined;
  /** SIGTERM to all, SIGKILL to who is there after ten seconds; returns when none is. Throws COMMAND_FAILED where one stays. */
  end(): Promise<void>;
}

const PROC_ROOT = '/proc';
const MARK = 'FLAMEGATE_RUN';

/** What it prints goes to standard error: standard output is ours. */
export function startMarked(command: string, environment: Readonly<Record<string, string>>): MarkedCommand {
  const mark = randomUUID();
  const child = spawn('/bin/sh', ['-c', command], {
    stdio: ['ignore', 2, 2],
    detached: true, // Ctrl-C is ours to answer
    env: { ...process.env, ...environment, [MARK]: mark },
  });
  let end: string | undefined;
  child.once('exit', (code, signal) => {
    end = code === null ? `by ${signal}` : `with ${code}`;
  });
  child.once('error', ({ message }) => {
    end = message;
  });
  const tree = () => (child.pid === undefined ? [] : processTree(PROC_ROOT, child.pid));
  const all = () => [...new Set([...(end === undefined ? tree() : []), ...bearing(mark)])];
  const endAtOnce = () => {
    for (const pid of all()) signalled(pid, 'SIGKILL');
  };
  process.once('exit', endAtOnce); // of who does not wait for the end: a terminal no longer reaches it
  return {
    pids: () => (end === undefined ? tree() : []),
    ended: () => end,
    async end() {
      const areGone = await endProcesses(all);
      process.off('exit', endAtOnce);
      if (areGone) return;
      throw new CliError(
        'COMMAND_FAILED',
        `${visible(command)} cannot be ended: process ${all().join(', ')} stays`,
      );
    },
  };
}

/** Zombies have no environment any more. */
function bearing(mark: string): readonly number[] {
  return readdirSync(PROC_ROOT)
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && bears(pid, mark));
}

function bears(pid: number, mark: string): boolean {
  try {
    return readFileSync(`${PROC_ROOT}/${pid}/environ`, 'latin1').includes(`${MARK}=${mark}`);
  } catch {
    return false; // another user's, or it has ended
  }
}
