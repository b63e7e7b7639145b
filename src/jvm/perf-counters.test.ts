import assert from 'node:assert/strict';
import { test } from 'node:test';
import { littleEndian } from '../symbols/little-endian.ts';
import { perfCounterAt } from './perf-counters.ts';
import { aJvm, hotspotOf, RELEASES } from './testing/a-jvm.ts';

const STOPPED = 'sun.rt.safepointTime';

for (const release of RELEASES) {
  test(`JDK ${release} tells where it counts how long it stood still`, async (t) => {
    const jvm = await aJvm(t, release);

    const address = perfCounterAt(jvm.read, hotspotOf(jvm).structs, STOPPED) ?? assert.fail('no counter');

    const ns = littleEndian(jvm.read(address, 8) ?? assert.fail('it cannot be read')).u64(0);
    t.diagnostic(`${ns} ns`);
    assert(ns < 60_000_000_000n);
    assert.equal(perfCounterAt(jvm.read, hotspotOf(jvm).structs, 'sun.rt.safepoint'), undefined);
  });
}

test('a JVM that counts nothing, and memory full of nonsense, tell nothing', async (t) => {
  const silent = await aJvm(t, 21, ['-XX:-UsePerfData']);
  const jvm = await aJvm(t, 21);
  const { structs } = hotspotOf(jvm);
  const start = structs.address('PerfMemory', '_start') ?? assert.fail('no field');
  const region = littleEndian(jvm.read(start, 8) ?? assert.fail('it cannot be read')).u64(0);
  const spoiled = (at: number, byte: number) => (address: bigint, length: number) => {
    const bytes = jvm.read(address, length);
    if (bytes && address === region && length > at) bytes.fill(byte, at);
    return bytes;
  };

  assert.equal(perfCounterAt(silent.read, hotspotOf(silent).structs, STOPPED), undefined);
  for (const at of [0, 8, 24, 28, 32, 36, 40, 44, 48, 100]) {
    for (const byte of [0, 1, 0x7f, 0xff])
      assert.equal(perfCounterAt(spoiled(at, byte), structs, STOPPED), undefined);
  }
  assert.equal(
    perfCounterAt(() => undefined, structs, STOPPED),
    undefined,
  );
});
