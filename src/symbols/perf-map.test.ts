import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createMemoryNameStore } from './name-store.ts';
import { createPerfMapParser, type PerfMap } from './perf-map.ts';

const parse = (...chunks: (string | Uint8Array)[]): PerfMap => {
  const parser = createPerfMapParser(createMemoryNameStore(1 << 20));
  for (const chunk of chunks) parser.feed(Buffer.from(chunk));
  return parser.finish();
};
const nameAt = (map: PerfMap, address: number) => {
  const name = map.nameAt(address);
  return name && Buffer.from(name).toString();
};

test('both formats are read, and only the addresses inside have a name', () => {
  const map = parse(
    '0x00007f5134ecc800 0x00000000000000f8 long Busy.inner(long)\n',
    '7f5134ecd000 40 Lshop/Codec;::decode\n0x00007f51344a0000 0x0000000000000080 StubRoutines (1)\n',
  );

  assert.equal(map.entries, 3);
  assert.equal(map.garbageLines, 0);
  assert.equal(nameAt(map, 0x7f5134ecc800), 'long Busy.inner(');
  assert.equal(nameAt(map, 0x7f5134ecc8f7), 'long Busy.inner(');
  assert.equal(nameAt(map, 0x7f5134ecc8f8), undefined);
  assert.equal(nameAt(map, 0x7f5134ecd020), 'Lshop/Codec;::decode');
  assert.equal(nameAt(map, 0x7f51344a0001), 'StubRoutines (1)');
});

test('where entries overlap, the later one has the address', () => {
  const map = parse('1000 100 first\n1040 20 second\n1050 200 third\n1090 4 fourth\n');

  const seen = [0x1000, 0x1040, 0x1050, 0x1090, 0x1094, 0x10ff, 0x1200].map((address) =>
    nameAt(map, address),
  );
  assert.deepEqual(seen, ['first', 'second', 'third', 'fourth', 'third', 'third', 'third']);
});

test('lines that are no entry are counted and left out', () => {
  const map = parse(
    '\nxyz 10 name\n1000\n1000 10\n1000 0 empty\n1000 ffffffffffff huge\nfffffffffffffffff 10 far\n2000 10 good\n',
  );

  assert.deepEqual([map.entries, map.garbageLines], [1, 7]);
});

test('a line without an end costs one line', () => {
  const map = parse('1000 10 ', 'x'.repeat(100_000), '\n2000 10 good\n');

  assert.deepEqual([map.entries, map.garbageLines, nameAt(map, 0x2005)], [1, 1, 'good']);
});

test('entries beyond the room of the names are counted', () => {
  const parser = createPerfMapParser(createMemoryNameStore(20));
  parser.feed(Buffer.from('1000 10 abcdefgh\n2000 10 ijklmnop\n3000 10 qrstuvwx\n'));
  const map = parser.finish();

  assert.deepEqual([map.entries, map.dropped], [2, 1]);
});

const entries = fc.array(
  fc.record({ start: fc.integer({ min: 1, max: 300 }), size: fc.integer({ min: 1, max: 60 }) }),
  { maxLength: 60 },
);

test('every address gets the name of the last entry that holds it', () => {
  fc.assert(
    fc.property(entries, (list) => {
      const map = parse(
        list.map(({ start, size }, i) => `${start.toString(16)} ${size.toString(16)} n${i}\n`).join(''),
      );
      for (let address = 0; address < 370; address++) {
        const last = list.findLastIndex(({ start, size }) => address >= start && address < start + size);
        assert.equal(nameAt(map, address), last < 0 ? undefined : `n${last}`);
        assert.equal(map.holds(address), last >= 0);
      }
    }),
  );
});

test('any bytes in any pieces are read the same, without an error', () => {
  const line = fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.constant(Buffer.from('\n1000 10 a.b(c)\n')));
  fc.assert(
    fc.property(fc.array(line, { maxLength: 20 }), fc.integer({ min: 1, max: 50 }), (pieces, size) => {
      const whole = Buffer.concat(pieces);
      const cut = Array.from({ length: Math.ceil(whole.length / size) }, (_, i) =>
        whole.subarray(i * size, (i + 1) * size),
      );
      const [one, other] = [parse(whole), parse(...cut)];
      assert.deepEqual([one.entries, one.garbageLines], [other.entries, other.garbageLines]);
      assert.equal(nameAt(one, 0x1008), nameAt(other, 0x1008));
    }),
  );
});
