import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NodeSums } from './node-sums.ts';
import { seededRandom } from './seeded-random.ts';
import { createStackIndex, type StackIndex } from './stack-index.ts';

/** Stacks of few names, so that they recur and share callers; some with native, internal and no frames at all. */
function randomStacks(number: number): StackIndex {
  const random = seededRandom(7);
  const names = [
    'a',
    'b',
    'c',
    'd',
    '[libc.so.6]',
    'kotlinx.coroutines.Dispatch.run',
    'VMThread::run [libjvm.so]',
  ];
  const index = createStackIndex();
  while (index.stacks.length < number) {
    const frames = Array.from(
      { length: Math.floor(8 * random()) },
      () => names[Math.floor(random() ** 2 * 7)] ?? 'a',
    );
    index.of(frames);
  }
  return index;
}

/** Stack by stack, node by node. */
function summedSimply(index: StackIndex, counts: ReadonlyMap<number, number>) {
  const nodes = new Map<number, number>();
  let samples = 0;
  for (const [id, count] of counts) {
    const stack = index.stacks[id];
    if (stack === undefined || stack.nodes.length === 0) continue;
    samples += count;
    for (const node of stack.nodes) nodes.set(node, (nodes.get(node) ?? 0) + count);
  }
  return { nodes, samples };
}

for (const [what, part] of [
  ['few of many', 0.02],
  ['nearly all', 0.9],
] as const) {
  test(`${what} stacks are summed as stack by stack, again and again`, () => {
    const index = randomStacks(2_000);
    const random = seededRandom(8);
    const sums = new NodeSums();
    sums.makeRoom(index);
    for (let round = 0; round < 3; round++) {
      const counts = new Map<number, number>();
      for (const { id } of index.stacks) {
        if (random() > part) continue;
        for (let time = 0; time < 2; time++) {
          const count = Math.floor(100 * random());
          counts.set(id, (counts.get(id) ?? 0) + count);
          sums.add(id, count);
        }
      }
      sums.sum(index.paths, index.stacks.length);

      const expected = summedSimply(index, counts);
      assert.equal(sums.samples, expected.samples);
      const nodes = new Map(Array.from(sums.nodes, (node) => [node, sums.ofNode[node] ?? 0]));
      assert.equal(nodes.size, sums.nodes.length);
      for (const [node, count] of expected.nodes) assert.equal(nodes.get(node) ?? 0, count);
      for (const node of nodes.keys()) assert.ok(expected.nodes.has(node));
      sums.clear();
    }
  });
}
