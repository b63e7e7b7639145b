/**
 * Which request a sample belongs to: by who received it and who answered it, or because all that were open at the moment count
 * as the same. Where that is not certain, none: docs/adr/0019.
 */
import type { ThreadUse } from '../profile/serving.ts';

/** Requests of any number of processes, by columns: there are thousands in a window. Times are of one clock. */
export interface ServedRequests {
  readonly length: number;
  readonly process: ArrayLike<number>;
  readonly receivedNs: ArrayLike<number>;
  /** Infinity: it is not answered yet, and who will is not known. */
  readonly endedNs: ArrayLike<number>;
  /** Threads. */
  readonly receiver: ArrayLike<number>;
  readonly sender: ArrayLike<number>;
}

export interface SampledWork {
  readonly process: number;
  readonly thread: number;
  readonly atNs: number;
  readonly use: ThreadUse;
  /** The stack says that some request is being served. */
  readonly isServing: boolean;
}

/** of: by their numbers, of each of them or of one of several. open: of one that may be it, the answer is not known yet. */
export type Finding =
  | { readonly kind: 'of'; readonly requests: readonly number[] }
  | { readonly kind: 'none' | 'open' };

/** An event loop that answered so many, each before it received the next, handles them one at a time. */
const LEAST_OF_LOOP = 20;
/** Sent the last of the answer: the connection ended, or it is not known yet. */
export const NOBODY = 0;
const NONE = { kind: 'none' } as const;
const OPEN = { kind: 'open' } as const;

/**
 * situation                                                              → the sample is of
 * its thread received each of its requests itself, answered it itself, and
 *   before it received the next one; it carries no work of others, and one
 *   of them was open                                                     → that one
 * the same, called by an event loop that answered twenty like this       → that one
 * its stack says that a request is served, and `isWhole`                 → one of all that were open in the process
 * otherwise                                                              → none
 *
 * `isWhole`: no request of these processes was missed. Calls `tell` with each sample.
 */
export function findRequests<Sample extends SampledWork>(
  requests: ServedRequests,
  samples: readonly Sample[],
  { isWhole }: { readonly isWhole: boolean },
  tell: (sample: Sample, finding: Finding) => void,
): void {
  const { process, receivedNs, endedNs, receiver } = requests;
  const order = inOrder(requests);
  const threads = oneAtATime(requests, order);
  let open: number[] = [];
  let next = 0;
  for (const sample of samples.toSorted((a, b) => a.atNs - b.atNs)) {
    for (; next < order.length && at(receivedNs, order[next]) <= sample.atNs; next++) {
      const begun = order[next] ?? 0;
      if (at(endedNs, begun) > sample.atNs) open.push(begun);
    }
    open = open.filter((one) => at(endedNs, one) > sample.atNs);
    const answered = threads.get(sample.thread);
    const mayBeItsOwn = sample.use === 'own' || (sample.use === 'loop' && (answered ?? 0) >= LEAST_OF_LOOP);
    const ofProcess = open.filter((one) => process[one] === sample.process);
    const received = ofProcess.filter((one) => receiver[one] === sample.thread);
    if (answered !== undefined && mayBeItsOwn && received.length > 0)
      tell(sample, findingOf(received, endedNs));
    else if (sample.isServing && isWhole) tell(sample, findingOf(ofProcess, endedNs));
    else tell(sample, NONE);
  }
}

function findingOf(open: readonly number[], endedNs: ArrayLike<number>): Finding {
  if (open.length === 0) return NONE;
  const areAnswered = open.every((one) => at(endedNs, one) < Number.POSITIVE_INFINITY);
  return areAnswered ? { kind: 'of', requests: open } : OPEN;
}

const at = (column: ArrayLike<number>, index = 0): number => column[index] ?? 0;

const inOrder = ({ length, receivedNs }: ServedRequests): Uint32Array =>
  Uint32Array.from({ length }, (_, i) => i).sort((a, b) => at(receivedNs, a) - at(receivedNs, b));

/** Threads that answered whatever they received, and each before they received the next; how many. */
function oneAtATime(
  { receivedNs, endedNs, receiver, sender }: ServedRequests,
  order: Uint32Array,
): ReadonlyMap<number, number> {
  const threads = new Map<number, number>();
  const others = new Set<number>();
  const lastEndedNs = new Map<number, number>();
  for (const one of order) {
    const thread = at(receiver, one);
    const answerer = at(sender, one);
    const isOpen = at(endedNs, one) === Number.POSITIVE_INFINITY;
    const isNext = at(receivedNs, one) >= (lastEndedNs.get(thread) ?? 0);
    if (!isNext || (answerer !== thread && !isOpen)) others.add(thread);
    if (answerer !== thread && answerer !== NOBODY) others.add(answerer);
    threads.set(thread, (threads.get(thread) ?? 0) + 1);
    lastEndedNs.set(thread, at(endedNs, one));
  }
  for (const thread of others) threads.delete(thread);
  return threads;
}
