/** Frames that only pass calls on, by the names of what they belong to: what they cost is seen, what they are called is not. */

export type Machinery = 'thread' | 'pool' | 'loop' | 'pipeline' | 'coroutines';

/**
 * Beginnings of names. What an application calls by name is not here (`delay`, `withContext`, `launch`), nor what works
 * on data: of Netty only the loop up to a channel's events, not its handlers; of Ktor only how interceptors are called.
 */
const NAMES: Readonly<Record<Machinery, readonly string[]>> = {
  thread: ['java.lang.Thread.run'],
  pool: [
    'java.util.concurrent.ThreadPoolExecutor$Worker.run',
    'java.util.concurrent.ThreadPoolExecutor.runWorker',
    'java.util.concurrent.ScheduledThreadPoolExecutor$ScheduledFutureTask.run',
    'java.util.concurrent.FutureTask.run',
    'java.util.concurrent.Executors$RunnableAdapter.call',
    'java.util.concurrent.ForkJoinWorkerThread.run',
    'java.util.concurrent.ForkJoinPool.runWorker',
    'java.util.concurrent.ForkJoinPool$WorkQueue.topLevelExec',
  ],
  loop: [
    'io.netty.util.concurrent.FastThreadLocalRunnable.run',
    'io.netty.util.internal.ThreadExecutorMap$',
    'io.netty.util.concurrent.SingleThreadEventExecutor$',
    'io.netty.util.concurrent.SingleThreadEventExecutor.runAllTasks',
    'io.netty.util.concurrent.AbstractEventExecutor.safeExecute',
    'io.netty.util.concurrent.AbstractEventExecutor.runTask',
    'io.netty.channel.SingleThreadIoEventLoop.run',
    ...['io.netty.channel.nio.NioIoHandler.', 'io.netty.channel.nio.NioEventLoop.'].flatMap((loop) => [
      `${loop}run`,
      `${loop}processSelectedKey`,
    ]),
    'io.netty.channel.nio.NioIoHandler$DefaultNioRegistration.handle',
    'io.netty.channel.nio.AbstractNioChannel$AbstractNioUnsafe.handle',
  ],
  pipeline: [
    'io.ktor.util.pipeline.Pipeline.execute',
    'io.ktor.util.pipeline.PipelineKt.execute',
    'io.ktor.util.pipeline.PipelineJvmKt.pipelineStartCoroutineUninterceptedOrReturn',
    'io.ktor.util.pipeline.SuspendFunctionGun',
    'io.ktor.util.pipeline.DebugPipelineContext',
    'io.ktor.util.debug.ContextUtilsKt.initContextInDebugMode',
  ],
  coroutines: [
    'kotlin.coroutines.jvm.internal.',
    'kotlin.coroutines.intrinsics.',
    'kotlin.coroutines.SafeContinuation.',
    'kotlin.coroutines.ContinuationKt.',
    'kotlinx.coroutines.internal.',
    'kotlinx.coroutines.intrinsics.',
    'kotlinx.coroutines.scheduling.',
    'kotlinx.coroutines.AbstractCoroutine.',
    'kotlinx.coroutines.CancellableContinuationImpl.',
    'kotlinx.coroutines.CoroutineStart.invoke',
    'kotlinx.coroutines.DefaultExecutor.',
    'kotlinx.coroutines.DispatchedTask.',
    'kotlinx.coroutines.DispatchedTaskKt.',
    'kotlinx.coroutines.EventLoop',
    'kotlinx.coroutines.BlockingCoroutine.',
    'kotlinx.coroutines.ResumeAwaitOnCompletion.',
    'kotlinx.coroutines.ResumeOnCompletion.',
    'kotlinx.coroutines.JobSupport.',
  ],
};
const PREFIXES = (['thread', 'pool', 'loop', 'pipeline', 'coroutines'] as const).flatMap((kind) =>
  NAMES[kind].map((prefix) => ({ kind, prefix })),
);

