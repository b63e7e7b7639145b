import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

test('what is pure in native/ holds (native/testing/unit_tests.cc)', () => {
  const program = fileURLToPath(new URL('../../build/unit-tests', import.meta.url));

  const { status, stdout } = spawnSync(program, { encoding: 'utf8' });

  assert.equal(stdout, '0 failed\n');
  assert.equal(status, 0);
});
