/** `flamegate record --pid`: one profile of processes of this machine. Neither controller nor cluster are needed; CAP_BPF and CAP_PERFMON are. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type LocalProcess, type LocalProfile, profileProcesses } from '../../agent/local-profile.ts';
import type { AgentLog } from '../../agent/log.ts';
import { foldingOf } from '../../profile/folding.ts';
import { functionCounts } from '../../profile/function-counts.ts';
import { totalCount } from '../../profile/stack-counts.ts';
import { CliError } from '../cli-error.ts';
import { reasonOf } from '../files.ts';
import { nativeFiles } from '../native-files.ts';
import { writeProfile } from '../profile-file.ts';
import { textTable } from '../text-table.ts';
import { visible } from '../visible.ts';
import type { LocalRecord, LocalTarget } from './local-options.ts';
import { containerProcesses, processTree } from './process-tree.ts';

export interface LocalSurroundings {
  /** Undefined where nobody watches. */
  readonly say: ((line: string) => void) | undefined;
  /** Ends the recording early, whole. */
  readonly signal: AbortSignal;
}

const PROC_ROOT = '/proc';
const CGROUP_ROOT = '/sys/fs/cgroup';
const MOST_ROWS = 10;
const SILENT: AgentLog = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  fatal: () => undefined,
};

export async function runLocalRecord(command: LocalRecord, around: LocalSurroundings): Promise<string> {
  const { output, durationMs, frequencyHz } = command;
  const directory = await mkdtemp(join(tmpdir(), 'flamegate-record-'));
  const target = begin(command.target);
  around.say?.(`recording ${target.name} for up to ${durationMs / 1000} s; Ctrl-C ends it early`);
  try {
    const profile = await profileProcesses({
      ...{ pids: target.pids, frequencyHz, durationMs, signal: around.signal, directory, log: SILENT },
      ...{ procRoot: PROC_ROOT, ...nativeFiles() },
    });
    if (profile.stacks.length === 0) {
      throw new CliError('NOTHING_SAMPLED', `${target.name} used no CPU in ${seconds(profile)} s`);
    }
    const { startMs } = profile;
    const facts = { startMs, durationMs: profile.endMs - startMs, frequencyHz, comments: told(profile) };
    await writeProfile(output, profile.stacks, facts);
    return `wrote ${output}: ${told(profile).join('; ')}\n${functionsText(profile)}`;
  } finally {
    await target.end();
    await rm(directory, { recursive: true, force: true });
  }
}

interface BegunTarget {
  readonly name: string;
  pids(): readonly number[];
  /** Throws COMMAND_FAILED where what was started has failed by itself. */
  end(): Promise<void>;
}

function begin(target: LocalTarget): BegunTarget {
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
      return started(target.command, target.args);
  }
}

/** What it prints goes to standard error: standard output is ours. */
function started(command: string, args: readonly string[]): BegunTarget {
  const child = spawn(command, args, { stdio: ['inherit', 2, 2] });
  const exited = new Promise<unknown>((done) => {
    child.once('exit', done);
    child.once('error', done);
  });
  return {
    name: visible(command),
    pids: () => (isRunning(child) ? processTree(PROC_ROOT, child.pid ?? 0) : []),
    async end() {
      const endedByItself = !isRunning(child);
      if (!endedByItself) endTree(child.pid ?? 0);
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

/** Also what a launcher has started: it would stay, and hold the terminal. */
function endTree(pid: number): void {
  for (const each of processTree(PROC_ROOT, pid).toReversed()) {
    try {
      process.kill(each, 'SIGTERM');
    } catch {
      // it has ended meanwhile
    }
  }
}

const isRunning = (child: ChildProcess): boolean =>
  child.pid !== undefined && child.exitCode === null && child.signalCode === null;

const seconds = ({ startMs, endMs }: LocalProfile): string => ((endMs - startMs) / 1_000).toFixed(1);

function told(profile: LocalProfile): readonly string[] {
  const { stacks, lost, truncated, frequencyHz, processes } = profile;
  const samples = totalCount(stacks).toLocaleString('en');
  return [
    `${samples} samples of ${seconds(profile)} s at ${frequencyHz} Hz`,
    ...processes.flatMap(jvmText),
    ...(lost > 0 ? [`${lost.toLocaleString('en')} samples lost`] : []),
    ...(truncated > 0 ? [`${truncated.toLocaleString('en')} stacks lack their root`] : []),
  ];
}

function jvmText({ pid, jvm }: LocalProcess): readonly string[] {
  if (!jvm) return [];
  const leaf = jvm.leaf === undefined ? '' : `, leaf ${jvm.leaf}`;
  return [`JVM ${pid}${jvm.jdk === '' ? '' : ` (${visible(jvm.jdk)})`}: ${jvm.state}, ${jvm.message}${leaf}`];
}

/** Of folded stacks, as reports have them. */
function functionsText({ stacks }: LocalProfile): string {
  const folded = stacks.map(foldingOf(stacks).fold);
  const all = totalCount(folded);
  const share = (count: number) => `${((100 * count) / all).toFixed(1)}%`;
  const rows = [...functionCounts(folded)]
    .sort(([, a], [, b]) => b.self - a.self)
    .slice(0, MOST_ROWS)
    .map(([name, { self, total }]) => [share(self), share(total), visible(name)]);
  return `\n${textTable([['SELF', 'WITH CALLEES', 'FUNCTION'], ...rows]).join('\n')}\n`;
}
