import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aJvm, hotspotOf, RELEASES } from './testing/a-jvm.ts';
import { readFlags } from './vm-flags.ts';

const NAMES = ['DebugNonSafepoints', 'PreserveFramePointer', 'UseSerialGC', 'MaxHeapSize', 'NoSuchFlag'];

for (const release of RELEASES) {
  test(`JDK ${release} tells which flags are on, and who set them`, async (t) => {
    const jvm = await aJvm(t, release, ['-XX:+PreserveFramePointer', '-XX:+UseSerialGC']);

    const flags = readFlags(jvm.read, hotspotOf(jvm).structs, NAMES);

    const found = Array.from(flags ?? [], ([name, { on, origin }]) => `${name} ${on} ${origin}`);
    assert.deepEqual(found.toSorted(), [
      'DebugNonSafepoints false DEFAULT',
      'PreserveFramePointer true COMMAND_LINE',
      'UseSerialGC true COMMAND_LINE',
    ]);
  });
}

test('a diagnostic flag of the command line is seen, and its byte is where the address says', async (t) => {
  const jvm = await aJvm(t, 25, ['-XX:+UnlockDiagnosticVMOptions', '-XX:+DebugNonSafepoints']);

  const flag = readFlags(jvm.read, hotspotOf(jvm).structs, NAMES)?.get('DebugNonSafepoints');

  assert.deepEqual([flag?.on, flag?.origin], [true, 'COMMAND_LINE']);
  assert.deepEqual([...(jvm.read(flag?.address ?? 0n, 1) ?? [])], [1]);
});

test('a table that is endless, or full of nonsense, tells nothing', async (t) => {
  const jvm = await aJvm(t, 17);
  const { structs } = hotspotOf(jvm);
  const count = structs.address('JVMFlag', 'numFlags') ?? 0n;
  const endless = (address: bigint, length: number) =>
    address === count ? new Uint8Array(8).fill(0x7f) : jvm.read(address, length);
  const garbage = (address: bigint, length: number) => {
    const bytes = jvm.read(address, length);
    return bytes && length > 8 ? bytes.map((byte) => byte ^ 0x55) : bytes;
  };

  assert.equal(readFlags(endless, structs, NAMES), undefined);
  assert.equal(readFlags(garbage, structs, NAMES)?.size ?? 0, 0);
  assert.equal(
    readFlags(() => undefined, structs, NAMES),
    undefined,
  );
});
