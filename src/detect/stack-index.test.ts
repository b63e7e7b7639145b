import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createStackIndex, selfNode, totalNode } from './stack-index.ts';

test('equal frames are one stack, in the same array or in another', () => {
  const index = createStackIndex();
  const frames = ['leaf', 'run'];

  assert.equal(index.of(frames), index.of(frames));
  assert.equal(index.of(['leaf', 'run']), index.of(frames));
  assert.notEqual(index.of(['leaf', 'other']), index.of(frames));
  assert.equal(index.stacks.length, 2);
});

test('recursion counts a function once in its total', () => {
  const index = createStackIndex();

  const { nodes } = index.of(['walk', 'walk', 'walk', 'run']);

  assert.deepEqual(nodes, [totalNode(0), totalNode(1), selfNode(0)]);
});

test('kernel and native code count for the function that called them, and for their group', () => {
  const index = createStackIndex();

  const { nodes, group } = index.of(['do_syscall_64_[k]', '[libc.so.6]', 'read', 'run']);

  assert.deepEqual(nodes, [totalNode(0), totalNode(1), selfNode(0)]);
  assert.equal(group, '[kernel]');
});

test('an empty stack is unknown code', () => {
  const { id, frames, identities, nodes, group } = createStackIndex().of([]);

  assert.deepEqual(
    { id, frames, identities, nodes, group },
    { id: 0, frames: [], identities: [], nodes: [], group: '[unknown]' },
  );
});

test('a stack gives back its frames, and each node the stacks that count for it', () => {
  const index = createStackIndex();
  const stacks = [
    ['leaf', 'walk', 'walk', 'run'],
    ['[libc.so.6]', 'leaf', 'run'],
    ['kotlinx.coroutines.Dispatch.run', 'run'],
    ['[libc.so.6]', 'VMThread::run [libjvm.so]', 'run'],
    ['run'],
  ].map((frames) => ({ frames, stack: index.of(frames) }));

  for (const { frames, stack } of stacks) assert.deepEqual(stack.frames, frames);
  const nodes = new Set(stacks.flatMap(({ stack }) => stack.nodes));
  assert.equal(nodes.size, 6);
  const each = index.among(nodes);
  for (const { stack } of stacks) {
    const seen: number[] = [];
    each(stack.id, (node) => void seen.push(node));
    assert.deepEqual(seen.toSorted(), stack.nodes.toSorted());
  }
  for (const node of nodes) {
    const holding = stacks.filter(({ stack }) => stack.nodes.includes(node)).map(({ stack }) => stack);
    assert.deepEqual(index.through(node), holding);
  }
});

test('the stacks through a function are those of the moment, however often they were asked for', () => {
  const index = createStackIndex();
  const first = index.of(['shop.Codec.encode', '[libjvm.so]', 'shop.Orders.handle']);
  const [encode = -1, handle = -1] = index.functionsOf(first.id).filter((functionId) => functionId >= 0);

  assert.deepEqual(index.functionsOf(first.id), [encode, -1, handle]);
  assert.deepEqual(index.through(totalNode(handle)), [first]);
  assert.equal(index.through(totalNode(handle)), index.through(totalNode(handle)));

  const second = index.of(['shop.Orders.handle', 'shop.Orders.handle']);
  assert.deepEqual(index.through(totalNode(handle)), [first, second]);
  assert.deepEqual(index.through(totalNode(encode)), [first]);
});
