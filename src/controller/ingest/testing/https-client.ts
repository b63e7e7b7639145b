/** One HTTPS request as an agent would make it: trusting the published CA only. */
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http';
import { request } from 'node:https';
import { gzipSync } from 'node:zlib';
import { BATCHES_PATH } from '../../../wire/endpoints.ts';

export interface Call {
  readonly port: number;
  readonly ca: string;
  readonly method?: string;
  readonly path: string;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: Buffer;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly bytes: Buffer;
}

export function call({ port, ca, method = 'GET', path, headers = {}, body }: Call): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const outgoing = request(
    { host: 'localhost', port, ca, method, path, headers, agent: false, timeout: 20_000 },
    (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const bytes = Buffer.concat(chunks);
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text: bytes.toString('utf8'),
          bytes,
        });
      });
    },
  );
  outgoing.on('error', reject);
  outgoing.on('timeout', () => outgoing.destroy(new Error('no answer within 20 s')));
  outgoing.end(body);
  return promise;
}

export type Push = Omit<Call, 'path' | 'method'> & { readonly token: string };

export function push({ port, ca, headers, body, token }: Push): Promise<Answer> {
  const all = {
    'content-type': 'application/json',
    'content-encoding': 'gzip',
    authorization: `Bearer ${token}`,
    ...(body === undefined || headers?.['transfer-encoding'] === 'chunked'
      ? {}
      : { 'content-length': body.length }),
    ...headers,
  };
  return call({
    port,
    ca,
    method: 'POST',
    path: BATCHES_PATH,
    headers: all,
    ...(body === undefined ? {} : { body }),
  });
}

export const gzipped = (json: unknown): Buffer => gzipSync(JSON.stringify(json));
