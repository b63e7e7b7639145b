import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { cgroupIdOf } from './cgroup-id.ts';
import { onlineCpus } from './online-cpus.ts';
import type { SampleBatch } from './sample-batch.ts';
import { openSampler } from './sampler.ts';
import {
  aBusyProcess,
  aCgroup,
  aSampler,
  cgroupCpuSeconds,
  endOf,
  eventually,
  processCpuSeconds,
  samplerOptions,
} from './sampler-fixture.ts';

// A virtual CPU that its host has stopped misses ticks and is charged for the time all the same, so the ticks that came
// are the measure of the ticks that were due.
test('a cgroup is sampled at the rate of the clock, and nobody else is', async (t) => {
  const cgroup = aCgroup(t);
  const pid = await aBusyProcess(t, 'shell', cgroup);
  await aBusyProcess(t, 'shell');
  const sampler = aSampler(t, { frequencyHz: 97 });

  const before = {
    cpu: cgroupCpuSeconds(cgroup),
    ticks: sampler.counters().total.seen,
    ms: performance.now(),
  };
  sampler.addTarget(cgroupIdOf(cgroup));
  await eventually('it has had 2.5 s of CPU', () => cgroupCpuSeconds(cgroup) - before.cpu > 2.5);
  const batch = sampler.take();
  const cpuSeconds = cgroupCpuSeconds(cgroup) - before.cpu;
  const seconds = (performance.now() - before.ms) / 1000;
  const { total } = sampler.counters();

  assert.deepEqual(new Set(batch.rows.map((row) => row.pid)), new Set([pid]));
  assert.deepEqual(new Set(batch.rows.map((row) => row.target)), new Set([cgroupIdOf(cgroup)]));
  assert(total.filtered > 50, 'the other busy process was not filtered');
  const came = (total.seen - before.ticks) / (97 * seconds * onlineCpus().length);
  const perTick = samplesIn(batch) / (97 * cpuSeconds) / came;
  t.diagnostic(
    `${cpuSeconds.toFixed(2)} CPU-seconds, ${came.toFixed(3)} of the ticks, ${perTick.toFixed(3)} samples each`,
  );
  assert(came > 0.4 && came < 1.05, `${came} of the clock's ticks came`);
  assert(perTick > 0.75 && perTick < 1.25, `${perTick} of the samples expected`);
});

test('by pid, only that process is sampled', async (t) => {
  const cgroup = aCgroup(t);
  const pid = await aBusyProcess(t, 'shell', cgroup);
  await aBusyProcess(t, 'shell', cgroup);
  const sampler = aSampler(t, { filter: 'pid' });

  const before = processCpuSeconds(pid);
  sampler.addTarget(BigInt(pid));
  await eventually('it has had a second of CPU', () => processCpuSeconds(pid) - before > 1);
  const batch = sampler.take();

  assert.deepEqual(new Set(batch.rows.map((row) => row.pid)), new Set([pid]));
  assert.deepEqual(new Set(batch.rows.map((row) => row.target)), new Set([BigInt(pid)]));
  assert(samplesIn(batch) > 50);
});

test('stacks are leaf first, user and kernel apart', async (t) => {
  const cgroup = aCgroup(t);
  await aBusyProcess(t, 'inKernel', cgroup);
  const sampler = aSampler(t);

  const before = cgroupCpuSeconds(cgroup);
  sampler.addTarget(cgroupIdOf(cgroup));
  await eventually('it has had a second of CPU', () => cgroupCpuSeconds(cgroup) - before > 1);
  const { rows, addresses } = sampler.take();

  const addressesOf = (frames: Uint32Array) => Array.from(frames, (frame) => addresses[frame] ?? 0n);
  const kernel = rows.flatMap((row) => addressesOf(row.kernel));
  const user = rows.flatMap((row) => addressesOf(row.user));
  assert(kernel.length > 10 && kernel.every((address) => address >= 1n << 63n));
  assert(user.length > 0 && user.every((address) => address > 0n && address < 1n << 63n));
  const roots = new Set(rows.filter((row) => row.kernel.length > 1).map((row) => row.kernel.at(-1)));
  const leaves = new Set(rows.filter((row) => row.kernel.length > 1).map((row) => row.kernel[0]));
  assert(roots.size < leaves.size, 'every system call enters the kernel by the same door');
  assert.equal(new Set(addresses).size, addresses.length);
});

test('every tick is accounted for', async (t) => {
  const cgroup = aCgroup(t);
  const id = cgroupIdOf(cgroup);
  await aBusyProcess(t, 'deep', cgroup);
  const sampler = aSampler(t, { frequencyHz: 199, ringBytes: 16_384, maxStacks: 5 });

  const before = cgroupCpuSeconds(cgroup);
  sampler.addTarget(id);
  await eventually('it has had a second of CPU', () => cgroupCpuSeconds(cgroup) - before > 1);
  const first = sampler.take();
  await eventually('it has had another', () => cgroupCpuSeconds(cgroup) - before > 2);
  sampler.removeTarget(id);
  const last = sampler.take();
  const { total, perCpu, taken, tableFull, malformed } = sampler.counters();

  for (const batch of [first, last]) {
    assert.deepEqual(
      batch.targets.map((target) => target.id),
      [id],
    );
    assert.equal(batch.targets[0]?.seen, samplesIn(batch) + (batch.targets[0]?.lost ?? Number.NaN));
  }
  const sum = (name: 'seen' | 'lost') => (first.targets[0]?.[name] ?? 0) + (last.targets[0]?.[name] ?? 0);
  assert.equal(taken, samplesIn(first) + samplesIn(last));
  assert.equal(sum('lost'), total.ringFull + tableFull);
  assert.equal(sum('seen'), taken + total.ringFull + tableFull);
  assert.equal(malformed, 0);
  const later = perCpu.reduce((all, cpu) => all + cpu.seen - cpu.idle - cpu.filtered, 0);
  assert.equal(later, sum('seen'));
});

