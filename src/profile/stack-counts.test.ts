import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { encodeCollapsed, parseCollapsed } from './collapsed.ts';
import { functionCounts } from './function-counts.ts';
import { mergeStacks, type StackCount, totalCount } from './stack-counts.ts';

const profile = (text: string): StackCount[] => parseCollapsed(text);

test('stacks are leaf first, collapsed text is root first', () => {
  assert.deepEqual(profile('main;run;inner 7'), [{ frames: ['inner', 'run', 'main'], count: 7 }]);
});

test('equal stacks of several profiles become one', () => {
  const merged = mergeStacks(profile('main;a 2\nmain;b 1'), profile('main;a 3'));

  assert.equal(encodeCollapsed(merged), 'main;a 5\nmain;b 1\n');
  assert.equal(totalCount(merged), 6);
});

test('merging leaves its input alone', () => {
  const first = profile('main;a 2');

  mergeStacks(first, first);

  assert.equal(encodeCollapsed(first), 'main;a 2\n');
});

test('self is the leaf, total is anywhere on the stack', () => {
  const counts = functionCounts(profile('main;run;inner 7\nmain;run 3'));

  assert.deepEqual(counts.get('inner'), { self: 7, total: 7 });
  assert.deepEqual(counts.get('run'), { self: 3, total: 10 });
  assert.deepEqual(counts.get('main'), { self: 0, total: 10 });
});

test('a recursive function counts once per sample', () => {
  assert.deepEqual(functionCounts(profile('main;fib;fib;fib 4')).get('fib'), { self: 4, total: 4 });
});

test('collapsed text survives a round trip, whatever the names hold', () => {
  const name = fc.string({ minLength: 1, maxLength: 12 }).map((text) => `f${text.replaceAll(/[;\s]/g, '_')}`);
  const stack = fc.record(
    { frames: fc.array(name, { minLength: 1, maxLength: 6 }), count: fc.integer({ min: 1, max: 1_000_000 }) },
    { noNullPrototype: true },
  );
  fc.assert(
    fc.property(fc.array(stack, { maxLength: 20 }), (stacks) => {
      assert.deepEqual(parseCollapsed(encodeCollapsed(stacks)), stacks);
    }),
  );
});

test('a name with the separators of the format stays one frame on one line', () => {
  assert.equal(encodeCollapsed([{ frames: ['a;b\nc 9', 'main'], count: 1 }]), 'main;a:b c 9 1\n');
});

test('names with spaces are kept: only the last word is the count', () => {
  assert.deepEqual(profile('main;suspend Codec.encode 12'), [
    { frames: ['suspend Codec.encode', 'main'], count: 12 },
  ]);
});

test('a line without a count is refused with its number', () => {
  for (const text of ['a;b 1\nmain;run', 'a 1\nmain x', 'a 1\n 5', 'a 1\nmain -3', 'a 1\nmain 1.5']) {
    assert.throws(
      () => profile(text),
      { code: 'COLLAPSED_INVALID', message: /^line 2: no sample count/ },
      text,
    );
  }
});
