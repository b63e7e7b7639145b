import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { diffTree } from './diff.ts';
import { foldingOf } from './folding.ts';
import { functionCounts } from './function-counts.ts';
import { type StackCount, totalCount } from './stack-counts.ts';

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
  'kotlinx.coroutines.EventLoopImplBase.processNextEvent',
  'kotlinx.coroutines.BlockingCoroutine.joinBlocking',
  'kotlinx.coroutines.BuildersKt__BuildersKt.runBlocking',
  'kotlinx.coroutines.BuildersKt.runBlocking',
  'shop.MainKt.main',
];

// As the agent names them on JDK 25, root first.
const THREAD = [
  '[libc.so.6]',
  ...[
    'thread_native_entry',
    'Thread::call_run',
    'JavaThread::thread_main_inner',
    'JavaCalls::call_helper',
  ].map((name) => `${name} [libjvm.so]`),
  '[call_stub]',
].reverse();

const fold = (...frames: string[]) => foldingOf([]).fold({ frames, count: 1 }).frames;
const folded = (...frames: string[]) => fold(...frames).join(' < ');

test('a function that was resumed is one frame on its dispatcher', () => {
  assert.equal(
    folded(
      'demo.Pricing.quote',
      'demo.Repo.load',
      'demo.Repo$load$1.invokeSuspend',
      ...ON_DEFAULT,
      ...THREAD,
    ),
    'demo.Pricing.quote < suspend demo.Repo.load < [coroutines: Default]',
  );
});

test('a lambda is shown by the function it stands in, without the call that begins it', () => {
  assert.equal(
    folded(
      'demo.Pricing.quote',
      'demo.Repo$query$2.invokeSuspend',
      'demo.Repo$query$2.invoke',
      'demo.Repo$query$2.invoke',
      'kotlinx.coroutines.intrinsics.UndispatchedKt.startUndspatched',
      'kotlinx.coroutines.BuildersKt__Builders_commonKt.withContext',
      'kotlinx.coroutines.BuildersKt.withContext',
      'demo.Repo.query',
      'demo.Repo$all$1.invokeSuspend',
      ...ON_IO,
      ...THREAD,
    ),
    'demo.Pricing.quote < suspend demo.Repo.query < kotlinx.coroutines.BuildersKt.withContext < demo.Repo.query < suspend demo.Repo.all < [coroutines: IO]',
  );
});

test('the way to a private function, to the body of an interface function, and to default arguments is not shown', () => {
  assert.equal(
    folded(
      'shop.Orders.price',
      'shop.Orders.access$price',
      'shop.Orders$price$1.invokeSuspend',
      ...ON_DEFAULT,
    ),
    'suspend shop.Orders.price < [coroutines: Default]',
  );
  assert.equal(
    folded('shop.Prices$DefaultImpls.of', 'shop.Prices$of$1.invokeSuspend', ...ON_DEFAULT),
    'suspend shop.Prices.of < [coroutines: Default]',
  );
  assert.equal(
    folded('shop.Orders.find', 'shop.Orders.find$default', 'shop.Main.main'),
    'shop.Orders.find < shop.Main.main',
  );
});

test('a function has one name before and after its first suspension, in all profiles shown together', () => {
  const resumed = { frames: ['shop.Orders.price', 'shop.Orders$price$1.invokeSuspend', ...ON_IO], count: 1 };
  const called = { frames: ['shop.Orders.price_[s]', 'shop.Orders.checkout', 'shop.Main.main'], count: 1 };
  const { fold: view, nameOf } = foldingOf([called], [resumed]);

  assert.deepEqual(view(called).frames, [
    'suspend shop.Orders.price_[s]',
    'shop.Orders.checkout',
    'shop.Main.main',
  ]);
  assert.equal(nameOf('shop.Orders.price'), 'suspend shop.Orders.price');
  assert.equal(nameOf('shop.Orders$price$1.invokeSuspend'), 'suspend shop.Orders.price');
  assert.equal(nameOf('shop.Orders.checkout'), 'shop.Orders.checkout');
});

