import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCollapsed } from './collapsed.ts';
import { type DiffTree, diffTree } from './diff.ts';
import { layoutFlame, matchedCounts, shapeOf, type WidthBasis } from './flame-layout.ts';
import { measureText, nodeChange, requestMeasure, shareMeasure } from './flame-measure.ts';

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
  const deep = Array.from({ length: 10_000 }, (_, i) => `f${i}`);
  const stacks = [{ frames: deep, count: 1 }];

  assert.equal(diffTree(stacks, stacks).name.length, 10_001);
});

const named = (tree: DiffTree, name: string): number =>
  tree.name.findIndex((index) => tree.names[index] === name);
const laidOut = (tree: DiffTree, basis: WidthBasis) =>
  layoutFlame(tree, shapeOf(tree), { basis, measure: shareMeasure(tree) });

test('children lie side by side inside their parent', () => {
  const tree = treeOf('main;a 1', 'main;a 3\nmain;b 4\nmain 1\nother 2');
  const { x, width } = laidOut(tree, 'canary');
  const { parent, end, rows } = shapeOf(tree);
  const at = (name: string) => named(tree, name);

  assert.deepEqual([x[at('main')], width[at('main')]], [0, 0.8]);
  assert.deepEqual([x[at('b')]?.toFixed(6), width[at('b')]], ['0.300000', 0.4]);
  assert.deepEqual([x[at('a')], width[at('a')]?.toFixed(6)], [0, '0.300000']);
  assert.deepEqual([x[at('other')], width[at('other')]], [0.8, 0.2]);
  assert.equal(parent[at('a')], at('main'));
  assert.equal(end[at('main')], at('other'));
  assert.equal(rows, 3);
});

test('by the larger of the two, what is new and what is gone are there alike, and no child sticks out of its parent', () => {
  const tree = treeOf('main;old 40\nmain;kept 60', 'main;new 40\nmain;kept 60');
  const { x, width } = laidOut(tree, 'both');
  const { parent } = shapeOf(tree);

  assert.equal(width[named(tree, 'old')], width[named(tree, 'new')]);
  assert.ok((width[named(tree, 'new')] ?? 0) > 0.2);
  for (const node of tree.name.keys()) {
    const above = parent[node] ?? -1;
    if (above < 0) continue;
    const end = (x[node] ?? 0) + (width[node] ?? 0);
    assert.ok(end <= (x[above] ?? 0) + (width[above] ?? 0) + 1e-12, String(node));
  }
});

test('by change, only what changed beyond noise has a width, and who calls it', () => {
  const tree = treeOf('main;serve;old 400\nmain;gc 600', 'main;serve;new 400\nmain;gc 600');
  const { width } = laidOut(tree, 'change');

  assert.equal(width[named(tree, 'gc')], 0);
  assert.equal(width[named(tree, 'old')], 0.5);
  assert.equal(width[named(tree, 'new')], 0.5);
  assert.equal(width[named(tree, 'serve')], 1);
});

test('a profile without samples has no width and nothing is beyond noise', () => {
  const tree = treeOf('', 'main 5');

  assert.equal(laidOut(tree, 'baseline').width[0], 0);
  assert.deepEqual(nodeChange(tree, 1, shareMeasure(tree)), {
    ...{ baseline: 0, canary: 1, delta: 1 },
    beyondNoise: false,
  });
});

test('a share is beyond noise when it changed by more than two standard errors', () => {
  // 100 of 1000 against 130 of 1000: pooled share 0.115, standard error 0.01427, z = 2.10. With 125: z = 1.77.
  const isChange = (canary: number) => {
    const tree = treeOf('a 100\nb 900', `a ${canary}\nb ${1_000 - canary}`);
    return nodeChange(tree, named(tree, 'a'), shareMeasure(tree)).beyondNoise;
  };

  assert.equal(isChange(130), true);
  assert.equal(isChange(125), false);
});

test('milliseconds a request compare profiles of different length, within what pods differ by', () => {
  const tree = treeOf('a 10000\nb 10000', 'a 22000\nb 20000');
  const change = (name: string, relativeError: number) => {
    const costs = { baseline: { ms: 20, relativeError }, canary: { ms: 21, relativeError } };
    return nodeChange(tree, named(tree, name), requestMeasure(tree, costs));
  };

  assert.deepEqual(change('a', 0), { baseline: 10, canary: 11, delta: 1, beyondNoise: true });
  assert.deepEqual(change('b', 0), { baseline: 10, canary: 10, delta: 0, beyondNoise: false });
  assert.equal(change('a', 0.05).beyondNoise, false);
});

test('amounts have a sign, a unit and as many digits as a thousandth of the whole needs', () => {
  const ms = measureText('perRequest', 27.4);
  assert.deepEqual([ms.value(2.71449), ms.delta(-0.4), ms.delta(0)], ['2.71 ms', '−0.40 ms', '0.00 ms']);
  assert.equal(measureText('perRequest', 0.4).delta(0.0123), '+12.3 µs');
  const share = measureText('share', 1);
  assert.deepEqual(
    [share.value(0.0512), share.delta(0.0512), share.brief(-0.1)],
    ['5.12 %', '+5.12 points', '−10.00 pt'],
  );
});

test('a match under a match counts its samples once', () => {
  const tree = treeOf('main;fib;fib 4\nmain;x 6', 'main;fib;fib 2\nmain;x 8');

  const found = matchedCounts(
    tree,
    shapeOf(tree),
    tree.names.map((name) => name === 'fib'),
  );

  assert.deepEqual(found, { nodes: 2, baseline: 4, canary: 2 });
});

test('counts that are no counts are refused with a code', () => {
  for (const count of [-1, Number.NaN, Number.POSITIVE_INFINITY]) {
    assert.throws(() => diffTree([{ frames: ['leaf', 'main'], count }], []), {
      code: 'PROFILE_INVALID',
      message: /baseline counts (-1|NaN|Infinity), under "leaf"/,
    });
  }
});

test('weights of 2^63 are drawn as what they are to each other', () => {
  const tree = diffTree(
    [
      { frames: ['a'], count: 2 ** 63 },
      { frames: ['b'], count: 2 ** 63 },
    ],
    [{ frames: ['a'], count: 1 }],
  );

  assert.equal(laidOut(tree, 'baseline').width[named(tree, 'a')], 0.5);
});
