const KERNEL = '_[k]';
const SAFEPOINT = '_[s]';
const SUSPENDED = '_[a]';
const UNCOUNTED = [KERNEL, SAFEPOINT, SUSPENDED];
/** "malloc [libc.so.6]": no name of a class or method has a bracket (JVM specification, 4.2). */
const NATIVE = / (\[[^[\]]+\])$/;

/**
 * Which frames can be blamed. A name in brackets stands for code nobody could name ([libjvm.so],
 * [Interpreter], [unknown]), with a name before them for a function of a library ("malloc [libc.so.6]"); `_[k]` marks
 * the kernel. All count in every total, none is a function a team can fix. `_[s]` marks a method that is inlined at the leaf, as far as the next safepoint tells: what really
 * ran may be its neighbour, so the cost is the leafmost function's that is certain. `_[a]` marks a caller that waits in the
 * heap for a coroutine. It is read from there a moment after the sample and is missing when a collection came between: an arm
 * that collects more has fewer of them, and their totals would differ though no cost has moved. So pictures show them, and no
 * verdict counts them: with and without them a stack is the same to it.
 */
export function frameIsFunction(name: string): boolean {
  // The ends first: an expression on each name is most of what a service's first minute costs.
  if (name === '' || name.startsWith('[')) return false;
  if (name.endsWith(']')) return !(NATIVE.test(name) || UNCOUNTED.some((suffix) => name.endsWith(suffix)));
  return true;
}

// The coroutine runtime (kotlin-stdlib and kotlinx-coroutines-core), but for flows, whose operators are users' code.
const COROUTINE_RUNTIME = /^kotlinx?\.coroutines\.(?!flow\.)/;

/**
 * True for a frame that only passes calls on: every coroutine of a service runs below it, so its total grows with
 * whatever grows and explains nothing. What it spends itself is still its own.
 */
export function frameIsMachinery(name: string): boolean {
  return name.startsWith('kotlin') && COROUTINE_RUNTIME.test(name);
}

/**
 * The line a frame that is no function is reported under: its module, or the kernel as one. Undefined for a method that
 * is not certain: it is the service's own code.
 */
export function frameGroup(name: string): string | undefined {
  if (name.endsWith(SAFEPOINT)) return undefined;
  if (name.endsWith(KERNEL)) return '[kernel]';
  if (name === '') return '[unknown]';
  return NATIVE.exec(name)?.[1] ?? name;
}

// Entry points of the threads a JVM keeps for itself (HotSpot src/hotspot/share: compileBroker.cpp,
// workerThread.cpp, concurrentGCThread.cpp, vmThread.cpp; gang workers before JDK 20). They are named only
// where libjvm's symbols are installed. A younger canary compiles more than its baseline; that is no regression.
const JVM_THREAD_ENTRIES = [
  'CompileBroker::compiler_thread_loop',
  'WorkerThread::run',
  'GangWorker::run',
  'ConcurrentGCThread::run',
  'VMThread::run',
  'WatcherThread::run',
  'JvmtiAgentThread::',
];

/** The line of the collector's threads; that of the JVM's others is JVM. */
export const COLLECTOR = '[GC]';
export const JVM = '[jvm]';
export const COLLECTOR_ROOT = '[GC thread]'; // of src/jvm/vm-threads.ts
const COLLECTOR_ENTRIES = ['WorkerThread::run', 'GangWorker::run', 'ConcurrentGCThread::run'];

/** The line a stack of a JVM-internal thread is reported under. */
export function jvmGroup(frames: readonly string[]): string {
  const isCollector =
    frames.at(-1) === COLLECTOR_ROOT ||
    frames.some((frame) => COLLECTOR_ENTRIES.some((entry) => frame.startsWith(entry)));
  return isCollector ? COLLECTOR : JVM;
}

/** True for the entry of a JVM-internal thread (JIT, GC, safepoints): no frame of a stack with one is a candidate, nor of one that ends in COLLECTOR_ROOT. */
export function frameIsJvmEntry(name: string): boolean {
  return JVM_THREAD_ENTRIES.some((entry) => name.startsWith(entry));
}
