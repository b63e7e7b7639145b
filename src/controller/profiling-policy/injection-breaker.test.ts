import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FlagItem } from './flag-variables.ts';
import { InjectionBreaker } from './injection-breaker.ts';
import { NOW_MS } from './testing/samples.ts';

const items: readonly FlagItem[] = [{ container: 'main', variable: 'JAVA_TOOL_OPTIONS' }];
const wish = (generation: number, more: object = {}) => ({
  uid: 'u-1',
  generation,
  items,
  owned: [],
  request: 'spec 1',
  ...more,
});

/** Injected at generation 2, taken out at 3. */
function takenOutOnce(): InjectionBreaker {
  const breaker = new InjectionBreaker();
  breaker.mayWrite(wish(1), NOW_MS);
  breaker.wrote('u-1', 2, items);
  return breaker;
}

test('flags that vanish once are written again', () => {
  assert.equal(takenOutOnce().mayWrite(wish(3), NOW_MS + 1_000), true);
});

test('flags that vanish twice within ten minutes are left out', () => {
  const breaker = takenOutOnce();
  breaker.mayWrite(wish(3), NOW_MS + 1_000);
  breaker.wrote('u-1', 4, items);

  assert.equal(breaker.mayWrite(wish(5), NOW_MS + 2_000), false);
  assert.equal(breaker.mayWrite(wish(5), NOW_MS + 3_600_000), false);
});

test('twice in a longer time is no fight', () => {
  const breaker = takenOutOnce();
  breaker.mayWrite(wish(3), NOW_MS + 1_000);
  breaker.wrote('u-1', 4, items);

  assert.equal(breaker.mayWrite(wish(5), NOW_MS + 1_000 + 10 * 60_000), true);
});

test('another wish of the policies is another try', () => {
  const breaker = takenOutOnce();
  breaker.mayWrite(wish(3), NOW_MS);
  breaker.wrote('u-1', 4, items);
  breaker.mayWrite(wish(5), NOW_MS);

  assert.equal(breaker.mayWrite(wish(5, { request: 'spec 2' }), NOW_MS), true);
});

test('a new wish on a Deployment that kept our items is not a loss', () => {
  const breaker = takenOutOnce();
  const both = [...items, { container: 'worker', variable: 'JAVA_TOOL_OPTIONS' } as const];

  for (const generation of [3, 5, 7]) {
    assert.equal(breaker.mayWrite(wish(generation, { items: both, owned: items }), NOW_MS), true);
  }
});

test('the same loss seen twice, by two workers, counts once', () => {
  const breaker = takenOutOnce();

  assert.equal(breaker.mayWrite(wish(3), NOW_MS), true);
  assert.equal(breaker.mayWrite(wish(3), NOW_MS), true);
});
