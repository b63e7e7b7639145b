/** What it costs a switch between threads that somebody is asked about who waits, by BPF's run statistics. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openSampler } from '../../src/native/sampler.ts';

export interface SwitchCost {
  readonly switches: number;
  readonly nsPerSwitch: number;
}

const BUILD = fileURLToPath(new URL('../../build/', import.meta.url));
const CGROUPS = '/sys/fs/cgroup/unified';
const THOUSANDS = '200'; // of turns, of two switches each

/** Of threads nobody asks about, and of those that are asked about, both in cgroups. Needs cgroup v2. */
export async function switchCost(): Promise<{ readonly foreign: SwitchCost; readonly own: SwitchCost }> {
  const [busy, idle] = ['busy', 'idle'].map((name) =>
    join(CGROUPS, `flamegate-switch-${name}-${process.pid}`),
  );
  if (busy === undefined || idle === undefined) throw new Error('two names of two');
  for (const cgroup of [busy, idle]) mkdirSync(cgroup);
  try {
    return { foreign: await costOf(idle, busy), own: await costOf(busy, busy) };
  } finally {
    for (const cgroup of [busy, idle]) rmdirSync(cgroup);
  }
}

async function costOf(asked: string, busy: string): Promise<SwitchCost> {
  const sampler = openSampler({
    objectPath: `${BUILD}cpu.bpf.o`,
    addonPath: `${BUILD}flamegate.node`,
    offCpuObjectPath: `${BUILD}offcpu.bpf.o`,
    ioObjectPath: `${BUILD}io.bpf.o`,
    ...{
      frequencyHz: 1,
      filter: 'cgroup',
      ringBytes: 1 << 18,
      maxTargets: 16,
      maxStacks: 1000,
      measure: true,
    },
  });
  try {
    sampler.addWaits(statSync(asked, { bigint: true }).ino, 1_000_000n);
    const turns = ['-c', 'echo $$ >"$0/cgroup.procs"; exec "$@"', busy, `${BUILD}waits`, 'turns', THOUSANDS];
    const child = spawn('sh', turns, { stdio: ['pipe', 'pipe', 'inherit'] });
    await once(child.stdout, 'data'); // it is ready
    const before = sampler.counters().waits.bpf ?? { runs: 0, runNs: 0 };
    child.stdin.write('\n');
    await once(child.stdout, 'data');
    const { runs, runNs } = sampler.counters().waits.bpf ?? before;
    child.kill('SIGKILL');
    await once(child, 'exit');
    const switches = runs - before.runs;
    return { switches, nsPerSwitch: Math.round((runNs - before.runNs) / switches) };
  } finally {
    sampler.close();
  }
}
