import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ClassReader } from '../jvm/class-reader.ts';
import { createSuspendedFrames } from '../jvm/suspended-frames.ts';
import type { SampleRow } from '../native/sample-rows.ts';
import { createMemoryNameStore } from '../symbols/name-store.ts';
import { createFrameNames } from './frame-names.ts';
import { type NamedFrame, type NamedProcess, type NameSources, nameWindow } from './window-names.ts';

// native/frame_word.h
const [JAVA, STUB, MARK, SUSPENDED] = [1n, 2n, 3n, 4n];
const [INLINED, INTERPRETED, SAFEPOINT_PLACE] = [1n, 2n, 4n];
const java = (method: number, flags = 0n, bci = 7) =>
  (JAVA << 56n) | (flags << 52n) | (BigInt(method) << 16n) | BigInt(bci);
const stub = (name: number) => (STUB << 56n) | BigInt(name);
const mark = (which: number) => (MARK << 56n) | BigInt(which);
const suspended = (classId: number, flags = 0n, label = 1) =>
  (SUSPENDED << 56n) | (flags << 52n) | (BigInt(classId) << 16n) | BigInt(label);
const COROUTINE_ROOT = 1n;
const ORDERS = 'shop/Orders$checkout$1';
const METADATA = { className: 'shop.Orders', methodName: 'checkout', file: 'Orders.kt', lines: [54, 59] };
const CLASSES: ClassReader = {
  nameOf: () => ORDERS,
  lineageOf: () => undefined,
  fieldOffset: () => undefined,
  debugMetadataOf: () => METADATA,
};
/** Line 87 from bytecode 0 on, 88 from bytecode 7. */
const LINES = Uint8Array.from([0xff, 0, 2 * 87, (7 << 3) | 1, 0]);
const LIBC_REGION = {
  kind: 'file',
  name: '[libc.so.6]',
  mapped: { path: '/lib/libc.so.6', address: 0x7f00_0000_0000, fileOffset: 0 },
} as const;
const LIBJVM = 0x7f11_0000_0000n;
const LIBJVM_REGION = { ...LIBC_REGION, name: '[libjvm.so]' };
const LIBC = 0x7f00_0000_1000n;

function aJvmProcess(leafIsExact = false): NamedProcess {
  const frames = createFrameNames(() => createMemoryNameStore(4096));
  for (const [id, name] of ['decode', 'skip', 'next'].entries()) {
    frames.learnMethod({ id: id + 1, holder: 'shop/Codec', name, sourceFile: 'Codec.kt', lineTable: LINES });
  }
  frames.learnStub({ id: 1, name: 'call_stub' });
  const callers = createSuspendedFrames();
  const classes = [ORDERS, 'kotlinx/coroutines/StandaloneCoroutine'];
  callers.learn(
    classes.map((name, i) => ({ id: i + 1, address: 0n, name })),
    CLASSES,
  );
  return {
    jvm: { frames, leafIsExact, excludedBytes: 0, perfMap: undefined, suspended: callers },
    regionAt: (address) =>
      address === Number(LIBC) ? LIBC_REGION : address >= Number(LIBJVM) ? LIBJVM_REGION : undefined,
  };
}

/** Of words, leaf first. */
function framesOf(
  words: readonly bigint[],
  process = aJvmProcess(),
  natives?: NameSources['natives'],
): readonly NamedFrame[] {
  const user = Uint32Array.from(words.keys());
  const row: SampleRow = { target: 1n, pid: 1, count: 1, kernel: new Uint32Array(), user };
  return nameWindow(BigUint64Array.from(words), { kernel: undefined, natives }).stackOf(row, process);
}

const stackOf = (words: readonly bigint[], process = aJvmProcess()): readonly string[] =>
  framesOf(words, process).map(({ name }) => name);
const placesOf = (words: readonly bigint[], process = aJvmProcess()): readonly string[] =>
  framesOf(words, process).map(({ place }) => place);

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

