import assert from 'node:assert/strict';
import { test } from 'node:test';
import { doubtOfPods } from './one-pod-doubt.ts';
import { PodCounts } from './pod-counts.ts';
import { Restarts } from './restarts.ts';

const DENSITY = 0.04;
const SHAPE = { density: DENSITY, shiftOf: (part: number) => (part - 0.01) / DENSITY };
const BLOCKS = 10;
const REQUESTS = 2_000;
const ONSET = { block: 5, effect: 0.3, half: 0.1, beside: 0.3, isSuspect: true };

/** Of the canary's pods the part beyond in each block. */
function doubt(pods: readonly ((block: number) => number)[], onset?: typeof ONSET) {
  const canary = new PodCounts();
  const restarts = new Restarts(BLOCKS);
  for (let block = 0; block < BLOCKS; block++) {
    const counts = pods.map((partIn) => REQUESTS * partIn(block));
    for (const [at, counted] of counts.entries()) {
      canary.add(`pod-${at}`, block, { requests: REQUESTS, counted });
    }
    const requests = REQUESTS * pods.length;
    const counted = counts.reduce((sum, each) => sum + each, 0);
    restarts.add(block, { requests, counted, expected: 0.01 * requests, squares: 0.05 * requests, looks: 4 });
  }
  return doubtOfPods({
    evidence: { ...(onset && { onset }) },
    counts: { canary },
    ...{ restarts, shape: SHAPE, facts: { canary: new Map() } },
    noise: { podVariance: 0.001, waveVariance: 0.01 },
    baselineConcentration: 1 / 20,
  });
}

const always = (part: number) => (): number => part;
const late = (part: number) => (block: number) => (block < ONSET.block ? 0.01 : part);

test('growth of one pod of three is in doubt by its name, that of all or of two is not', () => {
  const found = doubt([always(0.01), always(0.025), always(0.011)]);

  assert.equal(found?.kind, 'OnePod');
  assert.match(found.message, /^pod-1 alone, one of 3 canary pods/);
  assert.equal(doubt([always(0.016), always(0.015), always(0.017)]), undefined);
  assert.equal(doubt([always(0.01), always(0.025), always(0.022)]), undefined);
});

test('since a later start pods are held against their own past', () => {
  assert.equal(doubt([late(0.01), late(0.025), always(0.01)], ONSET)?.message.slice(0, 5), 'pod-1');
  // One that was slow from the start on is not what came later.
  assert.equal(doubt([always(0.04), always(0.01), always(0.01)])?.kind, 'OnePod');
  const grown = [(block: number) => 0.03 + late(0.016)(block), late(0.016), late(0.015)];
  assert.equal(doubt(grown)?.kind, 'OnePod');
  assert.equal(doubt(grown, ONSET), undefined);
});
