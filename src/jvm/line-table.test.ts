import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { lineAt } from './line-table.ts';
import { type ExcludedBytes, readUnsigned5 } from './unsigned5.ts';

const EXCLUDED: readonly ExcludedBytes[] = [0, 1];
const anExclusion = fc.constantFrom(...EXCLUDED);
const aStep = fc.integer({ min: -70_000, max: 70_000 });

/** What the writer of hotspot/share/utilities/unsigned5.hpp makes of a number. */
function encoded(value: number, excluded: ExcludedBytes): number[] {
  const low = 192 - excluded;
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= low && bytes.length < 4; rest = Math.floor((rest - low) / 64)) {
    bytes.push(excluded + low + ((rest - low) % 64));
  }
  return [...bytes, excluded + rest];
}

const zigzag = (value: number) => (value < 0 ? -2 * value - 1 : 2 * value);

test('a number comes back as it was written', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 32 - 1 }), anExclusion, (value, excluded) => {
      const reader = readUnsigned5(Uint8Array.from(encoded(value, excluded)), excluded);
      assert.equal(reader.unsigned(), value);
      assert.equal(reader.byte(), undefined);
    }),
  );
});

test('where a second byte begins depends on the bytes kept out', () => {
  const read = (bytes: number[], excluded: ExcludedBytes) =>
    readUnsigned5(Uint8Array.from(bytes), excluded).unsigned();

  assert.deepEqual([read([191], 0), read([192, 0], 0)], [191, 192]);
  assert.deepEqual([read([191], 1), read([192, 1], 1)], [190, 191]);
});

test('any table gives the first entry of that bytecode, else the last of the greatest before it', () => {
  const entries = fc.array(fc.tuple(aStep, aStep), { maxLength: 20 });
  fc.assert(
    fc.property(entries, fc.nat(70_000), anExclusion, (steps, bci, excluded) => {
      const bytes = steps.flatMap((pair) => [
        0xff,
        ...pair.flatMap((step) => encoded(zigzag(step), excluded)),
      ]);
      const table = steps.map(
        (_, i) => [sumOf(steps.slice(0, i + 1), 0), sumOf(steps.slice(0, i + 1), 1)] as const,
      );
      const before = table.filter(([entry]) => entry >= 0 && entry < bci).toSorted(([a], [b]) => a - b);
      const expected = table.find(([entry]) => entry === bci) ?? before.at(-1);

      assert.equal(lineAt(Uint8Array.from([...bytes, 0]), bci, excluded), expected?.[1]);
    }),
  );
});

function sumOf(steps: readonly (readonly [number, number])[], column: 0 | 1): number {
  return steps.reduce((sum, step) => sum + step[column], 0);
}

test('a table that was cut gives a line only where it is sure', () => {
  const table = Uint8Array.from([(3 << 3) | 2, (4 << 3) | 1]);

  assert.deepEqual([lineAt(table, 7, 0), lineAt(table, 9, 0)], [3, undefined]);
});

test('any bytes are read without an error', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(0xffff), anExclusion, (table, bci, excluded) => {
      void lineAt(table, bci, excluded);
    }),
  );
});
