/** What is profiled on this machine: found, or started. */
import { type ChildProcess, spawn } from 'node:child_process';
import type { AgentLog } from '../../agent/log.ts';
import { CliError } from '../cli-error.ts';
import { endProcesses } from '../end-processes.ts';
import { reasonOf } from '../files.ts';
import { visible } from '../visible.ts';
import type { LocalTarget } from './local-options.ts';
import { containerProcesses, processTree } from './process-tree.ts';

const PROC_ROOT = '/proc';
const CGROUP_ROOT = '/sys/fs/cgroup';
/** A profile tells what went wrong by itself. */
export const SILENT: AgentLog = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  fatal: () => undefined,
};

export interface BegunTarget {
  readonly name: string;
  pids(): readonly number[];
  /** Throws COMMAND_FAILED where what was started has failed by itself, or stays. */
  end(): Promise<void>;
}

/** `signal`: a Ctrl-C, which a command gets as well. */
export function begin(target: LocalTarget, signal: AbortSignal): BegunTarget {
  switch (target.kind) {
    case 'pid': {
      const { pid } = target;
      if (processTree(PROC_ROOT, pid).length === 0) {
        throw new CliError('PROCESS_NOT_FOUND', `there is no process ${pid}`);
      }
      return { name: `process ${pid}`, pids: () => processTree(PROC_ROOT, pid), end: async () => undefined };
    }
    case 'container': {
      const pids = containerProcesses(CGROUP_ROOT, target.containerId);
      return { name: `container ${target.containerId.slice(0, 12)}`, pids, end: async () => undefined };
    }
    case 'command':
      return started(target.command, target.args, signal);
  }
}

/** What it prints goes to standard error: standard output is ours. */
function started(command: string, args: readonly string[], signal: AbortSignal): BegunTarget {
  const child = spawn(command, args, { stdio: ['inherit', 2, 2] });
  const exited = new Promise<unknown>((done) => {
    child.once('exit', done);
    child.once('error', done);
  });
  // Also what a launcher has started: it would stay, and hold the terminal.
  const pids = () => (isRunning(child) ? processTree(PROC_ROOT, child.pid ?? 0) : []);
  return {
    ...{ name: visible(command), pids },
    async end() {
      const endedByItself = pids().length === 0 && !signal.aborted;
      if (!(await endProcesses(pids))) {
        throw new CliError(
          'COMMAND_FAILED',
          `${visible(command)} cannot be ended: process ${child.pid} stays`,
        );
      }
      const end = await exited;
      if (end instanceof Error) {
        throw new CliError('COMMAND_FAILED', `${visible(command)} was not started: ${reasonOf(end)}`, end);
      }
      if (endedByItself && child.exitCode !== 0) {
        const how = child.exitCode === null ? `by ${child.signalCode}` : `with ${child.exitCode}`;
        throw new CliError('COMMAND_FAILED', `${visible(command)} ended ${how}`);
      }
    },
  };
}

const isRunning = (child: ChildProcess): boolean =>
  child.pid !== undefined && child.exitCode === null && child.signalCode === null;
