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
  assert.deepEqual(createStackIndex().of([]), {
    ...{ id: 0, frames: [], identities: [], nodes: [] },
    group: '[unknown]',
  });
});
