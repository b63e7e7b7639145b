/**
 * Unwinds the recorded stacks with something wrong in them or in what is read (native/testing/fuzz_stacks.cc), for so long in
 * all. What a seed found is found again by it. Usage: fuzz-stacks.ts SECONDS [SEED]
 */
import { randomInt } from 'node:crypto';
import { globSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runOnRecording } from '../src/native/testing/replayed-stacks.ts';
import { readRecording } from '../src/native/testing/stack-recording.ts';

const FIXTURES = fileURLToPath(new URL('../test/fixtures/stacks/', import.meta.url));
const NO_LIMIT = '0';

const [seconds = 600, seed = randomInt(2 ** 31)] = process.argv.slice(2).filter(Boolean).map(Number);
const paths = globSync(`${FIXTURES}*.stacks.br`).toSorted();
for (const path of paths) {
  const each = String(Math.ceil(seconds / paths.length));
  console.log(`${basename(path)}: seed ${seed}, ${each} s`);
  console.log(runOnRecording('fuzz-stacks', readRecording(path), [String(seed), NO_LIMIT, each]).trim());
}
