/** Who waits, as the kernel counts it and as looking at it finds it: real threads that wait in known ways. */
import assert from 'node:assert/strict';
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { cgroupIdOf } from './cgroup-id.ts';
import { frameOf, WAIT_KINDS, type WaitKind } from './frame-word.ts';
import type { SampleBatch } from './sample-batch.ts';
import { aCgroup, aSampler, bpfObjectsOf, endOf, eventually, kernelHas } from './sampler-fixture.ts';

const WAITS = join(import.meta.dirname, '../../build/waits');
const MS = 1_000_000n;

/** A process that waits in a way as soon as it is told to begin; resolves to the function that does, and to its pid. */
async function aWaiter(t: TestContext, way: string, times: number, cgroup?: string) {
  const move = cgroup === undefined ? '' : 'echo $$ >"$0/cgroup.procs"; ';
  const command = [WAITS, way, String(times)];
  const child = spawn('sh', ['-c', `${move}exec "$@"`, cgroup ?? 'sh', ...command], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  t.after(() => endOf(child));
  const { pid } = child;
  assert(pid !== undefined);
  assert.equal(String(await once(child.stdout, 'data')).trim(), 'ready');
  return { pid, begin: () => begun(child) };
}

async function begun(child: ChildProcessByStdio<Writable, Readable, null>): Promise<void> {
  const said = once(child.stdout, 'data');
  child.stdin.write('\n');
  assert.equal(String(await said).trim(), 'done');
}

const totalsIn = (batch: SampleBatch, id: bigint) =>
  batch.waits?.targets.find((target) => target.id === id)?.totals ??
  assert.fail('the target is not in the batch');

/** What each of them waits, of which each lasts for the least time. */
async function totalsOf(t: TestContext, ways: readonly string[], times: number, leastMs: bigint) {
  const sampler = aSampler(t, { filter: 'pid' });
  const waiters = await Promise.all(ways.map((way) => aWaiter(t, way, times)));
  for (const { pid } of waiters) sampler.addWaits(BigInt(pid), leastMs * MS);
  await Promise.all(waiters.map(({ begin }) => begin()));
  const batch = sampler.take();
  return waiters.map(({ pid }) => totalsIn(batch, BigInt(pid)));
}

const WAYS = [
  ['sleep', 'sleep'],
  ['futex', 'futex'],
  ['events', 'events'],
  ['poll', 'poll'],
  ['receive', 'socket'],
  ['read', 'socket'],
] as const satisfies readonly (readonly [string, WaitKind])[];

test('each wait is counted as what it is, with what it lasts beyond the least time', async (t) => {
  const ways = WAYS.map(([way]) => way);

  const totals = await totalsOf(t, ways, 20, 2n);

  for (const [i, [way, kind]] of WAYS.entries()) {
    const { waits = 0, ns = 0 } = totals[i]?.[kind] ?? {};
    assert.equal(waits, 20, `${way}: ${JSON.stringify(totals[i])}`);
    assert(ns >= 20 * 7e6, `${way}: ${ns} ns`); // timeouts of sockets are of whole ticks
  }
});

test('what the disk takes is waited for a file, and a page that it has to bring for memory', async (t) => {
  const [sync, fault] = await totalsOf(t, ['sync', 'fault'], 10, 0n);

  assert(sync && fault);
  assert(sync.file.waits > 0 && sync.file.ns > 0);
  assert.equal(sync.memory.waits, 0);
  assert(fault.memory.waits > 0 && fault.memory.ns > 0, JSON.stringify(fault));
});

test('a thread that has to share its CPU waits for it', async (t) => {
  const [{ runqueue } = assert.fail('no totals')] = await totalsOf(t, ['queue'], 2, 0n);

  assert(runqueue.waits > 2, `${runqueue.waits} waits`);
  assert(runqueue.ns > 10e6, `${runqueue.ns} ns`);
});

test('waits shorter than the least time do not count', async (t) => {
  const [totals] = await totalsOf(t, ['sleep'], 5, 5_000n);

  assert.deepEqual(totals?.sleep, { waits: 0, ns: 0 });
});

test('a wait that goes on counts with what it has lasted, and only with the rest when it ends', async (t) => {
  const sampler = aSampler(t, { filter: 'pid' });
  const { pid, begin } = await aWaiter(t, 'sleep', 200);
  sampler.addWaits(BigInt(pid), 1n * MS);
  const before = performance.now();
  let isDone = false;
  const end = begin().then(() => {
    isDone = true;
  });
  let ns = 0;
  const take = () => {
    ns += totalsIn(sampler.take(), BigInt(pid)).sleep.ns;
  };
  await eventually('it has waited, looked at all the time', () => {
    take();
    return isDone;
  });
  await end;
  take();

  const most = (performance.now() - before) * 1e6;
  assert(ns >= 200 * 8.9e6 && ns <= most, `${ns} ns of 200 waits of 10 ms`);
});

test('looking at it finds what the kernel counts, with what was waited for and the stack of whoever is unwound', async (t) => {
  const cgroup = aCgroup(t);
  const id = cgroupIdOf(cgroup);
  const sampler = aSampler(t);
  const ways: readonly WaitKind[] = ['sleep', 'futex', 'poll'];
  const waiters = await Promise.all(ways.map((way) => aWaiter(t, way, 150, cgroup)));
  const foreigner = await aWaiter(t, 'sleep', 150);
  sampler.addWaits(id, 1n * MS);
  for (const { pid } of waiters) sampler.addProcess({ pid });

  await Promise.all([...waiters, foreigner].map(({ begin }) => begin()));
  const batch = sampler.take();

  const waits = batch.waits ?? assert.fail('no waits');
  const totals = totalsIn(batch, id);
  assert.deepEqual(new Set(waits.rows.map(({ pid }) => pid)), new Set(waiters.map(({ pid }) => pid)));
  for (const kind of ways) {
    const found = nsOf(batch, kind);
    t.diagnostic(`${kind}: ${(found / totals[kind].ns).toFixed(2)} of what the kernel counted`);
    assert(found > 0.4 * totals[kind].ns && found < 1.6 * totals[kind].ns, `${found} of ${totals[kind].ns}`);
  }
  const stacks = waits.rows.map((row) => Array.from(row.user, (at) => frameOf(waits.addresses[at] ?? 0n)));
  assert(stacks.every((frames) => frames.length > 2 && frames.every(({ kind }) => kind === 'address')));
  const { waits: counts, malformed } = sampler.counters();
  assert(counts.scans > 5 && counts.stacks > 5 && counts.threadsFull === 0);
  assert.equal(malformed, 0);
});

function nsOf({ waits }: SampleBatch, kind: WaitKind): number {
  return (waits?.rows ?? []).reduce((sum, { kernel, ns }) => {
    const frame = frameOf(waits?.addresses[kernel[0] ?? 0] ?? 0n);
    return frame.kind === 'wait' && frame.wait === kind ? sum + ns : sum;
  }, 0);
}

test('nothing is in the kernel before somebody asks who waits, and nothing once nobody does', (t) => {
  const before = bpfObjectsOf('self');
  const sampler = aSampler(t, { filter: 'pid' });
  const without = bpfObjectsOf('self');

  sampler.addWaits(4_000_000_000n, MS);
  sampler.addWaits(4_000_000_001n, MS);
  const programs = bpfObjectsOf('self').programs.filter((id) => !without.programs.includes(id));
  assert.equal(programs.length, 1);
  sampler.removeWaits(4_000_000_000n);
  sampler.removeWaits(4_000_000_001n);
  sampler.removeWaits(4_000_000_001n);
  const last = sampler.take();

  assert.deepEqual(last.waits?.targets.map(({ id }) => id).sort(), [4_000_000_000n, 4_000_000_001n]);
  assert.equal(sampler.take().waits, undefined);
  assert.deepEqual(bpfObjectsOf('self'), without);
  assert(without.programs.length > before.programs.length);
});

test('a target that comes back does not count what it waited while it was away', async (t) => {
  const sampler = aSampler(t, { filter: 'pid' });
  const { pid, begin } = await aWaiter(t, 'sleep', 5);
  sampler.addWaits(BigInt(process.pid), MS); // somebody else stays
  sampler.addWaits(BigInt(pid), MS);
  const end = begin();
  await end;
  sampler.removeWaits(BigInt(pid));
  sampler.take();
  sampler.addWaits(BigInt(pid), MS);
  const batch = sampler.take();

  for (const kind of WAIT_KINDS) assert.deepEqual(totalsIn(batch, BigInt(pid))[kind], { waits: 0, ns: 0 });
});

test('without its BPF object the reason is told, and sampling goes on', (t) => {
  const sampler = aSampler(t, { filter: 'pid', offCpuObjectPath: '/nowhere/offcpu.bpf.o' });

  assert.throws(() => sampler.addWaits(1n, MS), { code: 'BPF_OBJECT_INVALID' });
  assert.throws(() => sampler.addWaits(1n, -1n), { code: 'SAMPLER_BAD_OPTION' });
  assert.deepEqual(sampler.take().rows, []);
});

test('a program that ends takes the kernel’s part with it', (t) => {
  const sampler = aSampler(t, { filter: 'pid' });
  const without = bpfObjectsOf('self');
  sampler.addWaits(4_000_000_000n, MS);
  const added = bpfObjectsOf('self').programs.filter((id) => !without.programs.includes(id));
  assert(added.every((id) => kernelHas('program', id)));

  sampler.close();

  assert.deepEqual(bpfObjectsOf('self').programs, []);
});
