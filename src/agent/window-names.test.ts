import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ClassReader } from '../jvm/class-reader.ts';
import { createSuspendedFrames } from '../jvm/suspended-frames.ts';
import type { SampleRow } from '../native/sample-batch.ts';
import { createMemoryNameStore } from '../symbols/name-store.ts';
import { createFrameNames } from './frame-names.ts';
import { type NamedProcess, nameWindow } from './window-names.ts';

// native/frame_word.h
const [JAVA, STUB, MARK, SUSPENDED] = [1n, 2n, 3n, 4n];
const [INLINED, INTERPRETED, SAFEPOINT_PLACE] = [1n, 2n, 4n];
const java = (method: number, flags = 0n, bci = 7) =>
  (JAVA << 56n) | (flags << 52n) | (BigInt(method) << 16n) | BigInt(bci);
const stub = (name: number) => (STUB << 56n) | BigInt(name);
const mark = (which: number) => (MARK << 56n) | BigInt(which);
const suspended = (classId: number, flags = 0n) =>
  (SUSPENDED << 56n) | (flags << 52n) | (BigInt(classId) << 16n) | 1n;
const COROUTINE_ROOT = 1n;
const NOTHING_TO_READ: ClassReader = {
  nameOf: () => undefined,
  lineageOf: () => undefined,
  fieldOffset: () => undefined,
  debugMetadataOf: () => undefined,
};
const LIBC = 0x7f00_0000_1000n;

function aJvmProcess(leafIsExact = false): NamedProcess {
  const frames = createFrameNames(() => createMemoryNameStore(4096));
  for (const [id, name] of ['decode', 'skip', 'next'].entries()) {
    frames.learnMethod({ id: id + 1, holder: 'shop/Codec', name });
  }
  frames.learnStub({ id: 1, name: 'call_stub' });
  const callers = createSuspendedFrames();
  const classes = ['shop/Orders$checkout$1', 'kotlinx/coroutines/StandaloneCoroutine'];
  callers.learn(
    classes.map((name, i) => ({ id: i + 1, address: 0n, name })),
    NOTHING_TO_READ,
  );
  return {
    jvm: { frames, leafIsExact, perfMap: undefined, suspended: callers },
    regionAt: (address) => (address === Number(LIBC) ? { kind: 'file', name: '[libc.so.6]' } : undefined),
  };
}

/** Of words, leaf first. */
function stackOf(words: readonly bigint[], process = aJvmProcess()): readonly string[] {
  const user = Uint32Array.from(words.keys());
  const row: SampleRow = { target: 1n, pid: 1, count: 1, kernel: new Uint32Array(), user };
  return nameWindow(BigUint64Array.from(words), undefined).stackOf(row, process);
}

test('inlined, interpreted and compiled methods are frames like others', () => {
  const words = [java(3, INTERPRETED), java(2, INLINED), java(1), stub(1), LIBC + 1n];

  assert.deepEqual(stackOf(words), [
    'shop.Codec.next',
    'shop.Codec.skip',
    'shop.Codec.decode',
    '[call_stub]',
    '[libc.so.6]',
  ]);
});

test('at the leaf, what is inlined is marked, and what was compiled is not', () => {
  const words = [java(3, INLINED | SAFEPOINT_PLACE), java(1, SAFEPOINT_PLACE), java(2, INLINED)];

  assert.deepEqual(stackOf(words), ['shop.Codec.next_[s]', 'shop.Codec.decode', 'shop.Codec.skip']);
  assert.deepEqual(stackOf(words, aJvmProcess(true)), [
    'shop.Codec.next',
    'shop.Codec.decode',
    'shop.Codec.skip',
  ]);
});

test('a method is the same frame wherever in it the instruction stands', () => {
  assert.deepEqual(stackOf([java(1, 0n, 3)]), stackOf([java(1, 0n, 0xffff)]));
});

test('what could not be had is said in brackets, once for equal neighbours', () => {
  assert.deepEqual(stackOf([java(9), java(0), java(1), mark(1), LIBC + 1n, mark(3)]), [
    '[jit]',
    'shop.Codec.decode',
    '[virtual thread]',
    '[libc.so.6]',
    '[truncated]',
  ]);
});

test('callers that wait in the heap say so, and end in what started the coroutine', () => {
  const words = [java(1), suspended(1), suspended(1), suspended(2, COROUTINE_ROOT), java(2)];

  assert.deepEqual(stackOf(words), [
    'shop.Codec.decode',
    'suspend shop.Orders.checkout_[a]',
    'suspend shop.Orders.checkout_[a]',
    '[launch]',
    'shop.Codec.skip',
  ]);
});

test('a caller of a JVM that is not followed has no name', () => {
  const process = { ...aJvmProcess(), jvm: undefined };

  assert.deepEqual(stackOf([suspended(1)], process), ['[jit]']);
});
