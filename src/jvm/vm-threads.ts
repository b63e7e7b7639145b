/** Threads that a JVM keeps for itself, told by the functions of libjvm they run in. */

// HotSpot src/hotspot/share: compiler/compileBroker.cpp, gc/shared/workerThread.cpp (gang workers before JDK 20) and
// concurrentGCThread.cpp, runtime/vmThread.cpp, nonJavaThread.cpp.
const THREADS: readonly (readonly [string, string])[] = [
  ['C2Compiler::compile_method', '[C2 compiler]'],
  ['Compiler::compile_method', '[C1 compiler]'],
  ['CompileBroker::compiler_thread_loop', '[compiler]'],
  ['WorkerThread::run', '[GC thread]'],
  ['GangWorker::run', '[GC thread]'],
  ['ConcurrentGCThread::run', '[GC thread]'],
  ['VMThread::run', '[VM thread]'],
  ['WatcherThread::run', '[VM thread]'],
];

/** What a stack's root is to be called, by its functions; undefined for a thread of the service. */
export function vmThreadOf(functions: ReadonlySet<string>): string | undefined {
  return THREADS.find(([entry]) => functions.has(entry))?.[1];
}