test('the topmost Java frame says whether a sample ran in the interpreter', () => {
  const isInterpreted = (words: readonly bigint[]): boolean | undefined => {
    const user = Uint32Array.from(words.keys());
    const row: SampleRow = { target: 1n, pid: 1, count: 1, kernel: new Uint32Array(), user };
    const names = nameWindow(BigUint64Array.from(words), { kernel: undefined, natives: undefined });
    return names.javaFrameOf(row)?.isInterpreted;
  };

  assert.equal(isInterpreted([LIBC, java(3, INTERPRETED), java(1)]), true);
  assert.equal(isInterpreted([java(2, INLINED), java(3, INTERPRETED)]), false);
  assert.equal(isInterpreted([LIBC, stub(1), mark(3)]), undefined);
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

test('a frame says its line by the bytecode it stands in, and code of no method says none', () => {
  const words = [java(1, INLINED, 6), java(2, 0n, 7), java(3, INTERPRETED, 0xffff), stub(1), LIBC + 1n];

  assert.deepEqual(placesOf(words), ['Codec.kt:87', 'Codec.kt:88', 'Codec.kt', '', '']);
});

test('the line of a place that is only the next safepoint is near, not certain', () => {
  const words = [java(3, INLINED | SAFEPOINT_PLACE), java(1, SAFEPOINT_PLACE), java(2)];

  assert.deepEqual(placesOf(words), ['Codec.kt:~88', 'Codec.kt:~88', 'Codec.kt:88']);
  assert.deepEqual(placesOf(words, aJvmProcess(true)), ['Codec.kt:88', 'Codec.kt:88', 'Codec.kt:88']);
});

test('a caller in the heap says where it waited when last seen, by what the compiler wrote down', () => {
  const words = [
    java(1),
    suspended(1, 0n, 1),
    suspended(1, 0n, 2),
    suspended(1, 0n, 0xffff),
    suspended(2, COROUTINE_ROOT),
  ];

  assert.deepEqual(placesOf(words), ['Codec.kt:88', 'Orders.kt:54', 'Orders.kt:59', 'Orders.kt', '']);
});

/** Names what is in libjvm by its place in the list, the first byte of each being 16 behind the one before. */
const inLibjvm = (names: readonly string[]) => {
  const words = names.map((_, i) => LIBJVM + BigInt(16 * i + 1));
  const natives: NameSources['natives'] = {
    nameAt: (region, address) =>
      region === LIBJVM_REGION ? names[(address - Number(LIBJVM)) >> 4] : undefined,
  };
  return framesOf(words, aJvmProcess(), natives).map(({ name }) => name);
};

test('a function of a library is named before its file, and stays apart from its neighbour there', () => {
  assert.deepEqual(inLibjvm(['Foo::bar', 'Foo::bar', 'Foo::baz']), [
    'Foo::bar [libjvm.so]',
    'Foo::bar [libjvm.so]',
    'Foo::baz [libjvm.so]',
  ]);
});

test('threads of the JVM itself have a root that says what they do', () => {
  const rootOf = (...names: string[]) => inLibjvm([...names, 'thread_native_entry']).at(-1);

  assert.equal(
    rootOf('PhaseChaitin::Split', 'C2Compiler::compile_method', 'CompileBroker::compiler_thread_loop'),
    '[C2 compiler]',
  );
  assert.equal(rootOf('Compiler::compile_method', 'CompileBroker::compiler_thread_loop'), '[C1 compiler]');
  assert.equal(rootOf('CompileBroker::compiler_thread_loop'), '[compiler]');
  assert.equal(rootOf('G1ParTask::work', 'WorkerThread::run'), '[GC thread]');
  assert.equal(rootOf('VMThread::run'), '[VM thread]');
  assert.equal(rootOf('JavaThread::run'), 'thread_native_entry [libjvm.so]');
});
