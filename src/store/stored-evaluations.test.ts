import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { openStoredEvaluations } from './stored-evaluations.ts';
import { aBatch, aPodWindow, EPOCH_MS } from './testing/a-batch.ts';
import { openStore } from './window-store.ts';

function aDirectory(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'flamegate-evaluations-'));
  t.after(() => rmSync(directory, { recursive: true }));
  return directory;
}

test('a closed database gives its evaluations and their windows, and stays as it was', (t) => {
  const path = join(aDirectory(t), 'windows.sqlite');
  const store = openStore(path, { now: () => EPOCH_MS + 30_000 });
  const ref = (podUid: string) => ({ podUid, container: 'app' });
  for (const sequence of [0, 1, 2]) {
    const pods = ['a', 'b', 'c'].map((podUid) => aPodWindow({ podUid }));
    store.addBatch(aBatch({ sequence, pods }));
  }
  store.rememberPods('report-1', 'baseline', [ref('a'), ref('b')]);
  store.rememberPods('report-1', 'canary', [ref('c')]);
  const expected = store.windows({
    pods: [ref('a'), ref('b')],
    fromMs: EPOCH_MS + 10_000,
    toMs: EPOCH_MS * 2,
  });
  store.close();
  const before = readFileSync(path);

  const stored = openStoredEvaluations(path);

  assert.deepEqual(stored.all, [
    {
      uid: 'report-1',
      seenMs: EPOCH_MS + 30_000,
      pods: { baseline: [ref('a'), ref('b')], canary: [ref('c')] },
    },
  ]);
  assert.deepEqual(stored.windows([ref('a'), ref('b')], EPOCH_MS + 10_000), expected);
  assert.equal(expected.length, 4);
  stored.close();
  assert.deepEqual(readFileSync(path), before);
});

test('a file that is no database of windows is refused and left alone', (t) => {
  const path = join(aDirectory(t), 'windows.sqlite');
  writeFileSync(path, 'not a database, but long enough to have a header of one hundred bytes'.repeat(10));

  assert.throws(() => openStoredEvaluations(path), { code: 'STORE_OPEN_FAILED' });
  assert.match(readFileSync(path, 'utf8'), /^not a database/);
  assert.throws(() => openStoredEvaluations(`${path}.none`), { code: 'STORE_OPEN_FAILED' });
});
