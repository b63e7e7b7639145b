import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCollapsed } from './collapsed.ts';
import { type DiffTree, diffTree } from './diff.ts';
import { layoutFlame, matchedCounts, shareChange } from './flame-layout.ts';

const treeOf = (baseline: string, canary: string, minShare = 0): DiffTree =>
  diffTree(parseCollapsed(baseline), parseCollapsed(canary), { minShare });

/** One line per node, indented by depth: `name baseline canary`. */
const drawn = (tree: DiffTree): string =>
  tree.name
    .map(
      (name, i) =>
        `${'  '.repeat(tree.depth[i] ?? 0)}${tree.names[name]} ${tree.baseline[i]} ${tree.canary[i]}`,
    )
    .join('\n');

test('two profiles become one tree, the largest child first', () => {
  const tree = treeOf('main;a 6\nmain;b 4', 'main;b 8\nmain;c;d 2');

  assert.equal(drawn(tree), 'all 10 10\n  main 10 10\n    b 4 8\n    a 6 0\n    c 0 2\n      d 0 2');
});

test('what is small in both profiles is left out and counted', () => {
  const tree = treeOf('main 999\nmain;tiny;leaf 1', 'main 999\nmain;other 1', 0.01);

  assert.equal(drawn(tree), 'all 1000 1000\n  main 1000 1000');
  assert.equal(tree.hidden, 2);
});

test('a stack deeper than any call stack of ours is merged', () => {
  const deep = Array.from({ length: 2_000 }, (_, i) => `f${i}`).join(';');

  assert.equal(treeOf(`${deep} 1`, `${deep} 1`).name.length, 2_001);
});

test('children lie side by side inside their parent', () => {
  const tree = treeOf('main;a 1', 'main;a 3\nmain;b 4\nmain 1\nother 2');
  const { x, width, parent, end, rows } = layoutFlame(tree, 'canary');
  const named = (name: string) => tree.name.findIndex((index) => tree.names[index] === name);

  assert.deepEqual([x[named('main')], width[named('main')]], [0, 0.8]);
  assert.deepEqual([x[named('b')], width[named('b')]], [0.3, 0.4]);
  assert.deepEqual([x[named('a')], width[named('a')]], [0, 0.3]);
  assert.deepEqual([x[named('other')], width[named('other')]], [0.8, 0.2]);
  assert.equal(parent[named('a')], named('main'));
  assert.equal(end[named('main')], named('other'));
  assert.equal(rows, 3);
});

test('a profile without samples has no width and no noise to be beyond', () => {
  const tree = treeOf('', 'main 5');

  assert.equal(layoutFlame(tree, 'baseline').width[0], 0);
  assert.deepEqual(shareChange(tree, 1), {
    baselineShare: 0,
    canaryShare: 1,
    delta: 1,
    beyondNoise: false,
  });
});

test('a change is beyond noise when it is more than two standard errors', () => {
  // 100 of 1000 against 130 of 1000: pooled share 0.115, standard error 0.01427, z = 2.10. With 125: z = 1.77.
  const from = (canary: number) => treeOf('a 100\nb 900', `a ${canary}\nb ${1_000 - canary}`);
  const a = (tree: DiffTree) => tree.name.findIndex((index) => tree.names[index] === 'a');
  const changed = from(130);
  const same = from(125);

  assert.equal(shareChange(changed, a(changed)).beyondNoise, true);
  assert.equal(shareChange(same, a(same)).beyondNoise, false);
});

test('a match under a match counts its samples once', () => {
  const tree = treeOf('main;fib;fib 4\nmain;x 6', 'main;fib;fib 2\nmain;x 8');

  const found = matchedCounts(tree, layoutFlame(tree, 'canary'), (name) => name === 'fib');

  assert.deepEqual(found, { nodes: 2, baseline: 4, canary: 2 });
});
