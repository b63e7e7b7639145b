import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { PbfWriter } from 'pbf';
import { decodePprof, PprofError } from './pprof-decode.ts';
import { encodePprof } from './pprof-encode.ts';
import { totalCount } from './stack-counts.ts';

const FACTS = { startMs: 1_790_000_000_000, durationMs: 30_000, frequencyHz: 97 };
const STACKS = [
  {
    frames: ['shop.Codec.encode', 'suspend shop.Orders.find'],
    places: ['Codec.kt:87', 'Orders.kt:~12'],
    count: 7,
  },
  { frames: ['shop.Codec.encode', 'suspend shop.Orders.find'], places: ['Codec.kt:88', ''], count: 2 },
  { frames: ['do_syscall_64_[k]'], count: 1 },
];

test('what is written is read again: counts, names, files and lines', () => {
  const { stacks, type } = decodePprof(encodePprof(STACKS, FACTS));

  assert.equal(type, 'samples/count');
  assert.deepEqual(stacks, [
    // a line that is only near has no mark in pprof
    { ...STACKS[0], places: ['Codec.kt:87', 'Orders.kt:12'] },
    STACKS[1],
    STACKS[2],
  ]);
});

test('frames that another tool inlined into one location are frames, the innermost first', () => {
  const bytes = profile(
    (pbf) => {
      pbf.writeMessage(
        2,
        (_, to) => to.writePackedVarint(1, [5, 6]) ?? to.writePackedVarint(2, [3, 30]),
        null,
      );
      location(pbf, 5, [1, 2]);
      location(pbf, 6, [3]);
      for (const id of [1, 2, 3]) namedFunction(pbf, id, 5 + id);
    },
    ['inner', 'middle', 'outer'],
  );

  const { stacks } = decodePprof(bytes);

  assert.deepEqual(
    stacks.map(({ frames, count }) => ({ frames, count })),
    [{ frames: ['inner', 'middle', 'outer'], count: 3 }],
  );
});

test('a stack of 10,000 frames is read, one beyond the bound is refused', () => {
  const deep = (depth: number) =>
    encodePprof([{ frames: Array.from({ length: depth }, (_, i) => `f${i % 7}`), count: 1 }], FACTS);

  assert.equal(decodePprof(deep(10_000)).stacks[0]?.frames.length, 10_000);
  assert.throws(() => decodePprof(deep(20_001)), /PprofError: a stack of more than 20000 frames/);
});

test('numbers that cannot be counted, and references to nothing, are said', () => {
  const sample = (values: number[], at: number[]) =>
    profile((pbf) => {
      pbf.writeMessage(2, (_, to) => to.writePackedVarint(1, at) ?? to.writePackedVarint(2, values), null);
    });

  assert.throws(() => decodePprof(sample([-1, 0], [])), /a sample of -1 samples\/count/);
  assert.throws(() => decodePprof(sample([2 ** 63, 0], [])), /a sample of -?9223372036854776000 samples/);
  assert.throws(() => decodePprof(sample([1, 0], [9])), /names location 9, which is not there/);
  assert.throws(() => decodePprof(new Uint8Array()), /does not say what was sampled/);
});

test('of values without a count of samples the one that the file prefers is taken', () => {
  const pbf = new PbfWriter();
  for (const [type, unit] of [
    [1, 2],
    [3, 4],
  ]) {
    pbf.writeMessage(
      1,
      (_, to) => {
        to.writeVarintField(1, type ?? 0);
        to.writeVarintField(2, unit ?? 0);
      },
      null,
    );
  }
  pbf.writeMessage(2, (_, to) => to.writePackedVarint(2, [11, 22]), null);
  for (const text of ['', 'alloc_space', 'bytes', 'inuse_space', 'bytes']) pbf.writeStringField(6, text);
  pbf.writeVarintField(14, 1);

  const { stacks, type } = decodePprof(pbf.finish());

  assert.equal(type, 'alloc_space/bytes');
  assert.equal(totalCount(stacks), 11);
});

test('whatever else the bytes are, it is read or refused', () => {
  const whole = encodePprof(STACKS, FACTS);
  const isRefused = (bytes: Uint8Array): boolean => {
    try {
      decodePprof(bytes);
      return false;
    } catch (error) {
      assert(error instanceof PprofError, String(error));
      return true;
    }
  };
  const cuts = Array.from(whole.keys(), (length) => isRefused(whole.subarray(0, length)));
  assert.ok(cuts.filter((refused) => refused).length > 0.9 * whole.length);
  fc.assert(
    fc.property(fc.nat(whole.length - 1), fc.nat(255), (at, byte) => {
      isRefused(Uint8Array.from(whole, (each, i) => (i === at ? byte : each)));
    }),
    { numRuns: 2_000, seed: 7 },
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void isRefused(bytes)),
    { seed: 7 },
  );
});

/** Of two values a sample, samples/count and cpu/nanoseconds; texts begin at 6. */
function profile(write: (pbf: PbfWriter) => void, texts: readonly string[] = []): Uint8Array {
  const pbf = new PbfWriter();
  for (const [type, unit] of [
    [1, 2],
    [3, 4],
  ]) {
    pbf.writeMessage(
      1,
      (_, to) => {
        to.writeVarintField(1, type ?? 0);
        to.writeVarintField(2, unit ?? 0);
      },
      null,
    );
  }
  write(pbf);
  for (const text of ['', 'samples', 'count', 'cpu', 'nanoseconds', '', ...texts])
    pbf.writeStringField(6, text);
  return pbf.finish();
}

function location(pbf: PbfWriter, id: number, functions: readonly number[]): void {
  pbf.writeMessage(
    4,
    (_, to) => {
      to.writeVarintField(1, id);
      for (const each of functions) to.writeMessage(4, (__, line) => line.writeVarintField(1, each), null);
    },
    null,
  );
}

function namedFunction(pbf: PbfWriter, id: number, name: number): void {
  pbf.writeMessage(
    5,
    (_, to) => {
      to.writeVarintField(1, id);
      to.writeVarintField(2, name);
    },
    null,
  );
}
