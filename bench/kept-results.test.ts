import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { keyOf, openResults } from './kept-results.ts';

test('what was found before is not found again, unless its code or its recording is another', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'flamegate-kept-'));
  try {
    const path = join(directory, 'deep/jdk25.ndjson');
    const finding = (key: string, result: string): string =>
      openResults(path, key).once('part', () => result);

    assert.equal(finding('a', 'first'), 'first');
    assert.equal(finding('a', 'second'), 'first');
    assert.equal(finding('b', 'third'), 'third');
    writeFileSync(path, `${readFileSync(path, 'utf8')}\n{"key":"a","name":"cut","res`);
    assert.equal(await openResults(path, 'a').onceCome('cut', async () => 'whole'), 'whole');
    assert.equal(await openResults(path, 'a').onceCome('cut', async () => 'again'), 'whole');
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('the key is of the code and of whatever else is given', () => {
  const root = import.meta.dirname;
  const key = keyOf(root, ['kept-results.ts'], 'one');

  assert.equal(keyOf(root, ['kept-*.ts'], 'one'), key); // this file, a test, has no part
  assert.notEqual(keyOf(root, ['kept-results.ts'], 'other'), key);
  assert.notEqual(keyOf(root, ['machine.ts'], 'one'), key);
});
