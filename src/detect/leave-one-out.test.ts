import assert from 'node:assert/strict';
import { test } from 'node:test';
import { groupUnits, leaveOneOut, restsOn, type Unit } from './leave-one-out.ts';

const GROWTH = { effect: 0.3, half: 0.08, margin: 0.1 };
const unit = (name: string, excess: number): Unit => ({ name, size: 1_000, excess });

test('a growth that one pod of three carries rests on it, by name', () => {
  const rows = leaveOneOut(GROWTH, [unit('a', 90), unit('b', 1), unit('c', -1)]);

  assert.deepEqual(
    rows.map(({ name, stands }) => [name, stands]),
    [
      ['a', false],
      ['b', true],
      ['c', true],
    ],
  );
  assert.equal(restsOn(rows)?.name, 'a');
});

test('where all pods are worse it rests on none of them, and the effect stays without each', () => {
  const rows = leaveOneOut(GROWTH, [unit('a', 34), unit('b', 30), unit('c', 26)]);

  assert.equal(restsOn(rows), undefined);
  assert.ok(rows.every(({ stands }) => stands));
  assert.deepEqual(
    rows.map(({ effect }) => Number(effect.toFixed(3))),
    [0.28, 0.3, 0.32],
  );
  assert.deepEqual(
    rows.map(({ half }) => Number(half.toFixed(3))),
    [0.098, 0.098, 0.098],
  );
});

test('two bad pods of three are no single one, and of two pods none is blamed', () => {
  assert.equal(restsOn(leaveOneOut(GROWTH, [unit('a', 45), unit('b', 45), unit('c', 0)])), undefined);
  assert.equal(restsOn(leaveOneOut(GROWTH, [unit('a', 90), unit('b', 0)])), undefined);
});

test('pods of a node are one unit, those of an unknown node none', () => {
  const nodes: Readonly<Record<string, string>> = { a: 'n1', b: 'n1' };
  assert.deepEqual(
    groupUnits([unit('a', 5), unit('b', 7), unit('c', 9)], (pod) => nodes[pod]),
    [{ name: 'n1', size: 2_000, excess: 12 }],
  );
});