test('a function that has a lambda which suspends is not taken for one that suspends itself', () => {
  const lambda = { frames: ['shop.Orders.price', 'shop.MainKt$main$1.invokeSuspend', ...ON_IO], count: 1 };

  assert.equal(foldingOf([lambda]).nameOf('shop.MainKt.main'), 'shop.MainKt.main');
});

test('recursion is not folded', () => {
  assert.equal(
    folded('shop.MainKt.deep', 'shop.MainKt.deep', 'shop.MainKt$deep$1.invokeSuspend'),
    'shop.MainKt.deep < suspend shop.MainKt.deep',
  );
  assert.equal(
    folded('shop.Tree.walk', 'shop.Tree.walk', 'shop.Tree.walk'),
    'shop.Tree.walk < shop.Tree.walk < shop.Tree.walk',
  );
  const twice = ['shop.Tree$walk$1.invokeSuspend', 'shop.Tree$walk$1.invokeSuspend', ...RESUMED];
  assert.equal(folded(...twice), 'suspend shop.Tree.walk < suspend shop.Tree.walk < [coroutines]');
});

test('what the machinery itself burns stays visible, and the leaf keeps its name', () => {
  assert.equal(
    folded('java.util.concurrent.locks.LockSupport.unpark', ...SCHEDULER, ...THREAD),
    'java.util.concurrent.locks.LockSupport.unpark < [coroutine scheduler]',
  );
  assert.equal(
    folded(...SCHEDULER),
    'kotlinx.coroutines.scheduling.CoroutineScheduler.runSafely < [coroutine scheduler]',
  );
  assert.equal(
    folded(
      'java.util.concurrent.locks.LockSupport.unpark',
      'kotlinx.coroutines.scheduling.CoroutineScheduler.dispatch',
      'kotlinx.coroutines.YieldKt.yield',
      'shop.Orders$handle$1.invokeSuspend',
      ...ON_IO,
    ),
    'java.util.concurrent.locks.LockSupport.unpark < [coroutines] < kotlinx.coroutines.YieldKt.yield < suspend shop.Orders.handle < [coroutines: IO]',
  );
});

test('what is uncertain at the leaf stays marked, but where its own state machine is certain', () => {
  assert.equal(
    folded('shop.Codec.next_[s]', 'shop.Orders$price$1.invokeSuspend', ...ON_DEFAULT),
    'shop.Codec.next_[s] < suspend shop.Orders.price < [coroutines: Default]',
  );
  assert.equal(
    folded('shop.Orders.price_[s]', 'shop.Orders$price$1.invokeSuspend', ...ON_DEFAULT),
    'suspend shop.Orders.price < [coroutines: Default]',
  );
  assert.equal(folded('shop.Orders$price$1.invokeSuspend_[s]'), 'suspend shop.Orders.price_[s]');
  assert.equal(
    folded('a.B.c_[s]', 'kotlinx.coroutines.JobSupport.cancel_[s]', 'shop.Main.main'),
    'a.B.c_[s] < [coroutines] < shop.Main.main',
  );
});

test('suspended callers stand between the coroutine and its dispatcher', () => {
  const callers = ['suspend shop.Orders.checkout_[a]', 'suspend shop.Orders.handle_[a]', '[launch]'];

  assert.deepEqual(fold('shop.Orders$price$1.invokeSuspend', ...callers, ...ON_IO, ...THREAD), [
    'suspend shop.Orders.price',
    ...callers,
    '[coroutines: IO]',
  ]);
});

