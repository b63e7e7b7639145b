/** An answer of stored windows: gzipped lines, streamed no faster than they are read. */
import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { constants, createGzip } from 'node:zlib';
import type { V1Pod } from '@kubernetes/client-node';
import { StoreError } from '../../store/store-error.ts';
import type { WindowStore } from '../../store/window-store.ts';
import type { AgentReports } from '../agent-reports.ts';
import { Refusal } from './refusal.ts';
import { type StreamedPod, windowStream } from './window-stream.ts';

export interface WindowSource {
  readonly store: WindowStore;
  readonly reports: AgentReports;
}

/** Of lines; what the encoder remembers is about as much again, in a heap of 160 MB. Six minutes of 20 busy pods fit. */
const MAX_BYTES = 16 * 1024 * 1024;
const MAX_ANSWER_MS = 120_000; // twice what a recorder waits; whoever reads slower keeps others out
const HEADERS = {
  'content-type': 'application/x-ndjson',
  'content-encoding': 'gzip',
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
};

export const streamedPod = ({ metadata, spec }: V1Pod, namespace: string): StreamedPod => ({
  namespace,
  name: metadata?.name ?? '',
  uid: metadata?.uid ?? '',
  node: spec?.nodeName ?? '',
});

/** What goes wrong after the first byte cuts the answer: then its end is missing. */
export async function answerWindows(
  { store, reports }: WindowSource,
  asked: { readonly pods: readonly StreamedPod[]; readonly fromMs: number },
  response: ServerResponse,
): Promise<void> {
  const lines = windowStream({ store, reports, ...asked, maxBytes: MAX_BYTES });
  response.writeHead(200, HEADERS);
  const gzip = createGzip({ level: constants.Z_BEST_SPEED }); // the reader is near, the controller's CPU is not spare
  try {
    const signal = AbortSignal.timeout(MAX_ANSWER_MS);
    await pipeline(Readable.from(lines, { objectMode: true }), gzip, response, { signal });
  } catch (cause) {
    if (cause instanceof Refusal) throw cause;
    if (cause instanceof StoreError) {
      throw new Refusal(503, 'STORE_UNAVAILABLE', `the windows could not be read (${cause.code})`, { cause });
    }
    if (!readerIsGone(cause)) throw cause;
    throw new Refusal(503, 'WINDOWS_INTERRUPTED', 'the reader went away or took too long', { cause });
  }
}

const GONE = new Set([
  ...['ERR_STREAM_PREMATURE_CLOSE', 'ABORT_ERR', 'ECONNRESET', 'EPIPE'],
  'ERR_STREAM_UNABLE_TO_PIPE', // before the first byte
]);

const readerIsGone = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' && GONE.has(error.code);
