/** What is read, written and synced, as the kernel counts it, and by which stacks: real processes whose calls are known. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { cgroupIdOf } from './cgroup-id.ts';
import { frameOf } from './frame-word.ts';
import { IO_KINDS, type IoKind, type IoTarget } from './io-batch.ts';
import type { SampleBatch } from './sample-batch.ts';
import { aCgroup, aSampler, bpfObjectsOf, endOf, holdings } from './sampler-fixture.ts';

const IO_CALLS = join(import.meta.dirname, '../../build/io-calls');
const MS = 1_000_000n;
/** What is done in all, but for the syncs. */
const KNOWN_BYTES: Readonly<Record<IoKind, number>> = {
  fileWrite: 10 * 1000 + 3 * 500 + 3 * 100,
  fileRead: 7 * 100 + 4 * 250 + 2 * 100,
  fileSync: 0,
  socketSend: 3 * 10 + 2 * 20 + 30 + 100,
  socketReceive: 2 * 50 + 70 + 30,
};
const KNOWN_CALLS: Readonly<Record<IoKind, number>> = {
  fileWrite: 16,
  fileRead: 13,
  fileSync: 11,
  socketSend: 7,
  socketReceive: 4,
};

interface Caller {
  readonly pid: number;
  /** Resolves when it has done all it does. */
  begin(): Promise<void>;
}

