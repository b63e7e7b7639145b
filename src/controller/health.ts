/** /healthz, /readyz and /metrics over plain HTTP, for the kubelet and Prometheus. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';

export interface HealthOptions {
  readonly port: number;
  readonly registry: Registry;
  /** Why this process should be restarted; undefined while it should not. */
  readonly sick: () => string | undefined;
  /** Why it cannot do its work yet; undefined once it can. */
  readonly notReady: () => string | undefined;
}

export interface HealthServer {
  readonly port: number;
  stop(): Promise<void>;
}

export async function startHealthServer(options: HealthOptions): Promise<HealthServer> {
  const server = createServer((request, response) => {
    const answer = (status: number, body: string, type = 'text/plain; charset=utf-8'): void => {
      response.writeHead(status, { 'content-type': type }).end(body);
    };
    const verdict = (trouble: string | undefined): void =>
      trouble === undefined ? answer(200, 'ok\n') : answer(503, `${trouble}\n`);
    switch (request.url ?? '') {
      case '/healthz':
        return verdict(options.sick());
      case '/readyz':
        return verdict(options.notReady());
      case '/metrics':
        options.registry.metrics().then(
          (text) => answer(200, text, options.registry.contentType),
          (error: unknown) => answer(500, `METRICS_FAILED: ${String(error)}\n`),
        );
        return;
      default:
        return answer(404, 'there are /healthz, /readyz and /metrics here\n');
    }
  });
  server.headersTimeout = 5_000;
  server.requestTimeout = 10_000;
  server.maxConnections = 64; // kubelet and a few scrapers
  await listen(server, options.port);
  const { port } = server.address() as AddressInfo; // a listening TCP server has one
  return {
    port,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
