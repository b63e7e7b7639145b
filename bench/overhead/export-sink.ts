/** The other end of an agent that posts: takes everything, keeps nothing, counts it. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Exported {
  readonly posts: number;
  readonly bytes: number;
}

export interface ExportSink {
  readonly url: string;
  /** By path, without the query. */
  readonly exported: ReadonlyMap<string, Exported>;
  stop(): Promise<void>;
}

const MAX_PATHS = 64; // OTLP has three, Pyroscope one

/** OTLP over HTTP takes an empty answer for an empty message; Pyroscope's agent looks at the status only. */
export async function startExportSink(): Promise<ExportSink> {
  const exported = new Map<string, Exported>();
  const server = createServer((request, response) => {
    const path = (request.url ?? '').split('?')[0] ?? '';
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
    });
    request.on('end', () => {
      const before = exported.get(path) ?? { posts: 0, bytes: 0 };
      if (exported.has(path) || exported.size < MAX_PATHS) {
        exported.set(path, { posts: before.posts + 1, bytes: before.bytes + bytes });
      }
      response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    exported,
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