async function aCaller(t: TestContext, argv: readonly string[], cgroup?: string): Promise<Caller> {
  const directory = mkdtempSync('/var/tmp/flamegate-io-');
  t.after(() => rmSync(directory, { recursive: true }));
  const [way = '', ...rest] = argv;
  const move = cgroup === undefined ? '' : 'echo $$ >"$0/cgroup.procs"; ';
  const command = [IO_CALLS, way, directory, ...rest];
  const child = spawn('sh', ['-c', `${move}exec "$@"`, cgroup ?? 'sh', ...command], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  t.after(() => endOf(child));
  const { pid } = child;
  assert(pid !== undefined);
  assert.equal(String(await once(child.stdout, 'data')).trim(), 'ready');
  return {
    pid,
    async begin() {
      const said = once(child.stdout, 'data');
      child.stdin.write('\n');
      assert.equal(String(await said).trim(), 'done');
    },
  };
}

function targetIn({ io }: SampleBatch, id: bigint): IoTarget {
  return io?.targets.find((target) => target.id === id) ?? assert.fail('the target is not in the batch');
}

const callsIn = ({ totals }: IoTarget) =>
  Object.fromEntries(IO_KINDS.map((kind) => [kind, totals[kind].calls]));

function stacksOf({ io }: SampleBatch, kind: IoKind) {
  const rows = (io?.rows ?? []).filter((row) => row.kind === kind);
  const sum = (of: (row: (typeof rows)[number]) => number) => rows.reduce((all, row) => all + of(row), 0);
  const frames = rows.map((row) => Array.from(row.user, (at) => frameOf(io?.addresses[at] ?? 0n)));
  return { calls: sum(({ count }) => count), ns: sum(({ ns }) => ns), frames };
}

test('every call of a container is counted, with its bytes and how long it took; those of others, of pipes and of no file are not', async (t) => {
  const cgroup = aCgroup(t);
  const id = cgroupIdOf(cgroup);
  const sampler = aSampler(t);
  const caller = await aCaller(t, ['known'], cgroup);
  const foreigner = await aCaller(t, ['known']);
  sampler.addIo(id, 1_000n * MS);

  await Promise.all([caller.begin(), foreigner.begin()]);
  const batch = sampler.take();
  const target = targetIn(batch, id);

  assert.deepEqual(callsIn(target), KNOWN_CALLS);
  for (const kind of IO_KINDS) {
    const { bytes, calls, failed, ns, latency } = target.totals[kind];
    assert.equal(bytes, KNOWN_BYTES[kind], kind);
    assert.equal(failed, kind === 'socketReceive' ? 6 : 0, kind);
    assert.equal(
      latency.reduce((sum, count) => sum + count, 0),
      calls,
      kind,
    );
    const least = latency.reduce(
      (sum, count, bucket) => sum + (bucket === 0 ? 0 : count * 512 * 2 ** bucket),
      0,
    );
    assert(ns > 0 && ns >= least, `${kind}: ${ns} ns, of at least ${least}`);
  }
  assert.equal(target.unseen, 0);
  assert.deepEqual(
    target.lost,
    { calls: KNOWN_CALLS.fileSync, ns: target.totals.fileSync.ns },
    'no stacks without its process',
  );
  assert.deepEqual(batch.io?.rows, []);
  assert.equal(sampler.counters().malformed, 0);
});

test('of syncs there are the stacks, however short they are, and together they are what was counted', async (t) => {
  const sampler = aSampler(t, { filter: 'pid' });
  const caller = await aCaller(t, ['known']);
  const id = BigInt(caller.pid);
  sampler.addProcess({ pid: caller.pid });
  sampler.addIo(id, 5_000n * MS);

  await caller.begin();
  const batch = sampler.take();

  const { calls, ns, frames } = stacksOf(batch, 'fileSync');
  assert.equal(calls, KNOWN_CALLS.fileSync);
  assert.equal(ns, targetIn(batch, id).totals.fileSync.ns);
  assert(frames.every((stack) => stack.length > 3 && stack.every(({ kind }) => kind === 'address')));
  assert.equal(batch.io?.rows.length, frames.length, 'nothing else has stacks');
  assert.deepEqual(targetIn(batch, id).lost, { calls: 0, ns: 0 });
});

test('of many syncs some stacks, drawn by lot, stand for all; what a burst has too much of is counted as lost', async (t) => {
  const sampler = aSampler(t, { filter: 'pid' });
  const caller = await aCaller(t, ['syncs', '1500', '1000']);
  const id = BigInt(caller.pid);
  sampler.addProcess({ pid: caller.pid });
  sampler.addIo(id, 5_000n * MS);

  await caller.begin();
  const batch = sampler.take();

  const { calls, frames } = stacksOf(batch, 'fileSync');
  const { totals, lost } = targetIn(batch, id);
  t.diagnostic(`${calls} in ${frames.length} stacks and ${lost.calls} lost, of ${totals.fileSync.calls}`);
  assert.equal(totals.fileSync.calls, 1500);
  assert(lost.calls > 0 && calls > 64);
  assert(calls + lost.calls > 750 && calls + lost.calls < 2250);
});

test('a send that has to wait has a stack, a receive that waits has none', async (t) => {
  const sampler = aSampler(t, { filter: 'pid' });
  const caller = await aCaller(t, ['waits']);
  const id = BigInt(caller.pid);
  sampler.addProcess({ pid: caller.pid });
  sampler.addIo(id, 10n * MS);

  await caller.begin();
  const batch = sampler.take();

  const { totals } = targetIn(batch, id);
  assert(totals.socketReceive.ns > 20e6 && totals.socketSend.ns > 20e6, JSON.stringify(totals));
  const { calls, ns } = stacksOf(batch, 'socketSend');
  assert.equal(calls, 1);
  assert(ns > 20e6 && ns <= totals.socketSend.ns);
  assert.equal(batch.io?.rows.length, 1);
});

test('nothing is in the kernel before somebody asks, and nothing once nobody does; what was counted is told once', async (t) => {
  const sampler = aSampler(t, { filter: 'pid' });
  const caller = await aCaller(t, ['known']);
  const id = BigInt(caller.pid);
  const without = { ...bpfObjectsOf('self'), ...holdings() };

  sampler.addIo(id, MS);
  sampler.addIo(4_000_000_001n, MS);
  sampler.addIo(id, 2n * MS);
  await caller.begin();
  sampler.removeIo(id);
  sampler.removeIo(4_000_000_001n);
  sampler.removeIo(4_000_000_001n);
  assert.deepEqual({ ...bpfObjectsOf('self'), ...holdings() }, without);
  sampler.addIo(id, MS);
  const batch = sampler.take();
  const again = sampler.take();
  sampler.removeIo(id);
  const last = sampler.take();

  assert.deepEqual(callsIn(targetIn(batch, id)), KNOWN_CALLS);
  assert.deepEqual(Object.values(callsIn(targetIn(again, id))), [0, 0, 0, 0, 0]);
  assert.deepEqual(
    last.io?.targets.map((target) => target.id),
    [id],
  );
  assert.equal(sampler.take().io, undefined);
});

test('without its BPF object the reason is told, and sampling goes on', (t) => {
  const sampler = aSampler(t, { filter: 'pid', ioObjectPath: '/nowhere/io.bpf.o' });

  assert.throws(() => sampler.addIo(1n, MS), { code: 'BPF_OBJECT_INVALID' });
  assert.throws(() => sampler.addIo(1n, -1n), { code: 'SAMPLER_BAD_OPTION' });
  assert.deepEqual(sampler.take().rows, []);
});
