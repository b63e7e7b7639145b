import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isServing, threadUseOf } from './serving.ts';

const HANDLER = 'shop.Orders.find';
const COROUTINE = [
  'kotlin.coroutines.jvm.internal.BaseContinuationImpl.resumeWith',
  'kotlinx.coroutines.DispatchedTask.run',
];
const LOOP = [
  'io.netty.channel.nio.NioEventLoop.processSelectedKeys',
  'io.netty.channel.nio.NioEventLoop.run',
  'io.netty.util.concurrent.FastThreadLocalRunnable.run',
];
const WORKER = ['java.util.concurrent.ThreadPoolExecutor$Worker.run', 'java.lang.Thread.run'];

test('a thread of a pool does what it received; an event loop may have received something else, and others carry anybody’s work', () => {
  assert.equal(threadUseOf([HANDLER, ...WORKER]), 'own');
  assert.equal(threadUseOf([HANDLER, ...LOOP]), 'loop');
  for (const carried of [
    [HANDLER, ...COROUTINE, ...WORKER],
    [HANDLER, ...COROUTINE, ...LOOP],
    [HANDLER, 'io.netty.util.concurrent.AbstractEventExecutor.runTask', ...LOOP],
    [HANDLER, 'java.lang.VirtualThread.run', ...WORKER],
    [HANDLER, '[virtual thread]', ...WORKER],
    ['kotlinx.coroutines.scheduling.CoroutineScheduler$Worker.tryPark', ...WORKER],
  ]) {
    assert.equal(threadUseOf(carried), 'shared', carried.join(' < '));
  }
});

test('a request is served below what only serves requests, on the stack or in the heap', () => {
  const pipeline = 'io.ktor.server.engine.DefaultEnginePipelineKt$defaultEnginePipeline$1.invokeSuspend';

  assert(isServing([HANDLER, pipeline, ...COROUTINE]));
  assert(isServing([HANDLER, ...COROUTINE, `suspend ${pipeline}_[a]`, '[launch]_[a]']));
  assert(
    isServing([
      HANDLER,
      'io.grpc.internal.ServerImpl$JumpToApplicationThreadServerStreamListener$1HalfClosed.runInContext',
      ...WORKER,
    ]),
  );
  assert(!isServing([HANDLER, ...COROUTINE, '[launch]_[a]']));
  assert(!isServing(['io.ktor.client.engine.HttpClientEngine.execute', ...COROUTINE]));
});
