/** For tests: real processes, real cgroups, and a look at what a process holds of the kernel. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { openSampler, type Sampler, type SamplerOptions } from './sampler.ts';

const BUILD = fileURLToPath(new URL('../../build/', import.meta.url));

export function samplerOptions(options: Partial<SamplerOptions> = {}): SamplerOptions {
  return {
    objectPath: join(BUILD, 'cpu.bpf.o'),
    addonPath: join(BUILD, 'flamegate.node'),
    offCpuObjectPath: join(BUILD, 'offcpu.bpf.o'),
    ioObjectPath: join(BUILD, 'io.bpf.o'),
    frequencyHz: 97,
    filter: 'cgroup',
    ringBytes: 1 << 20,
    maxTargets: 16,
    maxStacks: 10_000,
    ...options,
  };
}

/** A sampler that is closed when the test ends. */
export function aSampler(t: TestContext, options: Partial<SamplerOptions> = {}): Sampler {
  const sampler = openSampler(samplerOptions(options));
  t.after(() => sampler.close());
  return sampler;
}

/** A cgroup v2 directory; it goes with all that runs in it when the test ends. */
export function aCgroup(t: TestContext): string {
  const mount = /^\S+ (\S+) cgroup2 /m.exec(readFileSync('/proc/self/mounts', 'utf8'))?.[1];
  assert(mount !== undefined, 'no cgroup v2 hierarchy is mounted');
  const directory = mkdtempSync(join(mount, 'flamegate-test-'));
  t.after(async () => {
    writeFileSync(join(directory, 'cgroup.kill'), '1');
    await eventually('the cgroup is gone', () => isRemoved(directory));
  });
  return directory;
}

// Busy until the last thread of the last process is gone, which no file tells beforehand.
function isRemoved(cgroup: string): boolean {
  try {
    rmdirSync(cgroup);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EBUSY') return false;
    throw error;
  }
}

/** CPU time of a cgroup so far. */
export function cgroupCpuSeconds(directory: string): number {
  const usec = /^usage_usec (\d+)$/m.exec(readFileSync(join(directory, 'cpu.stat'), 'utf8'))?.[1];
  return Number(usec) / 1e6;
}

/** CPU time of a process' main thread so far. */
export function processCpuSeconds(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[0]) / 1e9;
}

// The limit of CPU time ends them even if the test cannot.
const BUSY_SHELL = ['sh', '-c', 'ulimit -t 15; while :; do :; done'];
const BUSY_IN_KERNEL = ['sh', '-c', 'ulimit -t 15; exec dd if=/dev/zero of=/dev/null bs=1M status=none'];
const RECURSION =
  '(function f(n) { return n > 0 ? 1 + f(n - 1) : (() => { for (;;) Date.now(); })(); })(200)';
const BUSY_DEEP = ['sh', '-c', 'ulimit -t 15; exec "$0" -e "$1"', process.execPath, RECURSION];
const BUSY_IN_SIGNAL = ['sh', '-c', 'ulimit -t 15; exec "$0"', join(BUILD, 'signal-spinner')];
const BUSY = {
  inSignal: BUSY_IN_SIGNAL,
  shell: BUSY_SHELL,
  inKernel: BUSY_IN_KERNEL,
  deep: BUSY_DEEP,
} as const;

/** A process that does nothing but compute, in a cgroup if one is given; killed when the test ends. Resolves to its pid. */
export async function aBusyProcess(
  t: TestContext,
  kind: keyof typeof BUSY,
  cgroup?: string,
): Promise<number> {
  const move = cgroup === undefined ? '' : 'echo $$ >"$0/cgroup.procs"; ';
  const child = spawn('sh', ['-c', `${move}exec "$@"`, cgroup ?? 'sh', ...BUSY[kind]], { stdio: 'ignore' });
  t.after(() => endOf(child));
  const { pid } = child;
  assert(pid !== undefined);
  await eventually('the busy process computes', () => processCpuSeconds(pid) > 0.2);
  return pid;
}

/** Kills a child, unless it has ended already, and waits until it is gone. */
export async function endOf(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}

/** Polls until something holds; fails after a minute. */
export async function eventually(what: string, holds: () => boolean): Promise<void> {
  const end = Date.now() + 60_000;
  while (!holds()) {
    assert(Date.now() < end, `not within a minute: ${what}`);
    await delay(20);
  }
}

/** Ids of the BPF programs and maps that a process has open. */
export function bpfObjectsOf(pid: number | 'self'): { programs: string[]; maps: string[] } {
  const found: { programs: string[]; maps: string[] } = { programs: [], maps: [] };
  for (const fd of descriptorsOf(pid)) {
    const info = `/proc/${pid}/fdinfo/${fd.number}`;
    if (fd.target === 'anon_inode:bpf-prog') found.programs.push(idIn(info, 'prog_id'));
    if (fd.target === 'anon_inode:bpf-map') found.maps.push(idIn(info, 'map_id'));
  }
  return found;
}

/** Whether the kernel has it still, in whoever's hands. */
export function kernelHas(kind: 'program' | 'map', id: string): boolean {
  const { status, stderr } = spawnSync(join(BUILD, 'bpf-object-exists'), [kind, id], { encoding: 'utf8' });
  assert(status === 0 || status === 1, stderr);
  return status === 0;
}

/** The numbers of open files and of threads of this process. */
export function holdings(): { files: number; threads: number } {
  return { files: descriptorsOf('self').length, threads: readdirSync('/proc/self/task').length };
}

function descriptorsOf(pid: number | 'self'): { number: string; target: string }[] {
  return readdirSync(`/proc/${pid}/fd`).flatMap((number) => {
    try {
      return [{ number, target: readlinkSync(`/proc/${pid}/fd/${number}`) }];
    } catch {
      return []; // the descriptor that listed the directory
    }
  });
}

function idIn(fdinfo: string, name: string): string {
  const id = new RegExp(`^${name}:\\s*(\\d+)$`, 'm').exec(readFileSync(fdinfo, 'utf8'))?.[1];
  assert(id !== undefined, `no ${name} in ${fdinfo}`);
  return id;
}