test("Ktor's pipelines leave their interceptors, and Netty's loop what it is about", () => {
  const interceptors = [
    'io.ktor.util.pipeline.PipelineJvmKt.pipelineStartCoroutineUninterceptedOrReturn',
    'io.ktor.util.pipeline.SuspendFunctionGun.loop',
    'io.ktor.util.pipeline.SuspendFunctionGun.proceed',
  ];
  const loop = [
    'io.netty.util.concurrent.AbstractEventExecutor.runTask',
    'io.netty.util.concurrent.SingleThreadEventExecutor.runAllTasks',
    'io.netty.channel.SingleThreadIoEventLoop.run',
    'io.netty.util.concurrent.SingleThreadEventExecutor$5.run',
    'java.lang.Thread.run',
    ...THREAD,
  ];
  const handling = [
    'shop.Orders.find',
    'shop.MainKt$routes$1$2.invokeSuspend',
    'shop.MainKt$routes$1$2.invoke',
    ...interceptors,
    'io.ktor.server.routing.RoutingRoot$Plugin$install$1.invokeSuspend',
  ];

  assert.equal(
    folded(...handling, ...RESUMED, ...loop),
    'shop.Orders.find < suspend shop.MainKt.routes < suspend io.ktor.server.routing.RoutingRoot$Plugin.install < [coroutines: event loop]',
  );
  assert.equal(
    folded('sun.nio.ch.EPoll.wait', 'io.netty.channel.nio.NioIoHandler.select', ...loop.slice(2)),
    'sun.nio.ch.EPoll.wait < io.netty.channel.nio.NioIoHandler.select < [event loop]',
  );
});

test('threads begin in one frame, and those of the JVM in what they do', () => {
  assert.equal(folded('shop.Main.main', 'java.lang.Thread.run', ...THREAD), 'shop.Main.main < [thread]');
  assert.equal(
    folded(
      'shop.Job.call',
      'java.util.concurrent.ThreadPoolExecutor.runWorker',
      'java.lang.Thread.run',
      ...THREAD,
    ),
    'shop.Job.call < [thread pool]',
  );
  assert.equal(
    folded(
      'malloc [libc.so.6]',
      'Compile::Compile [libjvm.so]',
      'CompileBroker::compiler_thread_loop [libjvm.so]',
      'JavaThread::thread_main_inner [libjvm.so]',
      'Thread::call_run [libjvm.so]',
      '[libc.so.6]',
      '[C2 compiler]',
    ),
    'malloc [libc.so.6] < Compile::Compile [libjvm.so] < CompileBroker::compiler_thread_loop [libjvm.so] < [C2 compiler]',
  );
});

test('a stack without machinery stays as it is, native and kernel functions too', () => {
  for (const stack of [
    ['java.util.HashMap.get', 'shop.Orders$Companion.find', 'shop.Main.main'],
    ['futex_wait_[k]', 'do_syscall_64_[k]', 'pthread_cond_wait [libc.so.6]', '[libc.so.6]'],
    ['shop.Orders.find', '[truncated]'],
    ['shop.Orders.find', '[virtual thread]', 'java.lang.VirtualThread.runContinuation'],
    [],
  ]) {
    assert.deepEqual(fold(...stack), stack);
  }
});

test('the dispatcher is told by the stack', () => {
  const on = (...frames: string[]) => fold('shop.Orders$handle$1.invokeSuspend', ...RESUMED, ...frames)[1];

  assert.equal(on(...SCHEDULER), '[coroutines: Default]');
  assert.equal(on(...ON_IO), '[coroutines: IO]');
  assert.equal(on('io.netty.util.concurrent.AbstractEventExecutor.runTask'), '[coroutines: event loop]');
  assert.equal(on('kotlinx.coroutines.BlockingCoroutine.joinBlocking'), '[coroutines: runBlocking]');
  assert.equal(
    on('java.util.concurrent.ThreadPoolExecutor.runWorker', 'java.lang.Thread.run'),
    '[coroutines: ThreadPoolExecutor]',
  );
  assert.equal(
    on(
      'java.util.concurrent.Executors$RunnableAdapter.call',
      'java.util.concurrent.FutureTask.run',
      'java.util.concurrent.ScheduledThreadPoolExecutor$ScheduledFutureTask.run',
      'java.util.concurrent.ThreadPoolExecutor.runWorker',
      'java.util.concurrent.ThreadPoolExecutor$Worker.run',
    ),
    '[coroutines: ThreadPoolExecutor]',
  );
  assert.equal(on('shop.OwnThread.loop'), '[coroutines]');
  assert.equal(
    fold(
      'kotlinx.coroutines.scheduling.CoroutineScheduler.dispatch',
      ...RESUMED,
      'io.netty.util.concurrent.AbstractEventExecutor.runTask',
    )[1],
    '[coroutines: event loop]',
    'who sends a task to the scheduler does not run on it',
  );
  assert.deepEqual(fold('shop.Orders$handle$1.invokeSuspend', ...RESUMED, ...IN_RUN_BLOCKING), [
    'suspend shop.Orders.handle',
    '[coroutines: runBlocking]',
    'kotlinx.coroutines.BuildersKt.runBlocking',
    'shop.MainKt.main',
  ]);
});

