/** A POST whose body begins and goes no further, and what becomes of it. */
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';

/** What `read` throws for a body of which no more than `start` comes. */
export async function thrownForCrawl(
  t: TestContext,
  read: (request: IncomingMessage) => Promise<unknown>,
  { start, headers = {} }: { readonly start: Uint8Array; readonly headers?: Record<string, string> },
): Promise<unknown> {
  const { promise: refused, resolve } = Promise.withResolvers<unknown>();
  const server = createServer((request, response) => {
    read(request).catch((error: unknown) => {
      resolve(error);
      response.writeHead(408, { connection: 'close' }).end();
    });
  });
  await once(server.listen(0), 'listening');
  t.after(() => server.closeAllConnections());
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const crawling = fetch(`http://localhost:${port}`, {
    ...{ method: 'POST', duplex: 'half', headers },
    body: new ReadableStream({ start: (controller) => controller.enqueue(start) }),
  });
  crawling.catch(() => undefined);
  return refused;
}
