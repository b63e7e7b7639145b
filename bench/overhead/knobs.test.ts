import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readKnobs } from './knobs.ts';

const NAMES = ['bare', 'flags'];

test('what is not set has its default, and what is set counts', () => {
  const knobs = readKnobs({ ROUNDS: '3', ONLY: 'flags' }, NAMES);

  assert.deepEqual([knobs.rounds, knobs.windowSeconds, knobs.only], [3, 10, ['flags']]);
  assert.equal(readKnobs({ ONLY: '' }, NAMES).only, undefined);
});

test('a value that makes no sense is refused by name', () => {
  assert.throws(() => readKnobs({ RATE: '0' }, NAMES), /RATE=0: a whole number/);
  assert.throws(() => readKnobs({ WINDOW_SECONDS: '1.5' }, NAMES), /WINDOW_SECONDS=1\.5/);
  assert.throws(() => readKnobs({ ONLY: 'bare,beyla' }, NAMES), /there is no beyla; bare, flags/);
});