test('a frame keeps its place, and one that stands for two the inner one', () => {
  const stack: StackCount = {
    frames: ['shop.Orders.price', 'shop.Orders$price$1.invokeSuspend', ...RESUMED],
    places: ['Orders.kt:87', 'Orders.kt', ...RESUMED.map(() => 'Run.kt:1')],
    count: 3,
  };

  assert.deepEqual(foldingOf([stack]).fold(stack), {
    frames: ['suspend shop.Orders.price', '[coroutines]'],
    places: ['Orders.kt:87', ''],
    count: 3,
  });
});

const NAMES = [
  ...ON_IO,
  ...IN_RUN_BLOCKING,
  ...THREAD,
  'shop.Orders.price',
  'shop.Orders.price_[s]',
  'shop.Orders.access$price',
  'shop.Orders$price$1.invoke',
  'shop.Orders$price$1.invokeSuspend',
  'shop.Orders$price$1.invokeSuspend_[s]',
  'suspend shop.Orders.handle_[a]',
  '[launch]',
  '[C2 compiler]',
  'futex_wait_[k]',
  'malloc [libc.so.6]',
  '__proto__',
  '',
];
const aProfile = fc.array(
  fc.record(
    {
      frames: fc.array(fc.constantFrom(...NAMES), { maxLength: 12 }),
      count: fc.integer({ min: 1, max: 9 }),
    },
    { noNullPrototype: true },
  ),
  { maxLength: 12 },
);

/** A function, its state machine and the way to it are one. */
const functionOf = (name: string) => name.replace(/^suspend |access\$|_\[s\]$/g, '');

test('whatever the stacks are: folding loses no sample and moves none to another leaf', () => {
  fc.assert(
    fc.property(aProfile, (profile: readonly StackCount[]) => {
      const { fold: view, nameOf } = foldingOf(profile);
      const after = profile.map(view);

      assert.equal(totalCount(after), totalCount(profile));
      assert.deepEqual(
        diffTree(after, [], { minShare: 0 }).baseline[0],
        diffTree(profile, [], { minShare: 0 }).baseline[0],
      );
      const selfOf = (stacks: readonly StackCount[]) =>
        [...functionCounts(stacks).values()].reduce((sum, { self }) => sum + self, 0);
      assert.equal(selfOf(after), selfOf(profile));
      for (const [i, { frames }] of profile.entries()) {
        const viewed = after[i]?.frames ?? [];
        assert.deepEqual(viewed.slice(0, 1).map(functionOf), frames.slice(0, 1).map(nameOf).map(functionOf));
        assert(viewed.length <= frames.length);
      }
    }),
    { numRuns: 2_000 },
  );
});

test('no machinery is left but at a leaf', () => {
  fc.assert(
    fc.property(aProfile, (profile) => {
      const { fold: view } = foldingOf(profile);
      for (const { frames } of profile.map(view)) {
        assert(frames.slice(1).every((name) => !RESUMED.includes(name) && !SCHEDULER.includes(name)));
      }
    }),
  );
});
