/**
 * What it costs to count reads, writes and syncs: a call of whoever is asked about, of everybody else, and a call that is none of
 * these; and the stacks of a JVM that syncs all the time (SECONDS=10). Writes bench/results/io.json. Needs cgroup v2.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { hotspotOf, startJvm } from '../src/jvm/testing/a-jvm.ts';
import { flatUnwindLayout } from '../src/jvm/unwind-layout.ts';
import { openSampler, type Sampler } from '../src/native/sampler.ts';
import { javaClassPath } from '../src/native/testing/java-classes.ts';
import { writeResult } from './machine.ts';

const BUILD = fileURLToPath(new URL('../build/', import.meta.url));
const CGROUPS = '/sys/fs/cgroup/unified';
const CALLS = '300000';
const SECONDS = Number(process.env['SECONDS'] ?? 10);
const LEAST_NS = 10_000_000n;

function aSampler(filter: 'cgroup' | 'pid', measure: boolean): Sampler {
  return openSampler({
    objectPath: `${BUILD}cpu.bpf.o`,
    addonPath: `${BUILD}flamegate.node`,
    offCpuObjectPath: `${BUILD}offcpu.bpf.o`,
    ioObjectPath: `${BUILD}io.bpf.o`,
    ...{ frequencyHz: 1, filter, ringBytes: 1 << 20, maxTargets: 16, maxStacks: 10_000, measure },
  });
}

/** CPU nanoseconds of a read and of a call that is no read, by a process of a cgroup. */
async function paceIn(cgroup: string, directory: string): Promise<{ read: number; other: number }> {
  const argv = [
    '-c',
    'echo $$ >"$0/cgroup.procs"; exec "$@"',
    cgroup,
    `${BUILD}io-calls`,
    'pace',
    directory,
    CALLS,
  ];
  const child = spawn('sh', argv, { stdio: ['pipe', 'pipe', 'inherit'] });
  await once(child.stdout, 'data'); // it is ready
  child.stdin.write('\n');
  const [said] = await once(child.stdout, 'data');
  child.kill('SIGKILL');
  await once(child, 'exit');
  const [, read, other] = /^(\d+) (\d+)$/m.exec(String(said)) ?? [];
  return { read: Number(read), other: Number(other) };
}

/** By the process's own account and, in a run of its own, by BPF's run statistics. */
async function paces(asked: string | undefined, busy: string, directory: string) {
  const id = asked === undefined ? undefined : statSync(asked, { bigint: true }).ino;
  const own = aSampler('cgroup', false);
  if (id !== undefined) own.addIo(id, LEAST_NS);
  const cpuNs = await paceIn(busy, directory);
  own.close();
  if (id === undefined) return { cpuNs };
  const measured = aSampler('cgroup', true);
  const begun = performance.now();
  measured.addIo(id, LEAST_NS);
  const attachMs = performance.now() - begun;
  const before = measured.counters().io ?? { runs: 0, runNs: 0 };
  await paceIn(busy, directory);
  const { runs, runNs } = measured.counters().io ?? before;
  const detaching = performance.now();
  measured.removeIo(id);
  const detachMs = performance.now() - detaching;
  measured.close();
  // Each call is a run at its beginning and one at its end.
  return {
    cpuNs,
    bpfNsPerCall: Math.round((2 * (runNs - before.runNs)) / (runs - before.runs)),
    attachMs,
    detachMs,
  };
}

async function calls(directory: string) {
  const [busy, idle] = ['busy', 'idle'].map((name) => join(CGROUPS, `flamegate-io-${name}-${process.pid}`));
  if (busy === undefined || idle === undefined) throw new Error('two names of two');
  for (const cgroup of [busy, idle]) mkdirSync(cgroup);
  try {
    return {
      withoutAnybodyAsking: await paces(undefined, busy, directory),
      ofOthers: await paces(idle, busy, directory),
      ofWhoIsAsked: await paces(busy, busy, directory),
    };
  } finally {
    for (const cgroup of [busy, idle]) rmdirSync(cgroup);
  }
}

/** What the stacks take of this process, which does nothing else. */
async function stacks(directory: string) {
  const program = [`-Djournal.directory=${directory}`, '-cp', javaClassPath('Journal.java'), 'Journal'];
  await using jvm = await startJvm(21, program);
  const sampler = aSampler('pid', true);
  try {
    sampler.addProcess({ pid: jvm.pid, layout: flatUnwindLayout(hotspotOf(jvm).layout) });
    await delay(2_000);
    const idle = process.cpuUsage();
    await delay(SECONDS * 1000);
    const without = process.cpuUsage(idle);
    sampler.addIo(BigInt(jvm.pid), LEAST_NS);
    await delay(2_000); // the first stacks of all
    sampler.take();
    const begun = { cpu: process.cpuUsage(), bpf: sampler.counters().io ?? { runs: 0, runNs: 0 } };
    await delay(SECONDS * 1000);
    const used = process.cpuUsage(begun.cpu);
    const { runs, runNs } = sampler.counters().io ?? begun.bpf;
    const io = sampler.take().io;
    const [target] = io?.targets ?? [];
    const taken = (io?.rows ?? []).reduce((sum, { count }) => sum + count, 0);
    const micros = ({ user, system }: NodeJS.CpuUsage) => user + system;
    return {
      syncsPerSecond: (target?.totals.fileSync.calls ?? 0) / SECONDS,
      estimatedOfExact: taken / (target?.totals.fileSync.calls ?? 1),
      lost: target?.lost.calls ?? 0,
      distinctStacks: io?.rows.length ?? 0,
      corePercent: (micros(used) - micros(without)) / 1e4 / SECONDS,
      bpfNsPerCall: Math.round((2 * (runNs - begun.bpf.runNs)) / (runs - begun.bpf.runs)),
    };
  } finally {
    sampler.close();
  }
}

const directory = mkdtempSync('/var/tmp/flamegate-io-');
try {
  const result = { calls: await calls(directory), stacks: await stacks(directory) };
  console.log(JSON.stringify(result, null, 2));
  console.log(writeResult('io', 'node bench/io.ts', '21', result));
} finally {
  rmSync(directory, { recursive: true });
}
