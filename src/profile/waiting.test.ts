import assert from 'node:assert/strict';
import { test } from 'node:test';
import { blockingOnDefault, waitReason } from './waiting.ts';

const PARKED = [
  '__futex_abstimed_wait_common [libc.so.6]',
  'Parker::park [libjvm.so]',
  'jdk.internal.misc.Unsafe.park',
];
const BY_QUEUE = [
  'java.util.concurrent.locks.LockSupport.park',
  'java.util.concurrent.locks.AbstractQueuedSynchronizer$ConditionObject.await',
  'java.util.concurrent.LinkedBlockingQueue.take',
];
const IN_POOL = ['java.util.concurrent.ThreadPoolExecutor.runWorker', 'java.lang.Thread.run'];
const ON_WORKER = [
  'kotlinx.coroutines.scheduling.CoroutineScheduler.runSafely',
  'kotlinx.coroutines.scheduling.CoroutineScheduler$Worker.runWorker',
  'kotlinx.coroutines.scheduling.CoroutineScheduler$Worker.run',
];
const RESUMED = [
  'shop.Orders$take$1.invokeSuspend',
  'kotlin.coroutines.jvm.internal.BaseContinuationImpl.resumeWith',
  'kotlinx.coroutines.DispatchedTask.run',
];
const ON_DEFAULT = [...RESUMED, ...ON_WORKER];
const ON_IO = [...RESUMED, 'kotlinx.coroutines.internal.LimitedDispatcher$Worker.run', ...ON_WORKER];
const ASLEEP = ['java.lang.Thread.sleep0', 'java.lang.Thread.sleep', 'shop.Codec.encode'];

test('a futex is what the Java code around it makes of it', () => {
  const reasonOf = (...frames: readonly string[]) => waitReason('futex', frames);

  assert.equal(reasonOf(...ASLEEP), 'sleep');
  assert.equal(reasonOf('java.lang.Object.wait0', 'java.lang.Object.wait', 'shop.Box.take'), 'wait');
  assert.equal(reasonOf(...PARKED, ...BY_QUEUE, 'shop.Box.take', ...IN_POOL), 'park');
  const locked = 'java.util.concurrent.locks.ReentrantLock.lock';
  assert.equal(
    reasonOf(...PARKED, 'java.util.concurrent.locks.LockSupport.park', locked, 'shop.Box.take'),
    'lock',
  );
  assert.equal(reasonOf('ObjectMonitor::EnterI [libjvm.so]', 'shop.Box.take'), 'lock');
  assert.equal(reasonOf('libjvm.so', 'shop.Box.take_[s]'), 'lock');
  assert.equal(reasonOf('SafepointSynchronize::block [libjvm.so]', 'shop.Box.take'), 'jvm');
  const initialised = ['ObjectMonitor::wait', 'InstanceKlass::initialize_impl', 'InterpreterRuntime::_new'];
  assert.equal(reasonOf(...initialised.map((name) => `${name} [libjvm.so]`), 'shop.Box.<init>'), 'jvm');
  assert.equal(reasonOf('pthread_mutex_lock [libcodec.so]', 'shop.Codec.encode'), 'lock');
  assert.equal(reasonOf('[unknown]'), 'other');
});

test('whoever waits for work is idle: pools, loops, and what a JVM keeps for itself', () => {
  const queue = [...PARKED, ...BY_QUEUE, 'java.util.concurrent.ThreadPoolExecutor.getTask', ...IN_POOL];
  assert.equal(waitReason('futex', queue), 'idle');
  const scheduler = ['kotlinx.coroutines.scheduling.CoroutineScheduler$Worker.park', ...ON_WORKER.slice(1)];
  assert.equal(
    waitReason('futex', [...PARKED, 'java.util.concurrent.locks.LockSupport.parkNanos', ...scheduler]),
    'idle',
  );
  assert.equal(
    waitReason('events', ['sun.nio.ch.EPoll.wait', 'io.netty.channel.nio.NioIoHandler.select']),
    'idle',
  );
  assert.equal(waitReason('futex', ['Monitor::wait [libjvm.so]', '[GC thread]']), 'idle');
  assert.equal(waitReason('events', ['sun.nio.ch.EPoll.wait', ...ON_IO]), 'idle');
  assert.equal(
    waitReason('poll', ['sun.nio.ch.Net.poll', 'java.net.ServerSocket.accept', 'shop.Main.main']),
    'idle',
  );
});

