import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createClassReader } from './class-reader.ts';
import { createHeapReader } from './heap-reader.ts';
import { createSuspendedFrames, type SuspendedFrames } from './suspended-frames.ts';
import { hotspotOf } from './testing/a-jvm.ts';
import { openRecording } from './testing/recorded-memory.ts';
import { heldContinuations } from './testing/survey.ts';

const RECORDING = fileURLToPath(new URL('../../test/fixtures/jvm/jdk-25.memory.br', import.meta.url));
const HANDLED = 1; // the continuation that test/jvm/Chains.kt holds for Orders.handle
const PRICE = 'shop/Orders$price$1';

/** The class of a continuation in recorded memory, which goes by another name there if `name` is one. */
function learned(name = PRICE): SuspendedFrames {
  const jvm = openRecording(RECORDING);
  const hotspot = hotspotOf(jvm);
  const reader = createClassReader(jvm.read, hotspot) ?? assert.fail('no classes');
  const heap = createHeapReader(jvm.read, hotspot);
  assert(heap.kind === 'reader');
  const held = heldContinuations(jvm.read, hotspot, reader, heap.reader);
  const [, object] = held.find(([id]) => id === HANDLED) ?? assert.fail('not held');
  const address = heap.reader.classOf(object) ?? assert.fail('no class');
  const frames = createSuspendedFrames();
  frames.learn([{ id: 7, address, name }], reader);
  return frames;
}

const place = (label: number | undefined) => ({ classId: 7, label, isCoroutine: false });

test('a caller that waits is named by what the compiler wrote down, with the line of its label', () => {
  assert.deepEqual(learned().callerAt(place(1)), {
    name: 'suspend shop.Orders.price',
    file: 'Chains.kt',
    line: 71,
  });
  assert.equal(learned().nameOf(place(1)), 'suspend shop.Orders.price_[a]');
});

test('without a place it has no line', () => {
  const frames = learned();

  assert.deepEqual(
    [undefined, 0, 99].map((label) => frames.callerAt(place(label))?.line),
    [undefined, undefined, undefined],
  );
});

test('a class that was unloaded, and another came in its place, is named by what it was called', () => {
  assert.deepEqual(learned('shop/Stock$reserve$2').callerAt(place(1)), {
    name: 'suspend shop.Stock.reserve',
    file: undefined,
    line: undefined,
  });
});

// class of the coroutine                     → who began it
const COROUTINES = [
  ['kotlinx/coroutines/StandaloneCoroutine', '[launch]'],
  ['kotlinx/coroutines/DeferredCoroutine', '[async]'],
  ['kotlinx/coroutines/BlockingCoroutine', '[runBlocking]'],
  ['io/ktor/Whatever', '[coroutine]'],
] as const;

for (const [className, builder] of COROUTINES) {
  test(`callers end in ${builder} for ${className}`, () => {
    assert.equal(learned(className).nameOf({ classId: 7, label: undefined, isCoroutine: true }), builder);
  });
}

test('a class that nobody told of is a caller still, without a name', () => {
  const frames = learned();
  assert.equal(frames.nameOf({ ...place(1), classId: 8 }), '[suspended]');
  assert.equal(frames.callerAt({ ...place(1), classId: 8 }), undefined);

  frames.forget();

  assert.equal(frames.nameOf(place(1)), '[suspended]');
});
