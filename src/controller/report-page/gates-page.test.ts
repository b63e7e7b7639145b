import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aGate, aReport } from '../regression-gate/testing/a-cluster.ts';
import { type GatesPageInput, renderAllGatesPage, renderGatesPage } from './gates-page.ts';

const ofShop = (evaluations: number): GatesPageInput => ({
  ...{ namespace: 'shop', gates: [aGate()] },
  reports: Array.from({ length: evaluations }, (_, index) => aReport({ attempt: index + 1 })),
});
const evaluationsIn = (page: string): number => page.match(/, attempt \d+<\/a>/g)?.length ?? 0;

test('the page of all has the latest evaluations of each gate, that of its namespace has them all', () => {
  const all = renderAllGatesPage({ namespaces: [ofShop(7)], isCut: false });
  const own = renderGatesPage(ofShop(7));

  assert.deepEqual([evaluationsIn(all), evaluationsIn(own)], [5, 7]);
  assert.match(all, /<p class="note">and 2 before<\/p>/);
  assert.match(all, /<h2><a href="\/gates\/v1\/shop">shop<\/a><\/h2>/);
  assert.match(own, /<a href="\/gates\/v1">Gates of all namespaces<\/a>/);
  assert.doesNotMatch(`${all}${own}`, /<script/);
});

test('a page that could not ask for all says so, and one without gates that, too', () => {
  const page = (isCut: boolean) => renderAllGatesPage({ namespaces: [], isCut });

  assert.match(page(true), /There are too many to ask for each/);
  assert.doesNotMatch(page(false), /too many/);
  assert.match(page(false), /There is no RegressionGate\./);
});
