/** One JVM at a time is asked for names: writing a map holds the JVM's code cache lock, and a node has few CPUs. */
import type { Jvm } from './jvm.ts';

export interface AttachQueue {
  /** Does nothing if the JVM waits already. */
  add(jvm: Jvm): void;
  /** Resolves when all that waits now is done. */
  idle(): Promise<void>;
  /** Drops what waits, and resolves when the one at work is done. */
  stop(): Promise<void>;
}

export function createAttachQueue(asked: (jvm: Jvm) => void): AttachQueue {
  const waiting = new Set<Jvm>();
  let work = Promise.resolve();
  let stopped = false;

  const ask = async (jvm: Jvm) => {
    if (stopped) return;
    await jvm.askForNames(Date.now());
    asked(jvm);
  };
  return {
    add(jvm) {
      if (waiting.has(jvm) || stopped) return;
      waiting.add(jvm);
      work = work.then(() => ask(jvm)).finally(() => waiting.delete(jvm));
    },
    idle: () => work,
    async stop() {
      stopped = true;
      await work;
    },
  };
}
