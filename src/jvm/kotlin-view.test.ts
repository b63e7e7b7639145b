import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dispatcherOf, foldCoroutines } from './kotlin-view.ts';

// As thread dumps of kotlinx.coroutines 1.10 on JDK 17 show it, leaf first.
const SCHEDULER = [
  'kotlinx.coroutines.scheduling.CoroutineScheduler.runSafely',
  'kotlinx.coroutines.scheduling.CoroutineScheduler$Worker.executeTask',
  'kotlinx.coroutines.scheduling.CoroutineScheduler$Worker.runWorker',
  'kotlinx.coroutines.scheduling.CoroutineScheduler$Worker.run',
];
const RESUMED = [
  'kotlin.coroutines.jvm.internal.BaseContinuationImpl.resumeWith',
  'kotlinx.coroutines.DispatchedTask.run',
];
const ON_DEFAULT = [...RESUMED, ...SCHEDULER];
const ON_IO = [
  ...RESUMED,
  'kotlinx.coroutines.internal.LimitedDispatcher$Worker.run',
  'kotlinx.coroutines.scheduling.TaskImpl.run',
  ...SCHEDULER,
];
const IN_RUN_BLOCKING = [
  ...RESUMED,
  'kotlinx.coroutines.EventLoopImplBase.processNextEvent',
  'kotlinx.coroutines.BlockingCoroutine.joinBlocking',
  'kotlinx.coroutines.BuildersKt__BuildersKt.runBlocking',
  'kotlinx.coroutines.BuildersKt.runBlocking',
  'shop.MainKt.main',
];

const folded = (...stack: string[]) => foldCoroutines(stack).join(' < ');

test('a function that was resumed is one frame over the machinery', () => {
  assert.equal(
    folded('demo.Pricing.quote', 'demo.Repo.load', 'demo.Repo$load$1.invokeSuspend', ...ON_DEFAULT),
    'demo.Pricing.quote < suspend demo.Repo.load < [coroutines]',
  );
});

test('a lambda is shown by the function it stands in', () => {
  assert.equal(
    folded('demo.Pricing.quote', 'demo.Repo$query$2.invokeSuspend', ...ON_IO),
    'demo.Pricing.quote < suspend demo.Repo.query < [coroutines]',
  );
});

test('the way to a private function, and to the body of an interface function, is not shown', () => {
  assert.equal(
    folded(
      'shop.Orders.price',
      'shop.Orders.access$price',
      'shop.Orders$price$1.invokeSuspend',
      ...ON_DEFAULT,
    ),
    'suspend shop.Orders.price < [coroutines]',
  );
  assert.equal(
    folded('shop.Prices$DefaultImpls.of', 'shop.Prices$of$1.invokeSuspend', ...ON_DEFAULT),
    'suspend shop.Prices.of < [coroutines]',
  );
});

test('a function has one name before and after its first suspension, if signatures tell', () => {
  const isSuspend = (name: string) => name.startsWith('shop.Orders.');
  const before = ['shop.Orders.price', 'shop.Orders.checkout', 'shop.Orders$checkout$1.invokeSuspend'];

  assert.deepEqual(foldCoroutines(before, isSuspend), [
    'suspend shop.Orders.price',
    'suspend shop.Orders.checkout',
  ]);
});

test('recursion is not folded', () => {
  assert.equal(
    folded('shop.MainKt.deep', 'shop.MainKt.deep', 'shop.MainKt$deep$1.invokeSuspend'),
    'shop.MainKt.deep < suspend shop.MainKt.deep',
  );
});

test('what the machinery itself burns stays visible', () => {
  assert.equal(
    folded('java.util.concurrent.locks.LockSupport.unpark', ...SCHEDULER),
    'java.util.concurrent.locks.LockSupport.unpark < [coroutines]',
  );
  assert.equal(folded(...SCHEDULER), '[coroutines]');
});

test('a stack without coroutines stays as it is', () => {
  const stack = ['java.util.HashMap.get', 'shop.Orders$Companion.find', 'java.lang.Thread.run'];

  assert.deepEqual(foldCoroutines(stack), stack);
});

test('the dispatcher is told by the stack', () => {
  const leaf = 'shop.Orders$handle$1.invokeSuspend';

  assert.equal(dispatcherOf([leaf, ...ON_DEFAULT]), 'Default');
  assert.equal(dispatcherOf([leaf, ...ON_IO]), 'IO');
  assert.equal(dispatcherOf([leaf, ...IN_RUN_BLOCKING]), 'runBlocking');
  assert.equal(
    dispatcherOf([leaf, ...RESUMED, 'java.util.concurrent.ThreadPoolExecutor.runWorker']),
    'other',
  );
  assert.equal(dispatcherOf(['java.util.concurrent.locks.LockSupport.park', ...SCHEDULER]), undefined);
  assert.equal(dispatcherOf(['shop.Orders.handle', 'java.lang.Thread.run']), undefined);
});
