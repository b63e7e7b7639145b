import assert from 'node:assert/strict';
import { test } from 'node:test';
import { selectorText, selects } from './label-selector.ts';

const labels = { app: 'orders', track: 'canary' };

test('every requirement must hold', () => {
  assert.equal(selects({ matchLabels: { app: 'orders' } }, labels), true);
  assert.equal(selects({ matchLabels: { app: 'orders', track: 'stable' } }, labels), false);
});

test('set-based requirements follow the API server: NotIn and DoesNotExist hold for an absent label', () => {
  const one = (key: string, operator: string, values?: string[]) =>
    selects({ matchExpressions: [{ key, operator, ...(values === undefined ? {} : { values }) }] }, labels);

  assert.equal(one('track', 'In', ['canary', 'x']), true);
  assert.equal(one('zone', 'In', ['a']), false);
  assert.equal(one('track', 'NotIn', ['canary']), false);
  assert.equal(one('zone', 'NotIn', ['a']), true);
  assert.equal(one('app', 'Exists'), true);
  assert.equal(one('zone', 'DoesNotExist'), true);
});

test('nothing is selected without a requirement or by an operator nobody knows', () => {
  assert.equal(selects({}, labels), false);
  assert.equal(selects(undefined, labels), false);
  assert.equal(
    selects({ matchExpressions: [{ key: 'app', operator: 'Like', values: ['orders'] }] }, labels),
    false,
  );
});

test('a selector reads as kubectl writes it', () => {
  const selector = {
    matchLabels: { app: 'orders' },
    matchExpressions: [
      { key: 'track', operator: 'In', values: ['a', 'b'] },
      { key: 'old', operator: 'DoesNotExist' },
    ],
  };

  assert.equal(selectorText(selector), 'app=orders,track in (a,b),!old');
});
