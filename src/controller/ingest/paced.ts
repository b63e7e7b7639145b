/** Work that grows with the cluster, and is asked for with each of its changes: soon, in steps, and for no more than a part of the time. */
import { giveWay } from '../give-way.ts';

export interface Paced {
  /** It is done at once if it was not done lately, else later, once for all who have asked by then. */
  ask(): void;
  stop(): void;
}

/** Of the time, in which nothing else is answered. */
const PART = 1 / 20;

/** `work`: begun anew each time; others have their turns between its steps. */
export function paced(work: () => Iterable<unknown>, now: () => number = () => performance.now()): Paced {
  let isStopped = false;
  let isRunning = false;
  let isAskedAgain = false;
  let notBeforeMs = Number.NEGATIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;
  const run = async (): Promise<void> => {
    timer = undefined;
    isRunning = true;
    let workedMs = 0;
    for (const steps = work()[Symbol.iterator](); !isStopped; ) {
      const beganMs = now();
      const { done } = steps.next();
      const stepMs = now() - beganMs;
      workedMs += stepMs;
      if (done) break;
      await giveWay(stepMs, now);
    }
    isRunning = false;
    notBeforeMs = now() + workedMs / PART;
    if (isAskedAgain) ask();
  };
  const ask = (): void => {
    isAskedAgain = isRunning;
    if (isStopped || isRunning || timer !== undefined) return;
    const waitMs = notBeforeMs - now();
    if (waitMs <= 0) void run();
    else timer = setTimeout(() => void run(), waitMs).unref();
  };
  return {
    ask,
    stop() {
      isStopped = true;
      clearTimeout(timer);
    },
  };
}
