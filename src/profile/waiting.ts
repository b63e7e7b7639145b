/**
 * What a thread waited for, by what the kernel says of it and by the names on its stack; and which waits are findings:
 * blocking calls on threads that many coroutines share.
 */
import { dispatcherOf } from './machinery.ts';
import { isJavaName, type PlatformCall, plainName, platformCallOf } from './platform-call.ts';

/** As the kernel sees it when a thread gives up its CPU. */
export const WAITED_FOR = [
  'runqueue',
  'futex',
  'sleep',
  'events',
  'poll',
  'socket',
  'file',
  'memory',
  'other',
] as const;
export type WaitedFor = (typeof WAITED_FOR)[number];

/**
 * As people call it. idle: for work, as threads of pools and loops do. lock: to enter a monitor, or for a ReentrantLock and
 * the like. park: for another thread, by java.util.concurrent. wait: by Object.wait. runqueue: for a CPU. pageFault: for
 * memory. jvm: for the JVM itself: in a pause, for a class that another thread loads or initialises, for its compiler.
 */
export const WAIT_REASONS = [
  'idle',
  'lock',
  'park',
  'wait',
  'sleep',
  'socket',
  'file',
  'runqueue',
  'pageFault',
  'jvm',
  'other',
] as const;
export type WaitReason = (typeof WAIT_REASONS)[number];

const IN_LIBJVM = ' [libjvm.so]';

/** On a stack only while a thread waits for work, or for what nobody waits for in turn. */
const IDLE = [
  'java.util.concurrent.ThreadPoolExecutor.getTask',
  'java.util.concurrent.ForkJoinPool.awaitWork',
  'java.lang.ref.ReferenceQueue.remove',
  'java.lang.ref.NativeReferenceQueue.',
  'java.lang.ref.Reference.waitForReferencePendingList',
  'kotlinx.coroutines.scheduling.CoroutineScheduler$Worker.park',
  'kotlinx.coroutines.scheduling.CoroutineScheduler$Worker.tryPark',
  'io.netty.util.HashedWheelTimer$Worker.waitForNextTick',
  'io.netty.util.concurrent.SingleThreadEventExecutor.takeTask',
  'io.netty.util.concurrent.GlobalEventExecutor.takeTask',
  'org.eclipse.jetty.util.thread.QueuedThreadPool.idleJobPoll',
  'java.net.ServerSocket.accept',
  'sun.nio.ch.ServerSocketChannelImpl.accept',
];
/** Loops that also do the work: idle where it is they who wait. */
const LOOPS = [
  'java.util.TimerThread.mainLoop',
  'kotlinx.coroutines.DefaultExecutor.run',
  'java.util.concurrent.ForkJoinPool.runWorker',
];
/** By which a thread waits, whoever calls it. */
const WAYS_TO_WAIT = [
  'jdk.internal.misc.Unsafe.',
  'sun.misc.Unsafe.',
  'java.util.concurrent.locks.LockSupport.',
  'java.lang.Object.wait',
  'kotlinx.coroutines.AbstractTimeSource',
];
const PARK = /^(jdk\.internal|sun)\.misc\.Unsafe\.park$/;
const LOCKS = /^java\.util\.concurrent\.locks\.(ReentrantLock|ReentrantReadWriteLock|StampedLock)[.$]/;
/** On a stack while a class is loaded or initialised: for that, too, threads enter monitors, wait in them and read files. */
const CLASSES = [
  'InstanceKlass::',
  'SystemDictionary::',
  'LinkResolver::',
  'ConstantPool::',
  'java.lang.ClassLoader.loadClass',
  'jdk.internal.loader.BuiltinClassLoader.loadClass',
];
const INITIALIZER = '.<clinit>'; // what a class does to initialise itself is its author's
const MONITORS = [
  'ObjectMonitor::enter',
  'ObjectMonitor::EnterI',
  'ObjectSynchronizer::',
  'LightweightSynchronizer::',
];

/** `frames`: the names of the stack, leaf first, without what the kernel did. */
export function waitReason(waitedFor: WaitedFor, frames: readonly string[]): WaitReason {
  switch (waitedFor) {
    case 'runqueue':
    case 'file':
      return waitedFor;
    case 'memory':
      return 'pageFault';
    case 'events':
      return dispatcherOf(frames) === 'Default' ? 'socket' : 'idle'; // a selector may be a coroutine's, on IO
    case 'sleep':
    case 'socket':
      return isIdle(frames) ? 'idle' : waitedFor;
    case 'poll':
      return isIdle(frames) ? 'idle' : 'socket';
    case 'futex':
      return futexReason(frames);
    case 'other':
      return isIdle(frames) ? 'idle' : 'other';
  }
}

/** Nearly all that a JVM waits for is a futex, Thread.sleep too. */
function futexReason(frames: readonly string[]): WaitReason {
  const java = frames.findIndex((name) => isJavaName(plainName(name)));
  if (java < 0) return frames.some((name) => name.endsWith(IN_LIBJVM)) ? 'idle' : 'other'; // a thread of its own
  if (isIdle(frames)) return 'idle';
  if (isForClass(frames)) return 'jvm';
  const leaf = plainName(frames[java] ?? '');
  if (PARK.test(leaf)) return frames.some((name) => LOCKS.test(name)) ? 'lock' : 'park';
  if (leaf.startsWith('java.lang.Object.wait')) return 'wait';
  if (leaf.startsWith('java.lang.Thread.sleep')) return 'sleep';
  const natives = frames.slice(0, java);
  if (natives.some((name) => startsWithOneOf(name, MONITORS))) return 'lock';
  return natives.some((name) => name.endsWith(IN_LIBJVM)) ? 'jvm' : 'lock';
}

function isForClass(frames: readonly string[]): boolean {
  const first = frames.find(
    (name) => startsWithOneOf(name, CLASSES) || plainName(name).endsWith(INITIALIZER),
  );
  return first !== undefined && startsWithOneOf(first, CLASSES);
}

function isIdle(frames: readonly string[]): boolean {
  if (frames.some((name) => startsWithOneOf(name, IDLE))) return true;
  const waiting = frames.find((name) => isJavaName(plainName(name)) && !startsWithOneOf(name, WAYS_TO_WAIT));
  return waiting !== undefined && startsWithOneOf(waiting, LOOPS);
}

const startsWithOneOf = (name: string, prefixes: readonly string[]): boolean =>
  prefixes.some((prefix) => name.startsWith(prefix));

/** Waits that somebody else's work ends: with these no thread is to be held up. */
const BLOCKING: ReadonlySet<WaitReason> = new Set<WaitReason>([
  'lock',
  'park',
  'wait',
  'sleep',
  'socket',
  'file',
  'other',
]);

/**
 * A blocking call on Dispatchers.Default, whose few threads all coroutines of a service share; undefined if it is none. A
 * limited view of Default looks like Dispatchers.IO, which is there to be blocked. To need a class for the first time is none.
 */
export function blockingOnDefault(reason: WaitReason, frames: readonly string[]): PlatformCall | undefined {
  if (!BLOCKING.has(reason) || dispatcherOf(frames) !== 'Default' || isForClass(frames)) return undefined;
  return platformCallOf(frames);
}

/** The frame that stands for what the kernel did, as a stack's leaf. */
export const waitFrame = (reason: WaitReason): string => `[wait: ${reason}]`;
