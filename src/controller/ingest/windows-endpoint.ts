/** GET of a namespace's stored windows by label, for `flamegate record`: streamed, for people with their own token. */
import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { constants, createGzip } from 'node:zlib';
import type { V1Pod } from '@kubernetes/client-node';
import { selects } from '../../kube/label-selector.ts';
import { StoreError } from '../../store/store-error.ts';
import type { WindowStore } from '../../store/window-store.ts';
import type { AgentReports } from '../agent-reports.ts';
import type { ClusterView } from '../cluster-view.ts';
import type { Authenticator } from './authenticate.ts';
import type { Endpoint } from './batches.ts';
import { Refusal } from './refusal.ts';
import { type StreamedPod, windowStream } from './window-stream.ts';
import { parseWindowsQuery } from './windows-query.ts';

export interface WindowsOptions {
  readonly authenticator: Authenticator;
  readonly view: ClusterView;
  readonly store: WindowStore;
  readonly reports: AgentReports;
}

export const WINDOWS_PATTERN = /^\/windows\/v1\/([a-z0-9-]{1,63})$/;

const MAX_PODS = 200; // an hour of them is 72,000 windows
/** Of lines; what the encoder remembers is about as much again, in a heap of 160 MB. Six minutes of 20 busy pods fit. */
const MAX_BYTES = 16 * 1024 * 1024;
const MAX_AT_ONCE = 2;
const MAX_ANSWER_MS = 120_000; // twice what a recorder waits; whoever reads slower keeps others out
const HEADERS = {
  'content-type': 'application/x-ndjson',
  'content-encoding': 'gzip',
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
};

export function windowsEndpoint(options: WindowsOptions): Endpoint {
  let running = 0;
  return async (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'https://localhost');
    const [, namespace = ''] = WINDOWS_PATTERN.exec(pathname) ?? [];
    await options.authenticator.viewer(request, namespace);
    const { selector, fromMs } = parseWindowsQuery(searchParams);
    const pods = options.view.pods(namespace).filter(({ metadata }) => selects(selector, metadata?.labels));
    assertFewEnough(pods.length, running);
    running += 1;
    try {
      const { store, reports } = options;
      const streamed = pods.map((pod) => streamedPod(pod, namespace));
      await stream(windowStream({ store, reports, pods: streamed, fromMs, maxBytes: MAX_BYTES }), response);
    } finally {
      running -= 1;
    }
  };
}

function assertFewEnough(pods: number, running: number): void {
  if (pods > MAX_PODS) {
    const sentence = `the selector finds ${pods} pods, at most ${MAX_PODS} are answered at once`;
    throw new Refusal(413, 'WINDOWS_TOO_MANY', sentence);
  }
  if (running >= MAX_AT_ONCE) {
    const headers = { 'retry-after': '10' };
    throw new Refusal(503, 'WINDOWS_BUSY', `${running} recorders are being answered; ask again`, { headers });
  }
}

const streamedPod = ({ metadata, spec }: V1Pod, namespace: string): StreamedPod => ({
  namespace,
  name: metadata?.name ?? '',
  uid: metadata?.uid ?? '',
  node: spec?.nodeName ?? '',
});

/** Reads no faster than the caller does. What goes wrong after the first byte cuts the answer: then its end is missing. */
async function stream(lines: AsyncGenerator<string>, response: ServerResponse): Promise<void> {
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
