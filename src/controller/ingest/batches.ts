/** POST of a batch: limits first, then the token, then the content, then the commit, then the receipt. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ReadBatch } from '../../store/batch-stack-ids.ts';
import { StoreError } from '../../store/store-error.ts';
import type { WindowStore } from '../../store/window-store.ts';
import { type BatchReceipt, MAX_BATCH_GZIP_BYTES } from '../../wire/batch-schema.ts';
import { STORE_HEADER } from '../../wire/endpoints.ts';
import type { AgentReports } from '../agent-reports.ts';
import type { ToldNodes } from '../told-nodes.ts';
import { type Authenticator, assertSameNode } from './authenticate.ts';
import { refusalOfFuture } from './check-batch.ts';
import { expectedWait } from './expected-wait.ts';
import type { IngestMetrics } from './ingest-metrics.ts';
import { parseBatch } from './parse-batch.ts';
import type { PodHomes } from './pod-homes.ts';
import { assertBatchHeaders, inflatedBody, readBody } from './read-body.ts';
import { Refusal, sendJson } from './refusal.ts';
import { turnstile } from './turnstile.ts';

export interface BatchesOptions {
  readonly authenticator: Authenticator;
  readonly homes: PodHomes;
  readonly reports: AgentReports;
  readonly store: WindowStore;
  readonly told: Pick<ToldNodes, 'record' | 'heard'>;
  readonly metrics: IngestMetrics;
  readonly now: () => number;
}

export type Endpoint = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/** Bodies held inflated at the same time: one can be 48 MiB of JSON, several times that once parsed. */
const MAX_INFLATED = 2;
/** Of bodies as they come, together. Whoever is slow to send one takes room from nobody: a thousand of twenty pods' fit. */
const MAX_COMPRESSED_BYTES = 32 * 1024 * 1024;
const LEAST_BYTES = 16 * 1024; // what one counts for at least, so that their number is bounded, too
const MAX_WAITING = 1_024;
/** An agent waits for 30 s and then sends again what has been stored by then: so many would send twice that nobody's turn comes any more. */
const LONGEST_WAIT_MS = 10_000;

export function batchesEndpoint(options: BatchesOptions): Endpoint {
  const coming = turnstile(MAX_COMPRESSED_BYTES, MAX_WAITING);
  const inflated = turnstile(MAX_INFLATED, Number.POSITIVE_INFINITY); // no more than have come
  const wait = expectedWait(MAX_INFLATED);
  const pushing = new Set<string>(); // nodes, of which each sends one batch at a time
  const take = async (request: IncomingMessage, tokenNode: string): Promise<BatchReceipt> => {
    if (wait.ofNextMs(inflated.waiting) > LONGEST_WAIT_MS) {
      throw busy(
        `${inflated.waiting} batches are waiting, for longer than an agent waits; send this one later`,
        5,
      );
    }
    const leave = await coming.enter(sizeOf(request));
    if (leave === undefined) throw busy(`${coming.waiting} batches are waiting; send this one later`, 5);
    try {
      const body = await readBody(request);
      const done = await inflated.enter(1);
      const beganMs = performance.now();
      try {
        const batch = parseBatch(await inflatedBody(body));
        assertSameNode(tokenNode, batch.node);
        const future = refusalOfFuture(batch, options.now());
        if (future !== undefined) {
          options.told.heard(batch.node);
          throw future;
        }
        const receipt = accept(options, batch);
        options.told.record(batch, believedStore(request));
        return receipt;
      } finally {
        wait.served(performance.now() - beganMs);
        setImmediate(() => done?.()); // a long queue must not keep the loop from its timers and sockets
      }
    } finally {
      leave();
    }
  };
  return async (request, response) => {
    assertBatchHeaders(request);
    const tokenNode = await options.authenticator.agentNode(request);
    if (pushing.has(tokenNode)) throw busy(`a batch of node ${tokenNode} is being taken already`, 1);
    pushing.add(tokenNode);
    try {
      sendJson(response, 200, await take(request, tokenNode));
    } finally {
      pushing.delete(tokenNode);
    }
  };
}

function sizeOf({ headers }: IncomingMessage): number {
  const said = Number(headers['content-length'] ?? MAX_BATCH_GZIP_BYTES);
  return Math.min(MAX_BATCH_GZIP_BYTES, Math.max(LEAST_BYTES, said));
}

const busy = (sentence: string, seconds: number): Refusal =>
  new Refusal(503, 'INGEST_BUSY', sentence, { headers: { 'retry-after': String(seconds) } });

function accept(options: BatchesOptions, batch: ReadBatch): BatchReceipt {
  const { homes, metrics, reports, store } = options;
  const beganMs = performance.now();
  const known = batch.pods.filter((pod) => podBelongsTo(homes, pod.podUid, batch.node));
  const ours = { ...batch, pods: known };
  const added = stored(store, ours);
  reports.record(ours, options.now());
  metrics.batch(added.isNew ? 'stored' : 'duplicate', (performance.now() - beganMs) / 1_000);
  metrics.windows('stored', added.windowsStored);
  metrics.windows('leftOut', added.windowsLeftOut);
  metrics.windows('unknownPod', batch.pods.length - known.length);
  return { accepted: true, store: store.storeId() };
}

function believedStore({ headers }: IncomingMessage): string | undefined {
  const said = headers[STORE_HEADER];
  return Array.isArray(said) ? said[0] : said;
}

/** A pod this controller never saw is left out and counted, so that the rest of the node goes on. */
function podBelongsTo(homes: PodHomes, podUid: string, node: string): boolean {
  const home = homes.nodeOf(podUid);
  if (home === undefined || home === node) return home !== undefined;
  throw new Refusal(403, 'FOREIGN_POD', `pod ${podUid} runs on node ${home}, not on ${node}`);
}

function stored(store: WindowStore, batch: ReadBatch): ReturnType<WindowStore['addBatch']> {
  try {
    return store.addBatch(batch);
  } catch (cause) {
    if (!(cause instanceof StoreError)) throw cause;
    const sentence = `the batch could not be stored (${cause.code}); keep it and send it again`;
    throw new Refusal(503, 'STORE_UNAVAILABLE', sentence, { headers: { 'retry-after': '10' }, cause });
  }
}
