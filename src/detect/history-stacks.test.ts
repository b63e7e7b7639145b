import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type SharedStack, SharedStacks } from '../profile/shared-stacks.ts';
import { HistoryStacks } from './history-stacks.ts';

const FIND = ['find', 'serve', 'run'];
const SERVE = ['serve', 'run'];
const LOOP = ['run', 'serve', 'run'];

const stored = (source: object, stacks: readonly [SharedStack, number][]) => ({
  stacks: new SharedStacks(
    source,
    stacks.map(([stack]) => stack),
    Uint32Array.from(stacks, ([, count]) => count),
  ),
});

const aStack = (number: number, frames: readonly string[], places?: readonly string[]): SharedStack => ({
  ...{ number, frames: [...frames], places },
});

test('stacks of the same frames are one, whoever made their arrays and wherever they stood', () => {
  const history = new HistoryStacks();
  const [before, after] = [{}, {}];

  const merged = history.merged([
    stored(before, [
      [aStack(0, SERVE), 3],
      [aStack(1, FIND, ['a:1', 'b:2', 'c:3']), 2],
      [aStack(2, FIND, ['a:7', 'b:2', 'c:3']), 4],
    ]),
    stored(after, [[aStack(0, FIND), 5]]),
    { stacks: [{ frames: [...LOOP], count: 1 }] },
  ]);

  assert.deepEqual(
    [...merged],
    [
      { frames: SERVE, count: 3 },
      { frames: FIND, count: 11 },
      { frames: LOOP, count: 1 },
    ],
  );
});

test('a stack has one number in all blocks, and a block only its own', () => {
  const history = new HistoryStacks();
  const first = history.merged([{ stacks: [{ frames: FIND, count: 1 }] }]);
  const second = history.merged([
    {
      stacks: [
        { frames: SERVE, count: 2 },
        { frames: [...FIND], count: 3 },
      ],
    },
  ]);

  assert.deepEqual([...first.numbers], [0]);
  assert.deepEqual([...second.numbers], [1, 0]);
  assert.deepEqual([...second.counts], [2, 3]);
  assert.equal(first.source, second.source);
});

test('more names and stacks than there was room for stay what they were', () => {
  const history = new HistoryStacks();
  const all = Array.from({ length: 3_000 }, (_, i) => ({ frames: [`leaf${i}`, `caller${i % 7}`], count: 1 }));

  assert.deepEqual([...history.merged([{ stacks: all }])], all);
});
