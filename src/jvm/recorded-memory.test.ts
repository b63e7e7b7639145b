/** What real JVMs of every layout have to tell, from their recorded memory. scripts/record-jvm-memory.ts makes both files. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openRecording } from './testing/recorded-memory.ts';
import { survey } from './testing/survey.ts';

const FIXTURES = fileURLToPath(new URL('../../test/fixtures/jvm/', import.meta.url));
const recordings = globSync(`${FIXTURES}*.memory.br`);

for (const path of recordings) {
  test(`${basename(path)} still tells the same`, () => {
    const text = survey(openRecording(path));

    assert.equal(text, readFileSync(path.replace('.memory.br', '.txt'), 'utf8'));
  });
}

test('every supported layout is recorded, and all of them tell of the same program', () => {
  const programs = recordings.map((path) => {
    const text = readFileSync(path.replace('.memory.br', '.txt'), 'utf8');
    return text.slice(text.indexOf('\nlines\n'));
  });

  assert.deepEqual(recordings.map((path) => basename(path, '.memory.br')).toSorted(), [
    'jdk-17',
    'jdk-21',
    'jdk-25',
    'jdk-25-compact',
  ]);
  assert.equal(new Set(programs).size, 1);
});
