import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { fuzzHttp, HTTP_FUZZERS } from './testing/http-fuzzers.ts';

const BUILD = fileURLToPath(new URL('../../build/', import.meta.url));
const TRANSCRIPTS = globSync(fileURLToPath(new URL('../../test/fixtures/http/*.calls', import.meta.url)));

const SEED = 20261125;
const FUZZ_SECONDS = 10;

test('each transcript of a connection is as many exchanges as it says', () => {
  const { status, stdout } = spawnSync(`${BUILD}http-transcripts`, TRANSCRIPTS, { encoding: 'utf8' });

  assert.equal(stdout, `0 of ${TRANSCRIPTS.length} failed\n`);
  assert.equal(status, 0);
});

test('HPACK is read as RFC 7541 has it (native/testing/hpack_tests.cc)', () => {
  const { status, stdout } = spawnSync(`${BUILD}hpack-tests`, { encoding: 'utf8' });

  assert.equal(stdout, '0 failed\n');
  assert.equal(status, 0);
});

for (const fuzzer of HTTP_FUZZERS) {
  test(`no mutation of what is kept breaks the reader of ${fuzzer.reads}, or what comes after it`, (t) => {
    const { status, signal, stdout, stderr } = fuzzHttp(fuzzer, SEED, FUZZ_SECONDS);

    t.diagnostic(`${stdout.trim()} from ${fuzzer.corpus.length} files`);
    assert.ok(fuzzer.corpus.length >= 5);
    assert.equal(stderr, '');
    assert.deepEqual({ status, signal }, { status: 0, signal: null });
  });
}
