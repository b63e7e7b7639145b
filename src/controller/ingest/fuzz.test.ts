import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fuzzEndpoints } from './testing/endpoint-fuzzer.ts';

/** Open connections, and what the compiler keeps; a leak of each request's body would be ten times as much. */
const NOISE_BYTES = 24 * 1024 * 1024;

test('ten seconds of nonsense end no server, get no answer that is a bug, and leave nothing in memory', async () => {
  const { answers, failures, bytes } = await fuzzEndpoints(7, 10);

  assert.deepEqual(failures, []);
  for (const seen of [
    'ingest 200',
    'ingest 400',
    'ingest 401',
    'ingest 404',
    'ingest 409',
    'agent 200',
    'controller 200',
  ]) {
    assert(answers.has(seen), `${seen} of ${[...answers].join('; ')}`);
  }
  assert(bytes.after < bytes.before + NOISE_BYTES, `${bytes.before} bytes in use, then ${bytes.after}`);
});
