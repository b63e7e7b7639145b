/** Stacks of coroutines as their authors think of them. A view: what is counted and compared are the raw stacks. */
import { continuationClassOf, functionOfContinuation, suspendName } from './kotlin-names.ts';

/** Stands for the machinery between a thread and what a coroutine does on it. */
export const COROUTINES = '[coroutines]';

/** Kotlin's and kotlinx.coroutines' own; what an application calls of them by name (`delay`, `withContext`) is not here. */
const MACHINERY = [
  'kotlin.coroutines.jvm.internal.',
  'kotlin.coroutines.intrinsics.',
  'kotlin.coroutines.SafeContinuation.',
  'kotlin.coroutines.ContinuationKt.',
  'kotlinx.coroutines.internal.',
  'kotlinx.coroutines.intrinsics.',
  'kotlinx.coroutines.scheduling.',
  'kotlinx.coroutines.AbstractCoroutine.',
  'kotlinx.coroutines.CancellableContinuationImpl.',
  'kotlinx.coroutines.DefaultExecutor.',
  'kotlinx.coroutines.DispatchedTask.',
  'kotlinx.coroutines.DispatchedTaskKt.',
  'kotlinx.coroutines.EventLoop',
  'kotlinx.coroutines.BlockingCoroutine.',
  'kotlinx.coroutines.ResumeAwaitOnCompletion.',
  'kotlinx.coroutines.ResumeOnCompletion.',
  'kotlinx.coroutines.JobSupport.',
];
const ACCESSOR = '.access$'; // how the class of a continuation reaches a private function
const DEFAULT_IMPLEMENTATIONS = '$DefaultImpls.'; // where bodies of an interface's functions are

/**
 * Leaf first, as it comes. Runs of machinery become COROUTINES; "shop.Orders$checkout$1.invokeSuspend" becomes "suspend
 * shop.Orders.checkout", one frame with the function itself where it called that. `isSuspend` knows by signature which
 * functions are suspend functions, so that one has the same name before and after its first suspension.
 */
export function foldCoroutines(
  stack: readonly string[],
  isSuspend: (name: string) => boolean = () => false,
): string[] {
  const view: string[] = [];
  for (const name of stack) {
    const inner = view.at(-1);
    const continuation = continuationClassOf(name);
    const plain = (continuation === undefined ? name : functionOfContinuation(continuation)).replace(
      DEFAULT_IMPLEMENTATIONS,
      '.',
    );
    const isMachinery = MACHINERY.some((prefix) => name.startsWith(prefix));
    const target = plain.replace(ACCESSOR, '.');
    const isInner = inner === target || inner === suspendName(target);
    if (isMachinery && inner === COROUTINES) continue;
    if (target !== plain && isInner) continue;
    if (continuation !== undefined && isInner) view[view.length - 1] = suspendName(plain);
    else if (isMachinery) view.push(COROUTINES);
    else view.push(continuation !== undefined || isSuspend(name) ? suspendName(plain) : plain);
  }
  return view;
}

/**
 * Where a coroutine runs: "IO" (or another limited view of the same threads), "Default", "runBlocking", or "other" for a
 * dispatcher of someone else; undefined when the stack is in no coroutine.
 */
export function dispatcherOf(stack: readonly string[]): string | undefined {
  const has = (prefix: string) => stack.some((name) => name.startsWith(prefix));
  if (!has('kotlin.coroutines.jvm.internal.BaseContinuationImpl.resumeWith')) return undefined;
  if (has('kotlinx.coroutines.internal.LimitedDispatcher$Worker.run')) return 'IO';
  if (has('kotlinx.coroutines.scheduling.CoroutineScheduler$Worker.run')) return 'Default';
  if (has('kotlinx.coroutines.BlockingCoroutine.joinBlocking')) return 'runBlocking';
  return has('kotlinx.coroutines.DispatchedTask.run') ? 'other' : undefined;
}