test('a loop that also does the work is idle only where it is the loop that waits', () => {
  const executor = ['kotlinx.coroutines.DefaultExecutor.run', 'java.lang.Thread.run'];

  assert.equal(
    waitReason('futex', [...PARKED, 'java.util.concurrent.locks.LockSupport.parkNanos', ...executor]),
    'idle',
  );
  assert.equal(waitReason('futex', [...ASLEEP, ...executor]), 'sleep');
  assert.equal(waitReason('futex', [...ASLEEP, 'java.util.TimerThread.mainLoop']), 'sleep');
});

test('what the kernel knows better is what it says', () => {
  assert.equal(waitReason('runqueue', ASLEEP), 'runqueue');
  assert.equal(waitReason('file', ['java.io.FileDescriptor.sync']), 'file');
  assert.equal(waitReason('memory', ['shop.Codec.encode']), 'pageFault');
  assert.equal(
    waitReason('poll', ['sun.nio.ch.Net.poll', 'java.net.Socket$SocketInputStream.read']),
    'socket',
  );
  assert.equal(waitReason('events', ['sun.nio.ch.EPoll.wait', 'shop.Codec.encode', ...ON_DEFAULT]), 'socket');
});

test('a blocking call on Default names what was called of the platform, and who called it', () => {
  assert.deepEqual(blockingOnDefault('sleep', [...ASLEEP, ...ON_DEFAULT]), {
    call: 'java.lang.Thread.sleep',
    caller: 'shop.Codec.encode',
  });
  const joined = [
    'kotlinx.coroutines.BlockingCoroutine.joinBlocking',
    'kotlinx.coroutines.BuildersKt.runBlocking',
  ];
  assert.deepEqual(blockingOnDefault('park', [...PARKED, ...joined, 'shop.Stock.load', ...ON_DEFAULT]), {
    call: 'kotlinx.coroutines.BuildersKt.runBlocking',
    caller: 'shop.Stock.load',
  });
  const monitor = ['ObjectMonitor::EnterI [libjvm.so]', 'shop.Stock.reserve', ...ON_DEFAULT];
  assert.deepEqual(blockingOnDefault('lock', monitor), {
    call: 'shop.Stock.reserve',
    caller: 'shop.Stock.reserve',
  });
});

test('a thread that needs a class for the first time calls nothing that blocks, but the class may', () => {
  const loaded = ['java.lang.ClassLoader.loadClass', 'JavaCalls::call_helper [libjvm.so]'];
  const resolved = ['SystemDictionary::resolve_or_fail [libjvm.so]', 'kotlin.Lambda.<init>'];
  const made = [...loaded, ...resolved, 'shop.Orders$price$2.<init>', ...ON_DEFAULT];
  const locked = ['ObjectMonitor::EnterI [libjvm.so]', ...made];
  const read = ['java.io.RandomAccessFile.readBytes', 'java.util.zip.ZipFile$Source.readAt', ...made];

  assert.equal(waitReason('futex', locked), 'jvm');
  assert.equal(waitReason('file', read), 'file');
  assert.equal(blockingOnDefault('file', read), undefined);
  const itself = [...ASLEEP, 'shop.Codec.<clinit>', 'InstanceKlass::initialize_impl [libjvm.so]', ...made];
  assert.equal(waitReason('futex', itself), 'sleep');
  assert.deepEqual(blockingOnDefault('sleep', itself), {
    call: 'java.lang.Thread.sleep',
    caller: 'shop.Codec.encode',
  });
});

test('on IO, in a pool, for a CPU, for memory and for work it is none', () => {
  assert.equal(blockingOnDefault('sleep', [...ASLEEP, ...ON_IO]), undefined);
  assert.equal(blockingOnDefault('sleep', [...ASLEEP, ...IN_POOL]), undefined);
  for (const reason of ['runqueue', 'pageFault', 'jvm', 'idle'] as const) {
    assert.equal(blockingOnDefault(reason, [...ASLEEP, ...ON_DEFAULT]), undefined);
  }
});
