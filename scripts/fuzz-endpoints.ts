/**
 * Sends every HTTP endpoint of controller and agent nonsense for so long. What a seed found is found again by it.
 * Usage: fuzz-endpoints.ts SECONDS [SEED]
 */
import { randomInt } from 'node:crypto';
import { fuzzEndpoints } from '../src/controller/ingest/testing/endpoint-fuzzer.ts';

const [seconds = 600, seed = randomInt(2 ** 31)] = process.argv.slice(2).filter(Boolean).map(Number);
const GROWTH_BYTES = 24 * 1024 * 1024; // as in the test of ten seconds

console.log(`endpoints: seed ${seed}, ${seconds} s`);
const { requests, answers, failures, bytes } = await fuzzEndpoints(seed, seconds);
console.log(
  `${requests} requests; ${[...answers]
    .sort()
    .map(([what, count]) => `${what}: ${count}`)
    .join(', ')}`,
);
console.log(`${bytes.before} bytes in use after a third, ${bytes.after} at the end`);
for (const failure of failures) console.error(failure);
if (failures.length > 0 || bytes.after > bytes.before + GROWTH_BYTES) {
  console.error('endpoints failed');
  process.exitCode = 1;
}
