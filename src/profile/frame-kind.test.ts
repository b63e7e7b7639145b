import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCollapsed } from './collapsed.ts';
import { diffTree } from './diff.ts';
import { type FrameKind, kindOfName, kindsOf, plainName } from './frame-kind.ts';

test('a name says what kind of code it is', () => {
  const kinds: Readonly<Record<string, FrameKind>> = {
    'shop.Codec.encode': 'java',
    'shop.Codec.encode_[s]': 'inlined',
    'suspend shop.Orders.find_[a]': 'suspended',
    'futex_wait_[k]': 'kernel',
    '[GC thread]': 'collector',
    '[C2 compiler]': 'jvm',
    'JavaCalls::call_helper [libjvm.so]': 'jvm',
    'malloc [libc.so.6]': 'native',
    '[libc.so.6]': 'native',
    '[wait: socket]': 'waiting',
    '[file sync]': 'waiting',
    '[coroutines: IO]': 'machinery',
    'void Foo.bar(int[])': 'java',
  };
  for (const [name, kind] of Object.entries(kinds)) assert.equal(kindOfName(name), kind, name);
  assert.equal(plainName('futex_wait_[k]'), 'futex_wait');
});

test("what the collector's threads call is the collector's, but for the kernel", () => {
  const stacks = parseCollapsed(
    '[GC thread];G1::mark [libjvm.so];memset [libc.so.6];page_fault_[k] 5\nmain;malloc [libc.so.6] 5',
  );
  const tree = diffTree(stacks, stacks);

  const kinds = kindsOf(tree).map((kind, node) => `${tree.names[tree.name[node] ?? 0]}: ${kind}`);

  assert.deepEqual(kinds.sort(), [
    'G1::mark [libjvm.so]: collector',
    '[GC thread]: collector',
    'all: java',
    'main: java',
    'malloc [libc.so.6]: native',
    'memset [libc.so.6]: collector',
    'page_fault_[k]: kernel',
  ]);
});
