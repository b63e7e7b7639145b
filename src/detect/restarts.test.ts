import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isClose, readReference } from '../../test/reference/read-reference.ts';
import { Restarts, type Stretch, type StretchNoise, weighRestarts } from './restarts.ts';

const DENSITY = 0.04; // of P99: one per cent more latency brings 0.04 % of requests across it
const SHAPE = { density: DENSITY, shiftOf: (part: number) => (part - 0.01) / DENSITY };
const NOISE: StretchNoise = { waves: 0.001, ageing: 1e-4, looksPerBlock: 4, fewest: 30 };
const GATE_BLOCKS = 15;

/** A look's 1,500 requests, of which the canary has this part beyond the baseline's P99. */
const look = (part: number): Stretch => ({
  ...{ requests: 1_500, counted: 1_500 * part, expected: 15, squares: 75, looks: 1 },
});

function served(partOf: (block: number) => number, blocks = GATE_BLOCKS): Restarts {
  const restarts = new Restarts(GATE_BLOCKS);
  for (let block = 0; block < blocks; block++) {
    for (let at = 0; at < 4; at++) restarts.add(block, look(partOf(block)));
  }
  return restarts;
}

test('growth that begins later is found where it began, with its size, whatever the pods were like before', () => {
  const luckyPods = 0.008;
  const restarts = served((block) => (block < 4 ? luckyPods : luckyPods + 0.15 * DENSITY));

  const evidence = weighRestarts(restarts, SHAPE, NOISE, 2);

  assert.ok(evidence);
  assert.equal(evidence.strongest.block, 4);
  assert.ok(Math.abs(evidence.strongest.effect - 0.15) < 1e-9);
  assert.ok(evidence.logE > 6, `${evidence.logE}`);
  assert.equal(evidence.strongest.isSuspect, true);
});

test('pods that are slow from the first look on have no start of their own', () => {
  assert.equal(
    weighRestarts(
      served(() => 0.02),
      SHAPE,
      NOISE,
      2,
    ),
    undefined,
  );
});

test('what gets faster is no growth', () => {
  assert.equal(
    weighRestarts(
      served((block) => 0.02 - 0.0005 * block),
      SHAPE,
      NOISE,
      2,
    ),
    undefined,
  );
});

test('a start needs enough requests on both of its sides', () => {
  const late = served((block) => (block < 13 ? 0.01 : 0.02), 14);
  const early = weighRestarts(late, SHAPE, { ...NOISE, fewest: 61 }, 2);

  assert.ok((early?.strongest.block ?? 99) <= 12, `${early?.strongest.block}`);
});

test('starts are planned from the length of the gate, at most thirty, and as far apart as that takes', () => {
  assert.equal(new Restarts(GATE_BLOCKS).planned, 14);
  assert.equal(new Restarts(1).planned, 0);
  const long = new Restarts(720); // a day
  for (let block = 0; block < 720; block++) long.add(block, look(0.01));

  assert.equal(long.planned, 29);
  assert.deepEqual(
    long.starts.slice(0, 3).map(({ block }) => block),
    [24, 48, 72],
  );
  assert.equal(long.starts.length, 29);
});

test('a gap in which nothing was served moves a start to the block after it', () => {
  const restarts = new Restarts(GATE_BLOCKS);
  for (const block of [0, 1, 4, 5]) restarts.add(block, look(0.01));

  assert.deepEqual(
    restarts.starts.map(({ block, before }) => [block, before.looks]),
    [
      [1, 1],
      [4, 2],
      [5, 3],
    ],
  );
});

test('the mean over starts is the mixture of normal likelihoods that scipy gives', () => {
  for (const { args, expected } of readReference<[number[], number], number>('restartMixture')) {
    const [parts, planned] = args;
    const restarts = new Restarts(planned + 1);
    parts.forEach((part, block) => {
      restarts.add(block, look(part));
    });

    const evidence = weighRestarts(restarts, SHAPE, NOISE, 2);

    assert.ok(isClose(evidence?.logE ?? 0, expected), `${evidence?.logE}, scipy ${expected}`);
  }
});
