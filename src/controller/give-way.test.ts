import assert from 'node:assert/strict';
import { test } from 'node:test';
import { giveWay } from './give-way.ts';

/** Pieces of five milliseconds that others have to do, one in each turn of the loop. */
function others(pieces: number): { readonly now: () => number; readonly done: () => number } {
  let done = 0;
  const next = (): void => {
    done += 1;
    if (done < pieces) setImmediate(next);
  };
  if (pieces > 0) setImmediate(next);
  return { now: () => done * 5, done: () => done };
}

test('others have the loop for three times as long as the work had it', async () => {
  const waiting = others(100);

  await giveWay(50, waiting.now);

  assert.equal(waiting.done(), 30);
});

test('work goes on as soon as the others have nothing to do', async () => {
  const waiting = others(3);

  await giveWay(50, waiting.now);

  assert.equal(waiting.done(), 3);
});
