import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { PprofError, parsePprof } from './pprof.ts';
import { readProfiles } from './profile-files.ts';

const directory = mkdtempSync(join(tmpdir(), 'flamegate-profiles-'));
after(() => rmSync(directory, { recursive: true }));

function file(name: string, bytes: Uint8Array | string): string {
  const path = join(directory, name);
  writeFileSync(path, bytes);
  return path;
}

const varint = (value: bigint): number[] => {
  const bytes: number[] = [];
  for (let rest = BigInt.asUintN(64, value); ; rest >>= 7n) {
    if (rest < 0x80n) return [...bytes, Number(rest)];
    bytes.push(Number(rest & 0x7fn) | 0x80);
  }
};
const number = (field: number, value: number | bigint): number[] => [field << 3, ...varint(BigInt(value))];
const message = (field: number, bytes: readonly number[]): number[] => [
  (field << 3) | 2,
  ...varint(BigInt(bytes.length)),
  ...bytes,
];
const text = (field: number, words: string): number[] => message(field, [...Buffer.from(words)]);
const packed = (field: number, values: readonly (number | bigint)[]): number[] =>
  message(
    field,
    values.flatMap((value) => varint(BigInt(value))),
  );

interface Told {
  readonly types: readonly (readonly [string, string])[];
  readonly period?: readonly [string, string, number];
  /** Root first; "outer>inner" at one location is inlined. */
  readonly samples: readonly (readonly [string, readonly (number | bigint)[]])[];
}

/** Written by hand from the format's description: what reads it must not have written it. */
function pprof({ types, period, samples }: Told): Uint8Array {
  const strings = [''];
  const index = (words: string): number =>
    strings.includes(words) ? strings.indexOf(words) : strings.push(words) - 1;
  const type = ([name, unit]: readonly [string, string]): number[] => [
    ...number(1, index(name)),
    ...number(2, index(unit)),
  ];
  const locations: string[] = [];
  const functions: string[] = [];
  const idIn = (list: string[], words: string): number =>
    list.includes(words) ? list.indexOf(words) + 1 : list.push(words);
  const body = [
    ...types.flatMap((one) => message(1, type(one))),
    ...samples.flatMap(([stack, values]) =>
      message(2, [
        ...packed(
          1,
          stack === ''
            ? []
            : stack
                .split(';')
                .reverse()
                .map((at) => idIn(locations, at)),
        ),
        ...packed(2, values),
      ]),
    ),
    ...locations.flatMap((at, nth) =>
      message(4, [
        ...number(1, nth + 1),
        ...number(3, 0xabc),
        ...(at === '?'
          ? []
          : at
              .split('>')
              .reverse()
              .flatMap((name) => message(4, [...number(1, idIn(functions, name)), ...number(2, 7)]))),
      ]),
    ),
    ...functions.flatMap((name, nth) =>
      message(5, [...number(1, nth + 1), ...number(2, index(name)), ...number(4, index('src/shop/Shop.kt'))]),
    ),
    ...(period === undefined ? [] : [...message(11, type([period[0], period[1]])), ...number(12, period[2])]),
    ...strings.flatMap((words) => text(6, words)),
  ];
  return Uint8Array.from(body);
}

const CPU = [
  ['samples', 'count'],
  ['cpu', 'nanoseconds'],
] as const;
const code = (expected: string, message: RegExp) => ({ code: expected, message });

test('pprof of any tool, packed or not, has its frames, inlined ones and lines', async () => {
  const bytes = pprof({
    types: CPU,
    samples: [
      ['main;encode>strip', [5, 50_000_000]],
      ['main;?', [2, 20_000_000]],
    ],
  });
  const a = file('a.pb.gz', gzipSync(bytes));
  const b = file('b.pb', bytes);

  const { baseline, canary, unit } = await readProfiles(a, b);

  assert.equal(unit, 'samples');
  assert.deepEqual(baseline, canary);
  assert.deepEqual(baseline, [
    { frames: ['strip', 'encode', 'main'], places: ['Shop.kt:7', 'Shop.kt:7', 'Shop.kt:7'], count: 5 },
    { frames: ['0xabc', 'main'], places: ['', 'Shop.kt:7'], count: 2 },
  ]);
});

