import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { ExcludedBytes } from '../jvm/unsigned5.ts';

const UNSIGNED5 = fileURLToPath(new URL('../../build/unsigned5', import.meta.url));
const [FIRST_CONTINUING, DIGITS, MAX_BYTES] = [192, 64, 5];
/** Around each length of the coding, and all that one byte and the least of two can say. */
const NUMBERS = [
  ...Array.from({ length: 600 }, (_, i) => i),
  ...[12_000, 12_479, 12_480, 800_000, 50_000_000, 2 ** 31, 2 ** 32 - 1].flatMap((n) => [n - 1, n]),
];

for (const excluded of [0, 1] as const) {
  test(`the addon reads numbers as HotSpot writes them, ${excluded} byte values kept out`, () => {
    const bytes = Buffer.from(NUMBERS.flatMap((number) => encoded(number, excluded)));

    const output = execFileSync(UNSIGNED5, [String(excluded), bytes.toString('hex')], { encoding: 'utf8' });

    assert.deepEqual(output.trim().split('\n').map(Number), NUMBERS);
  });
}

/** A digit that another follows is at least 192 as a byte, so that its value is by `excluded` less (unsigned5.hpp). */
function encoded(number: number, excluded: ExcludedBytes): number[] {
  const least = FIRST_CONTINUING - excluded;
  const bytes: number[] = [];
  let rest = number;
  while (rest >= least && bytes.length < MAX_BYTES - 1) {
    bytes.push(FIRST_CONTINUING + ((rest - least) % DIGITS));
    rest = Math.floor((rest - least) / DIGITS);
  }
  return [...bytes, rest + excluded];
}
