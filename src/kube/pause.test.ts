import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { test } from 'node:test';
import { pause } from './pause.ts';

test('a pause that is over has left nothing with the signal', async () => {
  const { signal } = new AbortController();

  for (let round = 0; round < 3; round++) await pause(1, signal);

  assert.equal(getEventListeners(signal, 'abort').length, 0);
});

test('a pause ends with the signal, before it and while it lasts', async () => {
  const aborting = new AbortController();
  const long = pause(3_600_000, aborting.signal);

  aborting.abort();
  await long;
  await pause(3_600_000, aborting.signal);

  assert.equal(getEventListeners(aborting.signal, 'abort').length, 0);
});
