import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { aBusyProcess, eventually, processCpuSeconds } from '../native/sampler-fixture.ts';
import { createLog } from './log.ts';
import { createSamplerHost, ringBytesFor, type UnwoundJvm } from './sampler-host.ts';

const BUILD = `${import.meta.dirname}/../../build`;

function aHost(t: TestContext, ioObjectPath = `${BUILD}/io.bpf.o`) {
  const log = createLog('fatal', 'n1');
  const paths = {
    objectPath: `${BUILD}/cpu.bpf.o`,
    addonPath: `${BUILD}/flamegate.node`,
    offCpuObjectPath: `${BUILD}/offcpu.bpf.o`,
    ioObjectPath,
  };
  const host = createSamplerHost({ ...paths, filter: 'pid', log });
  t.after(() => host.close());
  return host;
}

/** Nobody's layout: walked natively, or refused, as it has numbers or not. */
function aProcess(layout: BigInt64Array) {
  const said: string[] = [];
  const jvm: UnwoundJvm = {
    pid: process.pid,
    layout,
    heap: undefined,
    begin: () => said.push('begin'),
    refused: ({ code }) => said.push(code),
  };
  return { jvm, said };
}

test('a sampler changes its rate without being opened again, and goes on unwinding what it unwound', (t) => {
  const host = aHost(t);
  const { jvm, said } = aProcess(new BigInt64Array());
  assert.equal(host.ensure(49, 0), true);
  const { sampler } = host;
  host.unwind([jvm]);

  assert.equal(host.ensure(97, 1), false);
  host.unwind([jvm]);

  assert.equal(host.sampler, sampler);
  assert.equal(host.frequencyHz, 97);
  assert.deepEqual(said, ['begin']);
});

test('a target has the rate it asks for, whatever the clocks do for others', async (t) => {
  const host = aHost(t);
  const pid = await aBusyProcess(t, 'shell');
  host.ensure(49, 0);
  const watch = (hz: number) => host.watch(new Map([[BigInt(pid), hz]]));
  const thinnedIn = async (seconds: number) => {
    const before = { cpu: processCpuSeconds(pid), thinned: host.sampler?.counters().total.thinned ?? 0 };
    await eventually('it has had its CPU', () => processCpuSeconds(pid) - before.cpu > seconds);
    return (host.sampler?.counters().total.thinned ?? 0) - before.thinned;
  };

  watch(49);
  const alone = await thinnedIn(0.3);
  host.ensure(199, 1); // somebody else's gate
  watch(49);
  const beside = await thinnedIn(0.5);
  watch(199);
  host.sampler?.take();
  const raised = await thinnedIn(0.3);

  assert.deepEqual([alone, raised], [0, 0]);
  assert(beside > 15, `${beside} of its ticks were left out`);
});

test('another process of the same pid is another one', (t) => {
  const host = aHost(t);
  const [first, second] = [aProcess(new BigInt64Array()), aProcess(new BigInt64Array())];
  host.ensure(49, 0);
  host.unwind([first.jvm]);

  host.unwind([second.jvm]);

  assert.deepEqual([first.said, second.said], [['begin'], ['begin']]);
});

test('a layout that makes no sense is refused with its code', (t) => {
  const host = aHost(t);
  host.ensure(49, 0);
  const { jvm, said } = aProcess(new BigInt64Array(host.sampler?.layoutFields.length ?? 0).fill(-1n));

  host.unwind([jvm]);

  assert.deepEqual(said, ['SAMPLER_LAYOUT_INVALID']);
});

test('a ring holds the deepest stacks of a tenth of a second, and is bounded', () => {
  const deepest = 33_504;

  assert(ringBytesFor(49, 2) >= 49 * 2 * 0.1 * deepest);
  assert.equal(ringBytesFor(1, 1), 256 * 1024);
  assert.equal(ringBytesFor(199, 256), 4 * 1024 * 1024);
  for (const hz of [1, 49, 97, 199]) assert.equal(Math.log2(ringBytesFor(hz, 2)) % 1, 0);
});

test('what cannot be seen of reads and writes is told while somebody asks, and tried again every 30 s', (t) => {
  const host = aHost(t, '/nowhere/io.bpf.o');
  const asked = new Map([[1n, 10]]);
  host.ensure(49, 0);

  host.watchIo(asked, 0);
  const first = host.ioFailure;
  host.watchIo(asked, 29_999);
  assert.equal(host.ioFailure, first, 'not tried again');
  host.watchIo(asked, 30_000);
  const second = host.ioFailure;
  host.watchIo(new Map(), 30_001);

  assert.equal(first?.code, 'BPF_OBJECT_INVALID');
  assert(second !== undefined && second !== first);
  assert.equal(host.ioFailure, undefined);
  assert.equal(host.waitsFailure, undefined);
});