test('pprof compares with collapsed stacks, and nanoseconds with nanoseconds as the samples they were', async () => {
  const a = file('c.collapsed', 'main;encode 4\n');
  const b = file('c.pb', pprof({ types: CPU, samples: [['main;encode', [6, 6]]] }));
  assert.deepEqual((await readProfiles(a, b)).canary[0]?.count, 6);

  const only = (count: number) =>
    pprof({
      types: [['cpu', 'nanoseconds']],
      period: ['cpu', 'nanoseconds', 10],
      samples: [['main', [count]]],
    });
  const { baseline, unit } = await readProfiles(file('d.pb', only(70)), file('e.pb', only(90)));
  assert.deepEqual([baseline[0]?.count, unit], [7, 'samples']);
});

test('profiles that count different things are not compared', async () => {
  const alloc = file('alloc.pb', pprof({ types: [['alloc_space', 'bytes']], samples: [['main', [5]]] }));
  const cpu = file('cpu.pb', pprof({ types: CPU, samples: [['main', [5, 5]]] }));

  await assert.rejects(
    readProfiles(alloc, cpu),
    code(
      'PROFILE_UNITS_DIFFER',
      /alloc\.pb counts alloc_space bytes; .*cpu\.pb counts cpu nanoseconds, samples count/,
    ),
  );
  await assert.rejects(
    readProfiles(file('x.collapsed', 'main 3'), alloc),
    code('PROFILE_UNITS_DIFFER', /cannot be compared/),
  );
});

test('what is negative is refused, what is huge or ten thousand deep is read', async () => {
  const good = file('good.collapsed', 'main 1\n');
  const of = (samples: Told['samples']) => file('odd.pb', pprof({ types: [['samples', 'count']], samples }));

  await assert.rejects(
    readProfiles(good, of([['main', [-5]]])),
    code('PPROF_INVALID', /odd\.pb: a sample counts -5/),
  );
  assert.equal((await readProfiles(good, of([['main', [2n ** 63n - 1n]]]))).canary[0]?.count, 2 ** 63);
  const deep = Array.from({ length: 10_000 }, () => 'f').join(';');
  assert.equal((await readProfiles(good, of([[deep, [1]]]))).canary[0]?.frames.length, 10_000);
  const inlined = Array.from({ length: 1_000 }, () => 'f').join('>');
  await assert.rejects(
    readProfiles(good, of([[Array.from({ length: 70 }, () => inlined).join(';'), [1]]])),
    code('PPROF_INVALID', /odd\.pb: a stack of more than 65536 frames/),
  );
  assert.deepEqual((await readProfiles(good, of([['', [1]]]))).canary, [
    { frames: [], places: [], count: 1 },
  ]);
  assert.deepEqual((await readProfiles(good, of([]))).canary, []);
  await assert.rejects(
    readProfiles(good, file('neg.collapsed', 'main -1')),
    code('COLLAPSED_INVALID', /neg\.collapsed: line 1/),
  );
});

test('a file that is cut anywhere is refused by name, and never read as another', async () => {
  const bytes = pprof({ types: CPU, samples: [['main;encode>strip', [5, 50_000_000]]] });
  let refused = 0;
  for (let length = 0; length < bytes.length; length += 1) {
    try {
      parsePprof(bytes.subarray(0, length)).stacks('cpu nanoseconds');
    } catch (error) {
      assert.ok(error instanceof PprofError, String(error));
      refused += 1;
    }
  }
  // Between two strings a cut cannot be told from an end: names are missing then, and said to be.
  assert.ok(refused > bytes.length / 2, `${refused} of ${bytes.length}`);
  const good = file('whole.collapsed', 'main 1\n');
  await assert.rejects(
    readProfiles(good, file('cut.pb', bytes.subarray(0, 40))),
    code('PPROF_INVALID', /cut\.pb: it is cut, or no pprof profile/),
  );
  const packedBytes = gzipSync(bytes);
  await assert.rejects(
    readProfiles(good, file('cut.pb.gz', packedBytes.subarray(0, packedBytes.length - 9))),
    code('PPROF_INVALID', /cut\.pb\.gz: it cannot be unpacked: unexpected end of file/),
  );
});
