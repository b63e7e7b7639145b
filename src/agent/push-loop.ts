/** Sends what the spool holds, oldest first, and sends it again to a controller that lost its store. */
import { BATCHES_PATH, STORE_HEADER } from '../wire/endpoints.ts';
import { codeOf, messageOf } from './agent-error.ts';
import { createBackoff, pause } from './backoff.ts';
import type { ControllerAnswer, ControllerClient } from './controller-client.ts';
import type { AgentLog } from './log.ts';
import { isAtRest, pushTurnMs } from './push-turn.ts';
import type { Spool, SpooledBatch } from './spool.ts';

export type PushResult = 'sent' | 'refused' | 'failed';

export interface PushLoop {
  /** There is something to send: a window of such a length, if it says so. */
  wake(windowMs?: number): void;
  /** The controller's store is this one; if it was another, everything is sent again. */
  storeIs(store: string): Promise<void>;
  /** Runs until the signal is aborted. */
  run(signal: AbortSignal): Promise<void>;
  /** One try at what waits, for the end of the agent; stops at the first failure. */
  flush(signal: AbortSignal): Promise<void>;
}

export interface PushLoopOptions {
  readonly client: ControllerClient;
  readonly spool: Spool;
  readonly log: AgentLog;
  readonly random: () => number;
  pushed(result: PushResult, code: string): void;
}

const TIMEOUT_MS = 30_000;
const BETWEEN_MS = 100; // an hour of windows in 36 s: a replay of many nodes must not swamp a new leader
const IDLE_MS = 60_000;
/** While it waits for its turn, which a shorter window brings forward. */
const LOOK_AGAIN_MS = 1_000;
const FIRST_BACKOFF_MS = 1_000;
const LONGEST_BACKOFF_MS = 30_000;
/** Of several replicas one leads, and the next connection may meet it; when none does, all agents ask. */
const FIRST_REPLICA_MS = 250;
const LONGEST_REPLICA_MS = 8_000;
/** Not the batch's fault: authentication under rotation, and what says "later". */
const RETRIED_STATUS = new Set([401, 403, 408, 429]);

export function createPushLoop(options: PushLoopOptions): PushLoop {
  const { spool, random } = options;
  let woken = Promise.withResolvers<void>();
  let windowMs = 0;
  const part = random();
  const ownTurn = async (signal: AbortSignal) => {
    const sinceMs = performance.now();
    const left = () => pushTurnMs(windowMs, part) - (performance.now() - sinceMs);
    for (let leftMs = left(); leftMs > 0 && !signal.aborted; leftMs = left()) {
      await pause(Math.min(leftMs, LOOK_AGAIN_MS), signal);
    }
  };

  const storeIs = async (store: string) => {
    if (store === spool.store) return;
    if (spool.store !== undefined) {
      options.log.info(
        { store, batches: spool.entries().length },
        'the controller has another store; sending again',
      );
      await spool.markAllWaiting();
    }
    await spool.setStore(store);
    windowMs = 0; // who leads anew is not to wait for it
    woken.resolve();
  };
  const pushNext = async (entry: SpooledBatch, signal: AbortSignal): Promise<Pushed> => {
    try {
      // Until the next window of pods at rest the controller would close it, and until then hold 150 KB for it.
      const isLast = isAtRest(windowMs) && spool.entries().at(-1)?.id === entry.id;
      const result = await push(entry, options, { isLast, signal });
      options.pushed(result.kind, result.code);
      if (result.kind !== 'failed') await spool.mark(entry, result.kind);
      if (result.store !== undefined) await storeIs(result.store);
      return result;
    } catch (error) {
      options.log.error({ err: error, batch: entry.id }, 'the spool fails'); // a disk is full, and will not be for ever
      return { kind: 'failed', code: codeOf(error) };
    }
  };
  return {
    wake(ofWindowMs = windowMs) {
      windowMs = ofWindowMs;
      woken.resolve();
    },
    storeIs,
    async run(signal) {
      const backoff = createBackoff(FIRST_BACKOFF_MS, LONGEST_BACKOFF_MS, random);
      const ofReplicas = createBackoff(FIRST_REPLICA_MS, LONGEST_REPLICA_MS, random);
      while (!signal.aborted) {
        const entry = spool.nextWaiting();
        if (!entry) {
          await Promise.race([woken.promise, pause(IDLE_MS, signal)]);
          woken = Promise.withResolvers();
          await ownTurn(signal);
          continue;
        }
        const { kind, code } = await pushNext(entry, signal);
        if (kind === 'failed') {
          await pause((code === 'NOT_LEADER' ? ofReplicas : backoff).next(), signal);
        } else {
          backoff.reset();
          ofReplicas.reset();
          await pause(BETWEEN_MS * random() * 2, signal);
        }
      }
    },
    async flush(signal) {
      for (let entry = spool.nextWaiting(); entry && !signal.aborted; entry = spool.nextWaiting()) {
        if ((await pushNext(entry, signal)).kind === 'failed') return;
      }
    },
  };
}

interface Pushed {
  readonly kind: PushResult;
  readonly code: string;
  readonly store?: string;
}

// answer                          → what becomes of the batch
// 2xx                             → sent
// 401, 403, 408, 429, 5xx, none   → stays; a 503 (NOT_LEADER) also drops the connection, to meet another replica
// any other                       → refused: set aside, counted, not sent again
// not asked: its file is gone     → refused, and the next one goes on
async function push(
  entry: SpooledBatch,
  { client, spool, log }: PushLoopOptions,
  { isLast, signal }: { readonly isLast: boolean; readonly signal: AbortSignal },
): Promise<Pushed> {
  const headers = {
    ...(isLast ? { connection: 'close' } : {}),
    'content-type': 'application/json',
    'content-encoding': 'gzip',
    'content-length': entry.bytes,
    ...(spool.store === undefined ? {} : { [STORE_HEADER]: spool.store }),
  };
  const content = await spool.read(entry);
  if (content === undefined) {
    log.warn({ batch: entry.id }, 'a batch is gone from the spool');
    return { kind: 'refused', code: 'ENOENT' };
  }
  try {
    const asked = { method: 'POST', path: BATCHES_PATH, headers, content, timeoutMs: TIMEOUT_MS } as const;
    const answer = await client.ask(asked, signal);
    if (answer.status < 300) return { kind: 'sent', code: '', ...storeOf(answer) };
    const code = answer.code ?? `HTTP_${answer.status}`;
    const later = answer.status >= 500 || RETRIED_STATUS.has(answer.status);
    if (answer.status === 503) client.reconnect();
    log.warn(
      { batch: entry.id, status: answer.status, code },
      later ? 'batch not taken yet' : 'batch refused',
    );
    return { kind: later ? 'failed' : 'refused', code };
  } catch (error) {
    log.warn({ batch: entry.id, code: codeOf(error), reason: messageOf(error) }, 'batch not sent');
    return { kind: 'failed', code: codeOf(error) };
  } finally {
    content.destroy();
  }
}

function storeOf({ body }: ControllerAnswer): { store?: string } {
  if (typeof body !== 'object' || body === null || !('store' in body)) return {};
  return typeof body.store === 'string' && body.store !== '' ? { store: body.store } : {};
}
