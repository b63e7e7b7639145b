/**
 * Has HTTP/1.1, HTTP/2 and HPACK read with something wrong in them, for so long each. What a seed found is found again by it.
 * Usage: fuzz-http.ts SECONDS [SEED]
 */
import { randomInt } from 'node:crypto';
import { fuzzHttp, HTTP_FUZZERS } from '../src/native/testing/http-fuzzers.ts';

const [seconds = 600, seed = randomInt(2 ** 31)] = process.argv.slice(2).filter(Boolean).map(Number);
for (const fuzzer of HTTP_FUZZERS) {
  console.log(`${fuzzer.reads}: seed ${seed}, ${seconds} s, ${fuzzer.corpus.length} files`);
  const { status, signal, stdout, stderr } = fuzzHttp(fuzzer, seed, seconds);
  console.log(stdout.trim());
  if (status === 0) continue;
  console.error(stderr);
  console.error(`${fuzzer.reads} failed: ${signal ?? `status ${status}`}`);
  process.exitCode = 1;
}
