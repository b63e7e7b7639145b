import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IdSet } from './id-set.ts';

test('a set of ids has what was added, near to each other and far apart, and nothing else', () => {
  const ids = [0, 1, 31, 32, 65_535, 65_536, 1_000_000, 0xffff_ffff];
  const set = new IdSet();

  for (const id of ids) set.add(id);

  for (const id of ids) assert.equal(set.has(id), true, `${id}`);
  for (const id of [2, 30, 33, 65_534, 65_537, 999_999, 0xffff_fffe])
    assert.equal(set.has(id), false, `${id}`);
});
