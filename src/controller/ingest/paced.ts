/** Work that grows with the cluster, and is asked for with each of its changes: soon, and for no more than a part of the time. */

export interface Paced {
  /** It is done at once if it was not done lately, else later, once for all who have asked by then. */
  ask(): void;
  stop(): void;
}

/** Of the time, in which nothing else is answered. */
const PART = 1 / 20;

export function paced(work: () => void, now: () => number = () => performance.now()): Paced {
  let notBeforeMs = Number.NEGATIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;
  const run = (): void => {
    timer = undefined;
    const beganMs = now();
    work();
    const endMs = now();
    notBeforeMs = endMs + (endMs - beganMs) / PART;
  };
  return {
    ask() {
      if (timer !== undefined) return;
      const waitMs = notBeforeMs - now();
      if (waitMs <= 0) run();
      else timer = setTimeout(run, waitMs).unref();
    },
    stop() {
      clearTimeout(timer);
    },
  };
}
