import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { openSampler } from './sampler.ts';
import {
  aSampler,
  bpfObjectsOf,
  endOf,
  eventually,
  holdings,
  kernelHas,
  samplerOptions,
} from './sampler-fixture.ts';
import type { Opening } from './sampler-process-fixture.ts';

const PROCESS = fileURLToPath(new URL('sampler-process-fixture.ts', import.meta.url));

test('close leaves nothing in the kernel, nor in the process', async (t) => {
  const before = holdings();
  const sampler = openSampler(samplerOptions());
  t.after(() => sampler.close());
  const objects = bpfObjectsOf('self');
  assert.equal(objects.programs.length, 1);
  assert(objects.maps.length >= 4);

  sampler.close();

  assert.deepEqual(bpfObjectsOf('self'), { programs: [], maps: [] });
  assert.deepEqual(holdings(), before);
  await eventually('the kernel has freed them', () => !anyLeft(objects));
});

test('a closed sampler says so, and can be closed again', (t) => {
  const sampler = aSampler(t);

  sampler.close();
  sampler.close();

  const calls = [
    () => sampler.take(),
    () => sampler.counters(),
    () => sampler.addTarget(1n),
    () => sampler.removeTarget(1n),
  ];
  for (const call of calls) assert.throws(call, { code: 'SAMPLER_CLOSED' });
});

test('samplers one after the other leave no file and no thread', () => {
  openSampler(samplerOptions()).close();
  const before = holdings();

  for (let i = 0; i < 8; i++) {
    const sampler = openSampler(samplerOptions());
    sampler.addTarget(1n);
    sampler.take();
    sampler.close();
  }

  assert.deepEqual(holdings(), before);
});

test('a killed process leaves nothing in the kernel', async (t) => {
  const child = await openedIn(t, [process.execPath, PROCESS]);
  const objects = bpfObjectsOf(child.pid ?? 0);
  assert.equal(objects.programs.length, 1);
  assert(anyLeft(objects));

  await endOf(child);

  await eventually('the kernel has freed them', () => !anyLeft(objects));
});

test('a process may exit with a sampler open', () => {
  const { status, signal, stderr } = spawnSync(process.execPath, [PROCESS, 'exit'], { encoding: 'utf8' });

  assert.deepEqual({ status, signal, stderr }, { status: 0, signal: null, stderr: '' });
});

test('a worker that is terminated takes its sampler along', async () => {
  const worker = new Worker(PROCESS);
  const [opening] = await once(worker, 'message');
  assert.deepEqual(opening, { opened: true });
  const objects = bpfObjectsOf('self');
  assert.equal(objects.programs.length, 1);

  await worker.terminate();

  assert.deepEqual(bpfObjectsOf('self'), { programs: [], maps: [] });
  await eventually('the kernel has freed them', () => !anyLeft(objects));
});

test('two samplers in one process do not know of each other', async (t) => {
  const first = aSampler(t, { filter: 'pid' });
  const second = aSampler(t, { filter: 'pid' });

  first.addTarget(BigInt(process.pid));
  second.close();
  await eventually('the first goes on', () => first.take().rows.length > 0 || busyFor(50));
});

test('CAP_BPF and CAP_PERFMON are enough', () => {
  assert.deepEqual(openedWith('-all,+bpf,+perfmon'), { opened: true });
});

// capability → what the sentence names
for (const [capability, name] of [
  ['bpf', 'CAP_BPF'],
  ['perfmon', 'CAP_PERFMON'],
]) {
  test(`without ${name} the error names it`, () => {
    const opening = openedWith(`-sys_admin,-${capability}`);

    assert(!opening.opened);
    assert.equal(opening.code, 'BPF_NOT_PERMITTED');
    assert.match(opening.message, RegExp(`lacks ${name}$`));
  });
}

test('a missing object is named', () => {
  const objectPath = '/nowhere/cpu.bpf.o';

  assert.throws(() => openSampler(samplerOptions({ objectPath })), {
    code: 'BPF_OBJECT_MISSING',
    message: /\/nowhere/,
  });
});

test('an object that is none is refused, with the words of libbpf', (t) => {
  const objectPath = aFile(t, 'cpu.bpf.o', 'not an object');

  assert.throws(() => openSampler(samplerOptions({ objectPath })), {
    code: 'BPF_OBJECT_INVALID',
    log: /libbpf: elf/,
  });
});

test('a program that the verifier refuses is told with its words, and not as a lack of permission', () => {
  const objectPath = samplerOptions().objectPath.replace('cpu.bpf.o', 'refused.bpf.o');

  assert.throws(() => openSampler(samplerOptions({ objectPath })), {
    code: 'BPF_LOAD_FAILED',
    message: /the kernel said: R0 invalid mem access 'map_value_or_null'$/,
    log: /processed \d+ insns/,
  });
});

test('a missing or foreign addon is refused', (t) => {
  for (const addonPath of [
    '/nowhere/flamegate.node',
    aFile(t, 'foreign.cjs', 'module.exports = { abiVersion: 1 }'),
  ]) {
    assert.throws(() => openSampler(samplerOptions({ addonPath })), { code: 'SAMPLER_ADDON_UNUSABLE' });
  }
});

test('the addon takes no handle but its own', () => {
  const addon: unknown = createRequire(import.meta.url)(samplerOptions().addonPath);
  assert(typeof addon === 'object' && addon !== null && 'take' in addon && typeof addon.take === 'function');

  for (const foreign of [undefined, 1, {}, 'sampler']) {
    const { take } = addon;
    assert.throws(() => take(foreign), { code: 'SAMPLER_CLOSED' });
  }
});

function anyLeft({ programs, maps }: { programs: string[]; maps: string[] }): boolean {
  return programs.some((id) => kernelHas('program', id)) || maps.some((id) => kernelHas('map', id));
}

/** Starts the command, and resolves when it has opened its sampler. */
async function openedIn(t: TestContext, [command = '', ...args]: readonly string[]): Promise<ChildProcess> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => endOf(child));
  const [line] = await once(child.stdout, 'data');
  assert.equal(String(line).trim(), '{"opened":true}');
  return child;
}

/** What a process whose capabilities are bounded says of opening a sampler. */
function openedWith(boundingSet: string): Opening {
  const command = ['--bounding-set', boundingSet, process.execPath, PROCESS, 'exit'];
  const { stdout, stderr } = spawnSync('setpriv', command, { encoding: 'utf8' });
  assert.notEqual(stdout, '', stderr);
  return JSON.parse(stdout);
}

function aFile(t: TestContext, name: string, content: string): string {
  const directory = mkdtempSync(join(tmpdir(), 'flamegate-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const path = join(directory, name);
  writeFileSync(path, content);
  return path;
}

/** Computes, so that there is something to sample; false, for use in a condition. */
function busyFor(ms: number): false {
  const end = performance.now() + ms;
  while (performance.now() < end);
  return false;
}
