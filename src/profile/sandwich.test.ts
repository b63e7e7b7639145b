import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCollapsed } from './collapsed.ts';
import { type DiffTree, diffTree } from './diff.ts';
import { shapeOf } from './flame-layout.ts';
import { sandwichOf } from './sandwich.ts';

function sandwich(baseline: string, canary: string, name: string) {
  const tree = diffTree(parseCollapsed(baseline), parseCollapsed(canary), { minShare: 0 });
  return sandwichOf(tree, shapeOf(tree), tree.names.indexOf(name));
}

const drawn = (tree: DiffTree | undefined): string =>
  (tree?.name ?? [])
    .map(
      (name, i) =>
        `${' '.repeat(tree?.depth[i] ?? 0)}${tree?.names[name]} ${tree?.baseline[i]} ${tree?.canary[i]}`,
    )
    .join('\n');

test('a function wherever it is: who calls it, and what it calls', () => {
  const both = sandwich('main;a;f;g 3\nmain;b;f 2\nmain 5', 'main;a;f;h 4\nmain;b;f;g 1', 'f');

  assert.equal(drawn(both?.callers), 'f 5 5\n a 3 4\n  main 3 4\n b 2 1\n  main 2 1');
  assert.equal(drawn(both?.callees), 'f 5 5\n h 0 4\n g 3 1');
});

test('one that calls itself counts each sample once', () => {
  const both = sandwich('main;f;f;g 3', 'main;f;f;f 2\nmain;f 1', 'f');

  assert.equal(drawn(both?.callers), 'f 3 3\n main 3 3');
  assert.equal(drawn(both?.callees), 'f 3 3\n f 3 2\n  g 3 0\n  f 0 2');
});

test('a function that the tree does not have has neither', () => {
  assert.equal(sandwich('main 1', 'main 1', 'nobody'), undefined);
});

test('ten thousand calls of itself end', () => {
  const frames = [...Array.from({ length: 10_000 }, (_, i) => `f${i % 7}`), 'main'];
  const stacks = Array.from({ length: 20 }, (_, i) => ({ frames: frames.slice(i * 500), count: 1 }));
  const tree = diffTree(stacks, stacks);

  const both = sandwichOf(tree, shapeOf(tree), tree.names.indexOf('main'));

  assert.equal(both?.callees.baseline[0], 20);
});
