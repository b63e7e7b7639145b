import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ToldNodes, toldNodes } from './told-nodes.ts';

const MINUTE_MS = 60_000;

function aTelling() {
  const at = { wallMs: 100 * MINUTE_MS, monotonicMs: 0, store: 'store-1' };
  const store = { storeId: () => at.store };
  const told = toldNodes(
    store,
    () => at.wallMs,
    () => at.monotonicMs,
  );
  const pass = (ms: number) => {
    at.wallMs += ms;
    at.monotonicMs += ms;
  };
  return { at, told, pass };
}

const push = (told: ToldNodes, node: string, endMs: number, believed: string | undefined = 'store-1') =>
  told.record({ node, endMs }, believed);

test('of several nodes the one that has told least counts, and no node holds nothing up', () => {
  const { at, told } = aTelling();

  push(told, 'a', at.wallMs - 5_000);
  push(told, 'b', at.wallMs - 15_000);

  assert.equal(told.toldToMs(['a', 'b']), at.wallMs - 15_000);
  assert.equal(told.toldToMs(['a']), at.wallMs - 5_000);
  assert.equal(told.toldToMs([]), Number.POSITIVE_INFINITY);
});

test('a new leader waits for nodes that it has not heard of, for a minute and a half', () => {
  const { told, pass } = aTelling();

  assert.equal(told.toldToMs(['a']), 0);
  pass(91_000);
  assert.equal(told.toldToMs(['a']), Number.POSITIVE_INFINITY);
});

test('the newest window of an agent that takes the store for another tells nothing of the older ones', () => {
  const { at, told } = aTelling();

  push(told, 'a', at.wallMs - 5_000, 'the-store-of-the-leader-before');
  assert.equal(told.toldToMs(['a']), 0);

  push(told, 'a', at.wallMs - 50 * MINUTE_MS);
  assert.equal(told.toldToMs(['a']), at.wallMs - 50 * MINUTE_MS);
  push(told, 'a', at.wallMs - 5_000);
  assert.equal(told.toldToMs(['a']), at.wallMs - 5_000);
});

test('a window that is sent again after a lost answer takes nothing back', () => {
  const { at, told } = aTelling();

  push(told, 'a', at.wallMs - 5_000);
  push(told, 'a', at.wallMs - 25_000);

  assert.equal(told.toldToMs(['a']), at.wallMs - 5_000);
});

test('a store that is begun anew has been told nothing', () => {
  const { at, told } = aTelling();
  push(told, 'a', at.wallMs - 5_000);

  at.store = 'store-2';

  assert.equal(told.toldToMs(['a']), 0);
});

test('an agent that falls silent, or never comes to an end, holds nothing up for ever', () => {
  const { at, told, pass } = aTelling();
  push(told, 'silent', at.wallMs - 5_000);
  for (let round = 0; round < 10; round++) {
    push(told, 'endless', at.wallMs - 40 * MINUTE_MS);
    push(told, 'liar', at.wallMs, 'some-store');
    pass(35_000);
  }

  assert.equal(told.toldToMs(['silent', 'endless', 'liar']), Number.POSITIVE_INFINITY);
});

test('a clock that is set forward makes nobody silent', () => {
  const { at, told } = aTelling();
  const endMs = at.wallMs - 5_000;
  push(told, 'a', endMs);

  at.wallMs += 24 * 60 * MINUTE_MS;

  assert.equal(told.toldToMs(['a']), endMs);
});

test('a node whose windows are of the future is waited for, for five minutes', () => {
  const { at, told, pass } = aTelling();
  const endMs = at.wallMs - 5_000;
  push(told, 'a', endMs);
  at.wallMs -= 10 * MINUTE_MS; // somebody sets the clock
  const hear = (minutes: number) => {
    for (let half = 0; half < 2 * minutes; half++) {
      told.heard('a');
      pass(30_000);
    }
  };

  hear(10);
  assert.equal(told.toldToMs(['a']), endMs);
  at.wallMs += 10 * MINUTE_MS; // and right again
  hear(5);
  assert.equal(told.toldToMs(['a']), endMs);
  hear(1);
  assert.equal(told.toldToMs(['a']), Number.POSITIVE_INFINITY);
});
