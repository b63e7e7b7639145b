/**
 * The controller's pages for a browser on this machine. A browser has no token to show, so each page is asked for with the user's own.
 * Whoever else is on this machine, or has a page open in the same browser, has to be kept out: the first address has a key that
 * becomes a cookie of this site alone, and a request must name this host.
 */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ALL_GATES_PAGE_PATH, gatesPagePath } from '../wire/endpoints.ts';
import { CliError } from './cli-error.ts';
import type { ControllerConnection } from './controller-connection.ts';
import { reasonOf } from './files.ts';
import { visible } from './visible.ts';

export interface UiOptions {
  readonly controller: ControllerConnection;
  /** Whose gates are shown first; undefined: those of all that the user may read. */
  readonly namespace: string | undefined;
  /** 0: any that is free. */
  readonly port: number;
}

export interface UiServer {
  /** With the key: for this user only. */
  readonly url: string;
  stop(): Promise<void>;
}

const MAX_PAGE_BYTES = 64 * 1024 * 1024;
const PAGES =
  /^\/(?:gates\/v1(?:\/[a-z0-9-]{1,63})?|reports\/v1\/[a-z0-9-]{1,63}\/[a-z0-9.-]{1,253}\/(?:flamegraph|slow\/flamegraph))$/;
const COOKIE = 'flamegate-key';
const SAFE_HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy': "frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

/** Throws UI_PORT_UNAVAILABLE. */
export async function startUi({ controller, namespace, port }: UiOptions): Promise<UiServer> {
  const key = randomBytes(24).toString('base64url');
  const home = namespace === undefined ? ALL_GATES_PAGE_PATH : gatesPagePath(namespace);
  const server = createServer((request, response) => {
    void answer({ request, response }).catch((error: unknown) => refuse(response, 500, reasonOf(error)));
  });
  server.headersTimeout = 10_000;
  server.maxHeadersCount = 64;
  const answer = async ({ request, response }: Exchange): Promise<void> => {
    const { port: own } = server.address() as AddressInfo; // a server that answers has such an address
    const { pathname, search, searchParams } = new URL(request.url ?? '/', 'http://localhost');
    if (!isOwnHost(request, own)) return refuse(response, 403, 'this is no name of this server');
    if (request.method !== 'GET') return refuse(response, 405, 'pages are read only');
    if (pathname === '/' && isKey(searchParams.get('key'), key)) {
      const cookie = `${COOKIE}=${key}; HttpOnly; SameSite=Strict; Path=/`;
      return redirect(response, home, { 'set-cookie': cookie });
    }
    if (!isKey(cookieOf(request), key))
      return refuse(response, 403, 'open the address that `flamegate ui` printed');
    if (pathname === '/') return redirect(response, home, {});
    if (!PAGES.test(pathname)) return refuse(response, 404, 'there is no such page');
    const page = await controller.get(`${pathname}${search}`, MAX_PAGE_BYTES).catch(asFailure);
    if (page instanceof CliError) return refuse(response, 502, `${page.code}: ${page.message}`);
    response.writeHead(200, { ...SAFE_HEADERS, 'content-type': 'text/html; charset=utf-8' }).end(page);
  };
  await new Promise<void>((resolve, reject) => {
    const failed = (cause: Error) =>
      reject(
        new CliError(
          'UI_PORT_UNAVAILABLE',
          `cannot listen on port ${port} of 127.0.0.1: ${cause.message}`,
          cause,
        ),
      );
    server.once('error', failed);
    server.listen(port, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/?key=${key}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/** A name that somebody else's DNS leads here is not ours. */
const isOwnHost = ({ headers }: IncomingMessage, port: number): boolean =>
  headers.host === `127.0.0.1:${port}` || headers.host === `localhost:${port}`;

function isKey(shown: string | null | undefined, key: string): boolean {
  const [a, b] = [shown ?? '', key].map((text) => Buffer.from(text)) as [Buffer, Buffer];
  return a.length === b.length && timingSafeEqual(a, b);
}

const cookieOf = ({ headers }: IncomingMessage): string | undefined =>
  (headers.cookie ?? '')
    .split(';')
    .map((pair) => pair.trim().split('='))
    .find(([name]) => name === COOKIE)?.[1];

/** What is no failure of the controller is one of ours. */
function asFailure(error: unknown): CliError {
  if (error instanceof CliError) return error;
  throw error;
}

function redirect(
  response: ServerResponse,
  location: string,
  headers: Readonly<Record<string, string>>,
): void {
  response.writeHead(303, { ...SAFE_HEADERS, ...headers, location }).end();
}

function refuse(response: ServerResponse, status: number, why: string): void {
  if (response.headersSent) return void response.destroy();
  response
    .writeHead(status, { ...SAFE_HEADERS, 'content-type': 'text/plain; charset=utf-8' })
    .end(`${visible(why)}\n`);
}
