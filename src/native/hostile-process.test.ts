/** Processes that end, lie or make no sense, while they are unwound. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { hotspotOf } from '../jvm/testing/a-jvm.ts';
import { flatUnwindLayout, UNWIND_FIELDS } from '../jvm/unwind-layout.ts';
import { loadAddon } from './addon.ts';
import { frameOf } from './frame-word.ts';
import type { SampleBatch } from './sample-batch.ts';
import { aBusyProcess, aSampler, eventually, processCpuSeconds, samplerOptions } from './sampler-fixture.ts';
import { printedThreads, runUnwindThreads } from './testing/stopped-threads.ts';
import { anUnwoundJvm, startShapes } from './testing/unwound-jvm.ts';

test('addon and layout name the same fields in the same order', () => {
  assert.deepEqual(loadAddon(samplerOptions().addonPath).layoutFields, UNWIND_FIELDS);
});

test('a layout that no JVM can have is refused by the name of the field', (t) => {
  const sampler = aSampler(t, { filter: 'pid' });
  const layout = BigInt64Array.from(sampler.layoutFields, () => 8n);
  layout[sampler.layoutFields.indexOf('pc_desc_size')] = 1n << 40n;

  assert.throws(() => sampler.addProcess({ pid: process.pid, layout }), {
    code: 'SAMPLER_LAYOUT_INVALID',
    message: /constant_pool_size|pc_desc_size|nmethod_size/,
  });
  assert.throws(() => sampler.addProcess({ pid: process.pid, layout: new BigInt64Array(3) }), {
    code: 'SAMPLER_BAD_OPTION',
  });
});

test('a layout with a few wrong numbers costs frames, not the agent', async (t) => {
  const jvm = await startShapes(t, 17, ['parked', 'waiting', 'collections']);
  const good = flatUnwindLayout(hotspotOf(jvm).layout);
  const tids = [...printedThreads(jvm.pid).keys()];
  const random = randomNumbers(20_261_125);
  const wrongNumber = (is: bigint) => [
    0n,
    -1n,
    is + 8n,
    BigInt(random(65_536)),
    good[random(good.length)] ?? 0n,
  ];

  const ends = { walked: 0, refused: 0 };
  for (let round = 0; round < 60; round++) {
    const layout = good.slice();
    for (let i = random(3); i >= 0; i--) {
      const field = random(layout.length);
      layout[field] = wrongNumber(layout[field] ?? 0n)[random(5)] ?? 0n;
    }
    const { status, signal } = runUnwindThreads(jvm.pid, layout, tids);
    assert.equal(signal, null, `wrong were ${wrongFields(layout, good)}`);
    ends[status === 0 ? 'walked' : 'refused']++;
  }

  t.diagnostic(JSON.stringify(ends));
  assert(ends.walked > 10 && ends.refused > 5);
});

test('a process that ends while it is unwound leaves its samples behind', async (t) => {
  const jvm = await anUnwoundJvm(t, 17, ['inlined', 'collections']);
  const { sampler, pid } = jvm;
  sampler.addTarget(BigInt(pid));
  await eventually('it is sampled', () => sampler.counters().total.seen > 50);

  process.kill(pid, 'SIGKILL');
  await eventually(
    'it is gone',
    () => !existsSync(`/proc/${pid}/maps`) || readFileSync(`/proc/${pid}/maps`).length === 0,
  );
  const batch = sampler.take();
  sampler.removeProcess(pid);
  sampler.removeTarget(BigInt(pid));

  assert(samplesIn(batch) > 0);
  assert.equal(sampler.counters().malformed, 0);
  sampler.addProcess({ pid });
  sampler.removeProcess(pid);
});

test('a JVM given as a plain process keeps its native frames', async (t) => {
  const jvm = await anUnwoundJvm(t, 17, ['natives']);
  jvm.sampler.addProcess({ pid: jvm.pid });

  const stacks = await jvm.profile(1);

  assert(stacks.every(({ frames }) => frames.every((frame) => /^(0x|<)/.test(frame))));
  assert(stacks.some(({ frames }) => frames.length > 2 && frames.at(-1) === '<noUnwindRule>'));
});

test('a process without frame pointers is unwound to its start', async (t) => {
  const pid = await aBusyProcess(t, 'inKernel');
  const sampler = aSampler(t, { filter: 'pid' });
  sampler.addProcess({ pid });
  sampler.addTarget(BigInt(pid));

  await eventually('it is sampled', () => sampler.counters().total.seen > 100);
  const { rows, addresses } = sampler.take();

  const user = rows.filter((row) => row.user.length > 0);
  const rootOf = (frames: Uint32Array) => frameOf(addresses[frames.at(-1) ?? 0] ?? 0n);
  assert(user.length > 0);
  assert(user.every((row) => rootOf(row.user).kind === 'address'));
  assert.equal(new Set(user.map((row) => row.user.at(-1))).size, 1, 'all begin at the same place');
});

test('where the kernel has no BTF, ticks inside it are walked by frame pointers', async (t) => {
  const pid = await aBusyProcess(t, 'inKernel');
  const script = fileURLToPath(new URL('testing/count-ticks.ts', import.meta.url));
  const hideBtf = 'mount -t tmpfs tmpfs /sys/kernel/btf && exec "$@"';

  const argv = ['-m', 'sh', '-c', hideBtf, 'sh', process.execPath, script, String(pid)];
  const counts = JSON.parse(execFileSync('unshare', argv, { encoding: 'utf8' }));

  assert(counts.noUserRegisters > 10, JSON.stringify(counts));
  assert(counts.seen >= counts.noUserRegisters);
});

test('a signal handler lies above what it interrupted', async (t) => {
  const pid = await aBusyProcess(t, 'inSignal');
  const sampler = aSampler(t, { filter: 'pid' });
  sampler.addProcess({ pid });
  await eventually('its alarm has come', () => processCpuSeconds(pid) > 1.2);
  sampler.addTarget(BigInt(pid));

  await eventually('it is sampled', () => sampler.counters().total.seen > 100);
  const { rows } = sampler.take();

  // spin ← __restore_rt ← interrupted ← main ← two of libc ← _start
  assert(
    rows.every((row) => row.user.length === 7),
    rows.map((row) => row.user.length).join(),
  );
  assert.equal(sampler.counters().unwinding.complete, samplesIn({ rows }));
});

test('more processes than allowed are refused', (t) => {
  const sampler = aSampler(t, { maxProcesses: 2 });

  sampler.addProcess({ pid: 4_000_001 });
  sampler.addProcess({ pid: 4_000_002 });

  assert.throws(() => sampler.addProcess({ pid: 4_000_003 }), { code: 'SAMPLER_PROCESSES_FULL' });
  sampler.addProcess({ pid: 4_000_002 });
  sampler.removeProcess(4_000_001);
  sampler.addProcess({ pid: 4_000_003 });
});

function samplesIn(batch: Pick<SampleBatch, 'rows'>): number {
  return batch.rows.reduce((sum, row) => sum + row.count, 0);
}

function wrongFields(layout: BigInt64Array, good: BigInt64Array): string {
  return UNWIND_FIELDS.flatMap((field, i) => (layout[i] === good[i] ? [] : `${field} ${layout[i]}`)).join(
    ', ',
  );
}

/** The same ones each time: a linear congruential generator. */
function randomNumbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return Math.floor((state / 2 ** 31) * below);
  };
}
