import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';
import type { SamplerFailure } from './sampler-host.ts';

export interface HealthSources {
  readonly registry: Registry;
  /** False when the agent's loop stands still. */
  alive(): boolean;
  /** Why sampling does not work; undefined if it does. */
  failure(): SamplerFailure | undefined;
}

export interface HealthServer {
  readonly port: number;
  stop(): Promise<void>;
}

/** Serves /healthz, /readyz and /metrics. */
export async function startHealthServer(port: number, sources: HealthSources): Promise<HealthServer> {
  const server = createServer((request, response) => {
    void answer(request.url ?? '/', sources, response);
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

async function answer(url: string, sources: HealthSources, response: ServerResponse): Promise<void> {
  const [path] = url.split('?');
  const failure = sources.failure();
  if (path === '/healthz') {
    reply(response, sources.alive() ? 200 : 503, sources.alive() ? 'ok\n' : 'the loop stands still\n');
  } else if (path === '/readyz') {
    reply(response, failure ? 503 : 200, failure ? `${failure.code}: ${failure.message}\n` : 'ok\n');
  } else if (path === '/metrics') {
    response.setHeader('content-type', sources.registry.contentType);
    reply(response, 200, await sources.registry.metrics());
  } else {
    reply(response, 404, 'not found\n');
  }
}

function reply(response: ServerResponse, status: number, text: string): void {
  response.statusCode = status;
  response.end(text);
}
