/** For tests: the agent as a process of its own, with what the DaemonSet grants it, and containers for it to watch. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type { TestContext } from 'node:test';
import type { Assignment, SymbolMode } from '../wire/assignment.ts';
import type { Batch, PodWindow } from '../wire/batch-schema.ts';
import type { FixtureController } from './controller-fixture.ts';
import { aDirectory, eventually } from './jvm-fixture.ts';

export const WINDOW_MS = 2_000;

export interface RunningAgent {
  readonly child: ChildProcess;
  readonly spool: string;
  output(): string;
  get(path: string): Promise<{ status: number; text: string }>;
}

/** What the DaemonSet grants; the agent under test has no more. */
export const GRANTED = ['bpf', 'perfmon', 'sys_ptrace', 'dac_read_search', 'chown', 'dac_override', 'kill'];

export interface AgentOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly capabilities?: readonly string[];
  /** A program, and its first arguments, that runs the agent. */
  readonly under?: readonly string[];
}

export function anAgent(
  t: TestContext,
  controller: FixtureController,
  options: AgentOptions = {},
): RunningAgent {
  const { env = {}, capabilities = GRANTED, under = [] } = options;
  t.after(() => ended(child, 'SIGKILL')); // before its directory goes: hooks run in this order
  const spool = env['FLAMEGATE_SPOOL'] ?? aDirectory(t);
  const only = `-all${capabilities.map((name) => `,+${name}`).join('')}`;
  const agent = [...under, process.execPath, `${import.meta.dirname}/main.ts`];
  const child = spawn('setpriv', ['--bounding-set', only, '--inh-caps', '-all', '--', ...agent], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      ...process.env,
      ...{ NODE_NAME: 'n1', FLAMEGATE_CONTROLLER: controller.url.href, FLAMEGATE_SPOOL: spool },
      ...{ FLAMEGATE_CA_FILE: controller.caFile, FLAMEGATE_TOKEN_FILE: controller.tokenFile },
      ...{
        FLAMEGATE_CGROUP_ROOT: '/sys/fs/cgroup',
        FLAMEGATE_HTTP_PORT: '0',
        FLAMEGATE_ATTACH: 'true',
        ...env,
      },
    },
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  const get = async (path: string) => {
    await eventually('the agent listens', () => output.includes('"port"'));
    const answer = await fetch(`http://127.0.0.1:${/"port":(\d+)/.exec(output)?.[1]}${path}`);
    return { status: answer.status, text: await answer.text() };
  };
  return { child, spool, output: () => output, get };
}

export async function ended(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  const exit = new Promise<number | null>((resolve) => child.once('exit', resolve));
  child.kill(signal);
  return exit;
}

/** A container's cgroup, nested as a node of the test cluster nests it. */
export function aContainer(t: TestContext, mount = v2Mount()): { id: string; directory: string } {
  const node = `${mount}/flamegate-agent-test-${process.pid}`;
  const id = Array.from({ length: 64 }, () => Math.floor(Math.random() * 16).toString(16)).join('');
  const parts = ['kubepods', 'burstable', 'podaaaa', id];
  const directory = [node, ...parts].join('/');
  mkdirSync(directory, { recursive: true });
  t.after(async () => {
    const pod = dirname(directory);
    const containers = readdirSync(pod, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    for (const { name } of containers) await emptied(`${pod}/${name}`);
    for (let kept = parts.length - 1; kept >= 0; kept--) {
      const path = [node, ...parts.slice(0, kept)].join('/');
      await eventually(`${path} is empty`, () => removed(path));
    }
  });
  return { id, directory };
}

/** Of a container that a test made, be it beside the first one. */
async function emptied(container: string): Promise<void> {
  for (const pid of readFileSync(`${container}/cgroup.procs`, 'utf8').split('\n').slice(0, -1)) {
    process.kill(Number(pid), 'SIGKILL');
  }
  await eventually(`${container} is empty`, () => removed(container));
}

function v2Mount(): string {
  return /^\S+ (\S+) cgroup2 /m.exec(readFileSync('/proc/self/mounts', 'utf8'))?.[1] ?? '';
}

export function v1Mount(controller: string): string {
  return (
    new RegExp(`^\\S+ (\\S+/${controller}) cgroup `, 'm').exec(
      readFileSync('/proc/self/mounts', 'utf8'),
    )?.[1] ?? ''
  );
}

function removed(path: string): boolean {
  try {
    rmdirSync(path);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ENOENT';
  }
}

export function anAssignment(containerId: string, gated = true, symbols: SymbolMode = 'Auto'): Assignment {
  const container = { namespace: 'shop', pod: 'orders-1', podUid: 'aaaa', container: 'app', containerId };
  const containers = [{ ...container, startedAtMs: Date.now(), gated, symbols }];
  return {
    version: '1',
    store: 'store-of-the-test',
    windowMs: WINDOW_MS,
    frequencyHz: 97,
    containers,
    live: [],
  };
}

export const collapsed = (batch: Batch, pod: PodWindow) =>
  pod.counts.map(([stack, count]) => ({
    names: (batch.stacks[stack] ?? []).map((name) => batch.strings[name]),
    count,
  }));

export const firstProfiled = ({ batches }: FixtureController) =>
  batches.find((batch) => batch.pods[0]?.jvm.state === 'Profiled');