export function machineryOf(name: string): Machinery | undefined {
  return PREFIXES.find(({ prefix }) => name.startsWith(prefix))?.kind;
}

const INTO_JAVA: ReadonlySet<string> = new Set(['[call_stub]', '[StubRoutines]', '[Interpreter]']);
const LIBRARIES_OF_A_START = /(^|\s)\[(libc|libpthread|ld-musl|libjvm|libjli)[-.][^[\]]*\]$/;
/** Of the JVM's own threads only these, for what follows is what they do (HotSpot src/hotspot: os_linux.cpp, thread.cpp). */
const START_OF_ANY =
  /^(\[libc[-.][^[\]]*\]$|(clone3?|start_thread|thread_native_entry|Thread::call_run|JavaThread::\w+) \[)/;
const JVM_THREADS = /^\[(C1 compiler|C2 compiler|compiler|GC thread|VM thread)\]$/; // roots of src/jvm/vm-threads.ts

/**
 * What a thread begins with, as indices of a stack that is leaf first: the C library, HotSpot's own functions and the way
 * from there into Java. Empty where Java was not entered from it: then the native functions are what the thread does.
 */
export function threadEntryOf(frames: readonly string[]): { readonly from: number; readonly to: number } {
  const isJvmThread = JVM_THREADS.test(frames.at(-1) ?? '');
  const to = isJvmThread ? frames.length - 1 : frames.length;
  const isStart = (name: string) =>
    isJvmThread ? START_OF_ANY.test(name) : INTO_JAVA.has(name) || LIBRARIES_OF_A_START.test(name);
  let from = to;
  while (from > 0 && isStart(frames[from - 1] ?? '')) from -= 1;
  const isWhole = isJvmThread || (from > 0 && INTO_JAVA.has(frames[from] ?? ''));
  return isWhole ? { from, to } : { from: to, to };
}

const RESUMED = [
  'kotlin.coroutines.jvm.internal.BaseContinuationImpl.resumeWith',
  'kotlinx.coroutines.DispatchedTask.run',
];
const SCHEDULERS = [
  'kotlinx.coroutines.scheduling.CoroutineScheduler$Worker.',
  'kotlinx.coroutines.DefaultExecutor.run',
];
/** The first that is found counts: all tasks of the scheduler run in its workers. */
const DISPATCHERS: readonly (readonly [string, string])[] = [
  ['kotlinx.coroutines.internal.LimitedDispatcher$Worker.run', 'IO'], // or another limited view of the same threads
  ['kotlinx.coroutines.scheduling.CoroutineScheduler$Worker.', 'Default'], // not dispatch, which anybody calls
  ['kotlinx.coroutines.scheduling.CoroutineScheduler.runSafely', 'Default'],
  ['kotlinx.coroutines.BlockingCoroutine.joinBlocking', 'runBlocking'],
  ['io.netty.', 'event loop'],
  ['java.awt.EventDispatchThread.run', 'Main'],
  ['java.util.concurrent.ThreadPoolExecutor', 'ThreadPoolExecutor'],
  ['java.util.concurrent.ForkJoin', 'ForkJoinPool'],
  ['kotlinx.coroutines.DefaultExecutor.run', 'DefaultExecutor'],
];

/** Whether the frames continue a coroutine, or begin one that was sent to another thread. */
export function isResumed(frames: readonly string[]): boolean {
  return frames.some((name) => RESUMED.some((prefix) => name.startsWith(prefix)));
}

/** Whether they are those of a thread that coroutines wait for: it looks for work, sleeps, or wakes another. */
export function isScheduler(frames: readonly string[]): boolean {
  return frames.some((name) => SCHEDULERS.some((prefix) => name.startsWith(prefix)));
}

/** Where a coroutine that these frames continue runs; undefined when none is continued, or by nobody who is known. */
export function dispatcherOf(frames: readonly string[]): string | undefined {
  if (!isResumed(frames)) return undefined;
  return DISPATCHERS.find(([prefix]) => frames.some((name) => name.startsWith(prefix)))?.[1];
}
