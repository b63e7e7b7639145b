import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withRoutes } from './culprit-routes.ts';
import type { Culprit } from './verdict.ts';

const CULPRIT: Culprit = {
  ...{ function: 'shop.Audit.lambda$sign$2', place: '', kind: 'New', selfOrTotal: 'self' },
  ...{ deltaShare: 0.02, interval: [0.01, 0.03], shareOfDelta: 1, baselineShare: 0, canaryShare: 0.02 },
  stack: [],
};
const served = (route: string, ...samples: readonly (readonly [string, number])[]) => ({
  ...{ method: 'POST', route },
  samples: samples.map(([text, count]) => ({ frames: text.split(';'), count })),
});

test('a culprit has the route that most of its samples belong to', () => {
  const rows = [
    served('/orders', ['shop.Audit.lambda$sign$2;shop.Orders.place', 7], ['shop.Store.find', 90]),
    served('/returns', ['shop.Audit.lambda$sign$1;shop.Orders.giveBack', 2]),
  ];

  assert.equal(withRoutes([CULPRIT], rows)[0]?.route, 'POST /orders');
});

test('where its samples are of several routes, or of none, it has none', () => {
  const split = ['/orders', '/returns'].map((route) => served(route, ['shop.Audit.lambda$sign$2', 5]));

  assert.deepEqual(withRoutes([CULPRIT], split), [CULPRIT]);
  assert.deepEqual(withRoutes([CULPRIT], [served('/orders', ['shop.Store.find', 9])]), [CULPRIT]);
});
