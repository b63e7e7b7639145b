/** Stacks of real pods, folded: what a picture says of functions is what was sampled. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { foldingOf } from '../../src/profile/folding.ts';
import { functionCounts } from '../../src/profile/function-counts.ts';
import { type StackCount, totalCount } from '../../src/profile/stack-counts.ts';
import { readArms } from './recorded-arms.ts';

const { arms } = await readArms('orders-c1');
const profiles = [...arms.values()].map((windows) => windows.flatMap(({ stacks }) => [...stacks]));
const { fold, nameOf } = foldingOf(...profiles);

function selfByName(stacks: readonly StackCount[], name: (frame: string) => string) {
  const sums = new Map<string, number>();
  for (const [frame, { self }] of functionCounts(stacks)) {
    if (self > 0) sums.set(name(frame), (sums.get(name(frame)) ?? 0) + self);
  }
  return new Map([...sums].sort(([a], [b]) => (a < b ? -1 : 1)));
}

test('every function burns itself what it burnt before, and no sample is lost', () => {
  for (const stacks of profiles) {
    const folded = stacks.map(fold);

    assert.equal(totalCount(folded), totalCount(stacks));
    assert.deepEqual(
      selfByName(folded, (name) => name),
      selfByName(stacks, nameOf),
    );
  }
});

/** They only lead to a function, and stand for nothing where that is on the stack. */
const WAYS = /access\$|\$default$|\.invoke$/;

test('functions of the service keep their totals; a suspend function has those of all it was compiled to', () => {
  for (const stacks of profiles) {
    const after = functionCounts(stacks.map(fold));
    for (const [name, { total }] of functionCounts(stacks)) {
      if (!name.startsWith('shop.') || WAYS.test(name)) continue;
      const shown = after.get(nameOf(name))?.total ?? 0;
      assert(nameOf(name) === name ? shown === total : shown >= total, `${name}: ${total} became ${shown}`);
    }
  }
});

test('half of the frames are gone, and coroutines stand on a dispatcher', () => {
  const stacks = profiles.flat();
  const framesOf = (all: readonly StackCount[]) =>
    all.reduce((sum, { frames, count }) => sum + frames.length * count, 0);
  const folded = stacks.map(fold);

  assert(framesOf(folded) < 0.6 * framesOf(stacks));
  const roots = new Map<string, number>();
  for (const { frames, count } of folded)
    roots.set(frames.at(-1) ?? '', (roots.get(frames.at(-1) ?? '') ?? 0) + count);
  const share = (root: string) => (roots.get(root) ?? 0) / totalCount(stacks);
  assert(share('[coroutines: Default]') > 0.1 && share('[coroutines: IO]') > 0.1);
  assert(share('[coroutines]') < 0.01, 'the dispatcher is known');
});
