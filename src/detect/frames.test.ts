import assert from 'node:assert/strict';
import { test } from 'node:test';
import { frameGroup, frameIsFunction, frameIsJvmEntry, frameIsMachinery } from './frames.ts';
import { createStackIndex, functionOf, nodeIsTotal } from './stack-index.ts';

const RUNTIME = 'kotlinx.coroutines.scheduling.CoroutineScheduler.runWorker';

function nodesOf(...frames: readonly string[]): string[] {
  const index = createStackIndex();
  return index
    .of(frames)
    .nodes.map((node) => `${nodeIsTotal(node) ? 'total' : 'self'} ${index.functions[functionOf(node)]}`);
}

test('the coroutine runtime has no total, for all of a service runs below it', () => {
  assert.deepEqual(nodesOf('shop.Codec.decode', RUNTIME), [
    'total shop.Codec.decode',
    'self shop.Codec.decode',
  ]);
});

test('what the coroutine runtime spends itself is its own', () => {
  assert.deepEqual(nodesOf(RUNTIME, 'shop.Main.run'), ['total shop.Main.run', `self ${RUNTIME}`]);
});

test('operators of flows are no machinery', () => {
  assert.equal(frameIsMachinery('kotlinx.coroutines.flow.FlowKt.map'), false);
});

test('what nobody could name, and the kernel, is no function', () => {
  const names = ['[libjvm.so]', '[Interpreter]', 'do_syscall_64_[k]', ''];

  assert.deepEqual(names.filter(frameIsFunction), []);
});

test('a method that is only accurate to a safepoint is no function: who owns the sample is the leafmost certain one', () => {
  assert.deepEqual(
    nodesOf('shop.Codec.next_[s]', 'shop.Codec.skip_[s]', 'shop.Codec.decode', 'shop.Main.run'),
    ['total shop.Codec.decode', 'total shop.Main.run', 'self shop.Codec.decode'],
  );
});

test('what is not certain at the leaf is reported under no module', () => {
  const index = createStackIndex();

  assert.equal(index.of(['shop.Codec.next_[s]', 'shop.Codec.decode']).group, undefined);
});

test('suspended callers count for nothing: with and without them a stack is the same to a verdict', () => {
  const resumed = ['shop.Codec.decode', 'shop.Orders.price'];
  const callers = ['suspend shop.Orders.checkout_[a]', 'suspend shop.Orders.handle_[a]', '[launch]'];

  const chained = nodesOf(...resumed, ...callers, RUNTIME, 'java.lang.Thread.run');

  assert.deepEqual(chained, nodesOf(...resumed, RUNTIME, 'java.lang.Thread.run'));
  assert.deepEqual(
    chained.filter((node) => node.includes('shop')),
    ['total shop.Codec.decode', 'total shop.Orders.price', 'self shop.Codec.decode'],
  );
});

test('a function of a library counts for its Java caller, and is reported under its library', () => {
  const native = 'G1ParScanThreadState::trim_queue [libjvm.so]';

  assert.equal(frameIsFunction(native), false);
  assert.equal(frameGroup(native), '[libjvm.so]');
  assert.equal(frameGroup('malloc [lib with space.so]'), '[lib with space.so]');
  assert.equal(frameIsJvmEntry('VMThread::run [libjvm.so]'), true);
  assert.equal(frameIsJvmEntry('shop.Codec.encode'), false);
});
