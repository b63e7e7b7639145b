import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addOutcome, addTally, emptyTally, failedBy, failedWithin } from './tally.ts';

const failed = (failedAtS: number) => ({ failedAtS, by: 'p99', marks: ['top1'], looks: 4 });
const passed = { passedAtS: 300, looks: 30 };

test('a delay counts gates that never failed among the slowest', () => {
  const tally = emptyTally();
  for (const outcome of [failed(60), failed(120), failed(30), passed]) addOutcome(tally, outcome);

  assert.equal(failedWithin(0.5, tally), 60);
  assert.equal(failedWithin(0.75, tally), 120);
  assert.equal(failedWithin(0.95, tally), null);
  assert.equal(failedBy(60, tally), 0.5);
});

test('parts of a cell add up to the cell', () => {
  const [one, other, whole] = [emptyTally(), emptyTally(), emptyTally()];
  for (const outcome of [failed(60), passed]) addOutcome(one, outcome);
  for (const outcome of [failed(60), failed(90)]) addOutcome(other, outcome);
  for (const outcome of [failed(60), passed, failed(60), failed(90)]) addOutcome(whole, outcome);

  addTally(one, other);

  assert.deepEqual(one, whole);
});
