import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bytesWrittenByConstruction } from './written-bytes.ts';

test('one object of the addon can write into a process, and it is the one of mode Live', () => {
  assert.equal(bytesWrittenByConstruction(), 0);
});
