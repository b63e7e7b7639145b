/** Lets in what has room, in the order of coming, and turns away whoever would be one too many in the queue. */

export interface Turnstile {
  /** Resolves when there is room for so much, to the function that gives it back. Undefined: too many are waiting already. */
  enter(size: number): Promise<() => void> | undefined;
  readonly waiting: number;
}

interface Waiting {
  readonly size: number;
  readonly letIn: () => void;
}

/** `room`: of the sizes of all that are in together; what is larger than it is let in alone. */
export function turnstile(room: number, maxWaiting: number): Turnstile {
  const queue: Waiting[] = [];
  let used = 0;
  const fits = (size: number): boolean => used === 0 || used + size <= room;
  const leaveOnce = (size: number): (() => void) => {
    let isIn = true;
    return () => {
      if (!isIn) return;
      isIn = false;
      used -= size;
      for (let next = queue[0]; next !== undefined && fits(next.size); next = queue[0]) {
        queue.shift();
        used += next.size;
        next.letIn();
      }
    };
  };
  return {
    enter(size) {
      if (queue.length === 0 && fits(size)) {
        used += size;
        return Promise.resolve(leaveOnce(size));
      }
      if (queue.length >= maxWaiting) return undefined;
      return new Promise((resolve) => {
        queue.push({ size, letIn: () => resolve(leaveOnce(size)) });
      });
    },
    get waiting() {
      return queue.length;
    },
  };
}
