/** What the names on a stack say about whose request a thread is at: docs/adr/0019. */
import { isResumed, isScheduler } from './machinery.ts';

/** Frames that are there only while one request is served, on whatever thread, or wait in the heap until it is. */
const SERVING = [
  'io.ktor.server.engine.DefaultEnginePipeline',
  'io.ktor.server.routing.Routing',
  'io.ktor.server.netty.NettyApplicationCallHandler',
  'io.ktor.server.cio.CIOApplicationEngine$handleRequest',
  'io.grpc.internal.ServerImpl$JumpToApplicationThreadServerStreamListener',
];
/** Threads that carry the work of many: virtual threads, and what somebody else handed to an event loop. */
const CARRYING = [
  'java.lang.VirtualThread.',
  '[virtual thread]',
  'io.netty.util.concurrent.AbstractEventExecutor.',
];
const EVENT_LOOP = 'io.netty.';
const SUSPENDED = 'suspend ';

/**
 * own: a thread that does what it received itself. loop: the same, called by an event loop, which may have received something
 * that nobody saw. shared: it carries the work of many, which came from anywhere.
 */
export type ThreadUse = 'own' | 'loop' | 'shared';

/** `frames`: names of a stack, leaf first. */
export function threadUseOf(frames: readonly string[]): ThreadUse {
  const isShared =
    isResumed(frames) ||
    isScheduler(frames) ||
    frames.some((name) => CARRYING.some((prefix) => name.startsWith(prefix)));
  if (isShared) return 'shared';
  return frames.some((name) => name.startsWith(EVENT_LOOP)) ? 'loop' : 'own';
}

/** Whether they serve some request, whichever it is. */
export const isServing = (frames: readonly string[]): boolean =>
  frames.some((name) => {
    const plain = name.startsWith(SUSPENDED) ? name.slice(SUSPENDED.length) : name;
    return SERVING.some((prefix) => plain.startsWith(prefix));
  });
