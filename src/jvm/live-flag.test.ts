import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decideLive, LIVE_FLAG } from './live-flag.ts';
import type { ReadMemory } from './read-memory.ts';
import { aJvm, hotspotOf, RELEASES, type WaitingJvm } from './testing/a-jvm.ts';
import { readFlagBytes } from './vm-flags.ts';
import type { VmStructs } from './vm-structs.ts';

const anywhere = () => true;
const kindOf = (jvm: WaitingJvm, read: ReadMemory = jvm.read) => {
  const decision = decideLive(read, hotspotOf(jvm).structs, anywhere);
  return decision.kind === 'refused' ? decision.reason : decision.kind;
};

for (const release of RELEASES) {
  test(`JDK ${release}: the flag's default may be changed, whatever else the JVM was given`, async (t) => {
    const jvm = await aJvm(t, release, ['-XX:+PreserveFramePointer']);
    const { structs } = hotspotOf(jvm);

    const decision = decideLive(jvm.read, structs, anywhere);

    const address = readFlagBytes(jvm.read, structs, [LIVE_FLAG])?.get(LIVE_FLAG)?.address;
    assert.deepEqual(decision, { kind: 'set', address });
  });

  test(`JDK ${release}: a flag that somebody set, on or off, is left alone`, async (t) => {
    const unlock = '-XX:+UnlockDiagnosticVMOptions';
    const on = await aJvm(t, release, [unlock, '-XX:+DebugNonSafepoints']);
    const off = await aJvm(t, release, [unlock, '-XX:-DebugNonSafepoints']);

    assert.deepEqual(decideLive(on.read, hotspotOf(on).structs, anywhere), {
      kind: 'on',
      origin: 'COMMAND_LINE',
    });
    assert.equal(kindOf(off), 'FlagSetByUser');
  });
}

test('a table that is odd in any way is refused, with the reason', async (t) => {
  const jvm = await aJvm(t, 25);
  const { structs } = hotspotOf(jvm);
  const flag = readFlagBytes(jvm.read, structs, [LIVE_FLAG])?.get(LIVE_FLAG) ?? assert.fail('no flag');
  const table = jvm.read(structs.address('JVMFlag', 'flags') ?? 0n, 8) ?? assert.fail('no table');
  const start = Buffer.from(table).readBigUInt64LE();
  /** Memory in which a field of the flag's row reads otherwise. */
  const withRow =
    (field: string, change: (row: DataView, at: number) => void): ReadMemory =>
    (address, length) => {
      const bytes = jvm.read(address, length);
      if (!bytes || address !== start) return bytes;
      const copy = new DataView(Uint8Array.from(bytes).buffer);
      const size = structs.size('JVMFlag') ?? 0;
      const of = (name: string) => structs.field('JVMFlag', name)?.offset ?? 0;
      for (let row = 0; row + size <= length; row += size) {
        if (copy.getBigUint64(row + of('_addr'), true) === flag.address) change(copy, row + of(field));
      }
      return new Uint8Array(copy.buffer);
    };
  const withValue =
    (value: number): ReadMemory =>
    (address, length) =>
      address === flag.address ? new Uint8Array(length).fill(value) : jvm.read(address, length);
  const without = (name: string): VmStructs => ({
    ...structs,
    field: (type, field) => (field === name ? undefined : structs.field(type, field)),
  });
  const reasonOf = (read: ReadMemory, of = structs, where = anywhere) => {
    const decision = decideLive(read, of, where);
    return decision.kind === 'refused' ? decision.reason : decision.kind;
  };

  assert.equal(reasonOf(withRow('_type', (row, at) => row.setInt32(at, 1, true))), 'FlagNotBoolean');
  assert.equal(reasonOf(withRow('_flags', (row, at) => row.setInt32(at, 1, true))), 'FlagSetByUser');
  assert.equal(reasonOf(withRow('_name', (row, at) => row.setBigUint64(at, 0n, true))), 'FlagMissing');
  assert.equal(reasonOf(withValue(2)), 'FlagValueOdd');
  assert.equal(reasonOf(withValue(1)), 'on');
  assert.equal(
    reasonOf(() => undefined),
    'FlagTableUnreadable',
  );
  assert.equal(reasonOf(jvm.read, without('_type')), 'FlagTableUnreadable');
  assert.equal(
    reasonOf(jvm.read, structs, () => false),
    'FlagNotInLibjvm',
  );
  assert.equal(reasonOf(jvm.read), 'set');
});
