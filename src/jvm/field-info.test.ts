import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseFieldSlots, parseFieldStream } from './field-info.ts';

const u2 = (...values: number[]) => Uint8Array.from(values.flatMap((value) => [value & 0xff, value >> 8]));

test('slots tell name, place, and what is static; what follows the fields is of their signatures', () => {
  const slots = u2(...[0x12, 7, 8, 0, 12 << 2, 0], ...[0x0a, 9, 8, 0, 3 << 2, 1], 99, 98);

  assert.deepEqual(parseFieldSlots(slots, 2), [
    { nameIndex: 7, offset: 12, isStatic: false },
    { nameIndex: 9, offset: 2 ** 14 + 3, isStatic: true },
  ]);
  assert.equal(parseFieldSlots(slots, 50).length, 2);
});

test('a stream tells the same, and numbers that some fields add are passed over', () => {
  const [INITIALIZED, INJECTED, GENERIC, CONTENDED] = [1, 2, 4, 16];
  const numbers = [
    ...[2, 1],
    ...[7, 8, 12, 0x12, INITIALIZED | GENERIC | CONTENDED, 30, 31, 32],
    ...[99, 98, 16, 0, INJECTED],
    ...[9, 8, 20, 0x0a, 0],
  ];

  assert.deepEqual(
    parseFieldStream(
      Uint8Array.from(numbers, (each) => each + 1),
      1,
    ),
    [
      { nameIndex: 7, offset: 12, isStatic: false },
      { nameIndex: 9, offset: 20, isStatic: true },
    ],
  );
});

test('any bytes are read without an error, and to an end', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(0xffff), (bytes, count) => {
      void parseFieldSlots(bytes, count);
      assert(parseFieldStream(bytes, 1).length <= bytes.length);
    }),
  );
});