test('a ring that nobody reads loses samples and counts them', async (t) => {
  const pid = await aBusyProcess(t, 'deep');
  const script = fileURLToPath(new URL('testing/stop-draining.ts', import.meta.url));
  const reader = spawn(process.execPath, [script, String(pid)], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => endOf(reader));
  const told = text(reader.stdout);
  await eventually('it has stopped', () => stateOf(reader.pid) === 'T');
  const before = processCpuSeconds(pid);
  await eventually('the ring is full', () => processCpuSeconds(pid) > before + 1);

  reader.kill('SIGCONT');
  const { seen, lost, ringFull } = JSON.parse(await told);

  assert(lost > 20, `${lost} of ${seen}`);
  assert(seen > lost, 'some came through');
  assert.equal(lost, ringFull);
});

test('stacks beyond the limit are lost and counted', async (t) => {
  const cgroup = aCgroup(t);
  await aBusyProcess(t, 'inKernel', cgroup);
  const sampler = aSampler(t, { frequencyHz: 199, maxStacks: 1 });

  const before = cgroupCpuSeconds(cgroup);
  sampler.addTarget(cgroupIdOf(cgroup));
  await eventually('it has had a second of CPU', () => cgroupCpuSeconds(cgroup) - before > 1);
  const batch = sampler.take();

  assert.equal(batch.rows.length, 1);
  assert((batch.targets[0]?.lost ?? 0) > 0);
  assert.equal(sampler.counters().tableFull, batch.targets[0]?.lost);
});

test('a stack deeper than the walk is marked as truncated', async (t) => {
  const cgroup = aCgroup(t);
  await aBusyProcess(t, 'deep', cgroup);
  const sampler = aSampler(t);

  sampler.addTarget(cgroupIdOf(cgroup));
  await eventually('deep stacks were met', () => sampler.counters().total.userTruncated > 10);
  const batch = sampler.take();

  assert((batch.targets[0]?.truncated ?? 0) > 0);
  assert.equal(Math.max(...batch.rows.map((row) => row.user.length)), 127);
});

test('a removed target is not sampled any more, and may come back', async (t) => {
  const pid = await aBusyProcess(t, 'shell');
  const sampler = aSampler(t, { filter: 'pid' });
  const id = BigInt(pid);

  sampler.addTarget(id);
  sampler.addTarget(id);
  await eventually('it is sampled', () => samplesIn(sampler.take()) > 0);
  sampler.removeTarget(id);
  sampler.removeTarget(id);
  sampler.take();
  const before = processCpuSeconds(pid);
  await eventually('it goes on computing', () => processCpuSeconds(pid) - before > 0.3);

  assert.deepEqual(sampler.take().targets, []);
  sampler.addTarget(id);
  await eventually('it is sampled again', () => samplesIn(sampler.take()) > 0);
});

test('a target without a sample is in the batch all the same', (t) => {
  const sampler = aSampler(t, { filter: 'pid' });

  sampler.addTarget(4_000_000_000n);

  const idle = { id: 4_000_000_000n, seen: 0, lost: 0, noUserStack: 0, truncated: 0 };
  assert.deepEqual(sampler.take().targets, [idle]);
});

test('more targets than allowed are refused', (t) => {
  const sampler = aSampler(t, { filter: 'pid', maxTargets: 2 });

  sampler.addTarget(4_000_000_001n);
  sampler.addTarget(4_000_000_002n);

  assert.throws(() => sampler.addTarget(4_000_000_003n), { code: 'SAMPLER_TARGETS_FULL' });
});

test('the kernel tells what the program costs when it is measured', async (t) => {
  const pid = await aBusyProcess(t, 'shell');
  const sampler = aSampler(t, { filter: 'pid', measure: true });

  sampler.addTarget(BigInt(pid));
  await eventually('there are 50 samples', () => sampler.counters().total.seen > 50);
  const { bpf, total } = sampler.counters();

  assert(bpf !== undefined);
  assert(bpf.runs >= 50 && Math.abs(bpf.runs - total.seen) < 50);
  t.diagnostic(`${(bpf.runNs / bpf.runs / 1000).toFixed(1)} µs a tick`);
  assert(bpf.runNs / bpf.runs < 1_000_000);
});

test('options out of range are refused by name', () => {
  const wrong = [
    { frequencyHz: 0 },
    { frequencyHz: 200 },
    { frequencyHz: 49.5 },
    { ringBytes: 1000 },
    { ringBytes: 5000 },
    { ringBytes: 2 ** 40 },
    { maxTargets: 0 },
    { maxStacks: Number.NaN },
  ];

  for (const option of wrong) {
    const [name = ''] = Object.keys(option);
    assert.throws(() => openSampler(samplerOptions(option)), {
      code: 'SAMPLER_BAD_OPTION',
      message: RegExp(name),
    });
  }
});

test('an id of more than 64 bits is refused', (t) => {
  const sampler = aSampler(t);

  assert.throws(() => sampler.addTarget(-1n), { code: 'SAMPLER_BAD_OPTION' });
  assert.throws(() => sampler.addTarget(2n ** 64n), { code: 'SAMPLER_BAD_OPTION' });
});

function samplesIn(batch: SampleBatch): number {
  return batch.rows.reduce((sum, row) => sum + row.count, 0);
}

/** T while it is stopped; undefined when it is gone. */
function stateOf(pid: number | undefined): string | undefined {
  return /\) (\w)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1];
}
