/**
 * An agent without a node under it: windows are the test's, everything after them is the agent's own, from the spool on disk to the
 * push over TLS. As the real one it may be killed at any moment, and begins again with what is on its disk.
 */
import { createControllerClient } from '../../src/agent/controller-client.ts';
import { createLog } from '../../src/agent/log.ts';
import { createPushLoop, type PushResult } from '../../src/agent/push-loop.ts';
import { openSpool, type Spool } from '../../src/agent/spool.ts';
import type { Batch } from '../../src/wire/batch-schema.ts';

export interface SimulatedAgentOptions {
  readonly url: URL;
  readonly caFile: string;
  readonly tokenFile: string;
  /** Of the spool; another agent that opens it is the same one after a restart. */
  readonly directory: string;
  readonly spoolBytes?: number;
  readonly pushed?: (result: PushResult, code: string) => void;
  readonly random?: () => number;
}

export interface SimulatedAgent {
  readonly spool: Spool;
  /** Closes a window: it is on disk, and sent as soon as it can be. */
  add(batch: Batch, nowMs?: number): Promise<void>;
  /** Sends what waits, oldest first, until something fails; at most so many batches. */
  flush(atMost?: number): Promise<void>;
  /** From now on as the real one does: again and again, with its pauses. */
  run(): void;
  stop(): Promise<void>;
}

const SPOOL_BYTES = 64 * 1024 * 1024;
const log = createLog('silent', 'simulated');

export async function aSimulatedAgent(options: SimulatedAgentOptions): Promise<SimulatedAgent> {
  const spool = await openSpool(options.directory, options.spoolBytes ?? SPOOL_BYTES);
  const client = createControllerClient(options);
  let left = Number.POSITIVE_INFINITY;
  let enough = new AbortController();
  const push = createPushLoop({
    ...{ client, spool, log, random: options.random ?? Math.random },
    pushed(result, code) {
      options.pushed?.(result, code);
      left -= 1;
      if (left <= 0) enough.abort();
    },
  });
  const end = new AbortController();
  let running: Promise<void> = Promise.resolve();
  return {
    spool,
    async add(batch, nowMs = Date.now()) {
      await spool.add(batch, nowMs);
      push.wake();
    },
    async flush(atMost = Number.POSITIVE_INFINITY) {
      if (atMost <= 0) return;
      left = atMost;
      enough = new AbortController();
      await push.flush(enough.signal);
      left = Number.POSITIVE_INFINITY;
    },
    run() {
      running = push.run(end.signal);
    },
    async stop() {
      end.abort();
      push.wake();
      await running;
      client.close();
    },
  };
}
