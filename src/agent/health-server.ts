import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Family } from './exposition.ts';
import { type ExpositionFormat, formatFor } from './exposition-format.ts';
import type { SamplerFailure } from './sampler-host.ts';

export interface HealthSources {
  metrics(): Iterable<Family>;
  /** False when the agent's loop stands still. */
  alive(): boolean;
  /** Why sampling does not work; undefined if it does. */
  failure(): SamplerFailure | undefined;
}

export interface HealthServer {
  readonly port: number;
  stop(): Promise<void>;
}

// An import of node:http evaluates its lazy exports, WebSocket with all of undici among them: 8 MB.
const { createServer } = process.getBuiltinModule('node:http');

/** Serves /healthz, /readyz and /metrics. */
export async function startHealthServer(port: number, sources: HealthSources): Promise<HealthServer> {
  const server = createServer((request, response) => {
    answer(request, sources, response);
  });
  server.maxConnections = 32;
  server.requestTimeout = 5_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, resolve);
  });
  const address = server.address() as AddressInfo | null; // a TCP server's address is no string
  return {
    port: address?.port ?? port,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function answer(request: IncomingMessage, sources: HealthSources, response: ServerResponse): void {
  const [path] = (request.url ?? '/').split('?');
  const failure = sources.failure();
  if (path === '/healthz') {
    reply(response, sources.alive() ? 200 : 503, sources.alive() ? 'ok\n' : 'the loop stands still\n');
  } else if (path === '/readyz') {
    reply(response, failure ? 503 : 200, failure ? `${failure.code}: ${failure.message}\n` : 'ok\n');
  } else if (path === '/metrics') {
    const format = formatFor(request.headers.accept);
    response.setHeader('content-type', format.contentType);
    send(format, sources.metrics(), response);
  } else {
    reply(response, 404, 'not found\n');
  }
}

const READ_WITHIN_MS = 30_000;

/** No faster than it is read: a page may be larger than what is to be kept in memory. */
function send(format: ExpositionFormat, families: Iterable<Family>, response: ServerResponse): void {
  const pieces = format.pieces(families)[Symbol.iterator]();
  response.setTimeout(READ_WITHIN_MS, () => response.destroy());
  const go = (): void => {
    while (!response.destroyed) {
      const piece = pieces.next();
      if (piece.done) {
        response.end();
        return;
      }
      if (!response.write(piece.value, format.encoding)) {
        response.once('drain', go);
        return;
      }
    }
  };
  go();
}

function reply(response: ServerResponse, status: number, text: string): void {
  response.statusCode = status;
  response.end(text);
}
