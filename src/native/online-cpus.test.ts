import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onlineCpus, parseCpuList } from './online-cpus.ts';

test('a list of CPUs is made of numbers and ranges', () => {
  assert.deepEqual(parseCpuList('0\n'), [0]);
  assert.deepEqual(parseCpuList('0-3,8,10-11\n'), [0, 1, 2, 3, 8, 10, 11]);
});

test('what is no list of CPUs is refused', () => {
  for (const text of ['', '3-1', '0-', 'a', '0-99999999', '1,,2']) {
    assert.throws(() => parseCpuList(text), RangeError, text);
  }
});

test('this machine has a CPU online', () => {
  assert(onlineCpus().length > 0);
});
