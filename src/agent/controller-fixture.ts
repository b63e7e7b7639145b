/** For tests: the other end of the wire, a TLS server with a CA of its own. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { gunzipSync } from 'node:zlib';
import type { Assignment } from '../wire/assignment.ts';
import type { Batch } from '../wire/batch-schema.ts';
import { ASSIGNMENT_PATH, BATCHES_PATH } from '../wire/endpoints.ts';
import { aDirectory, eventually } from './jvm-fixture.ts';

export interface FixtureController {
  readonly url: URL;
  readonly caFile: string;
  readonly tokenFile: string;
  /** What was pushed and taken. */
  readonly batches: Batch[];
  /** Authorization headers seen. */
  readonly tokens: Set<string | undefined>;
  /** Requests so far, by "method path". */
  readonly asked: Map<string, number>;
  readonly connections: { opened: number };
  assignment: Assignment | undefined;
  store: string;
  /** Answers to the next pushes, before any is taken. */
  readonly refusals: { status: number; code: string }[];
}

export async function aController(t: TestContext): Promise<FixtureController> {
  const directory = aDirectory(t);
  certificates(directory);
  const controller: Omit<FixtureController, 'url'> = {
    caFile: `${directory}/ca.crt`,
    tokenFile: `${directory}/token`,
    batches: [],
    tokens: new Set(),
    asked: new Map(),
    connections: { opened: 0 },
    assignment: undefined,
    store: 'store-of-the-test',
    refusals: [],
  };
  const keys = {
    key: readFileSync(`${directory}/server.key`),
    cert: readFileSync(`${directory}/server.crt`),
  };
  const server = createServer(keys, (request, response) => {
    const path = (request.url ?? '').split('?')[0] ?? '';
    const asked = `${request.method} ${path}`;
    controller.asked.set(asked, (controller.asked.get(asked) ?? 0) + 1);
    controller.tokens.add(request.headers.authorization);
    if (path === ASSIGNMENT_PATH) assign(controller, request, response);
    else if (path === BATCHES_PATH) void take(controller, request, response);
    else response.writeHead(404).end();
  });
  server.on('secureConnection', () => controller.connections.opened++);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return Object.assign(controller, { url: new URL(`https://localhost:${port}`) });
}

/** One that begins after now: pushes are seconds late, what arrives first is of before. */
export async function aLaterWindow({ batches }: FixtureController): Promise<void> {
  const nowMs = Date.now();
  await eventually('a window that began later', () => (batches.at(-1)?.startMs ?? 0) >= nowMs);
}

function assign(
  controller: Omit<FixtureController, 'url'>,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const { assignment } = controller;
  if (!assignment) {
    response
      .writeHead(503, { 'content-type': 'application/json' })
      .end('{"code":"NOT_READY","message":"not yet"}');
  } else if (request.headers['if-none-match'] === `"${assignment.version}"`) {
    setTimeout(() => response.writeHead(304).end(), 500);
  } else {
    response.setHeader('etag', `"${assignment.version}"`);
    response.end(JSON.stringify(assignment));
  }
}

async function take(
  controller: Omit<FixtureController, 'url'>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of request) if (Buffer.isBuffer(chunk)) chunks.push(chunk);
  } catch {
    return; // whoever pushed was killed meanwhile, and nobody waits for an answer
  }
  const refusal = controller.refusals.shift();
  if (refusal) {
    response.writeHead(refusal.status, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ code: refusal.code, message: 'said the test' }));
    return;
  }
  const batch: Batch = JSON.parse(gunzipSync(Buffer.concat(chunks)).toString());
  controller.batches.push(batch);
  response.end(JSON.stringify({ accepted: true, store: controller.store }));
}

/** Makes ca.crt, server.crt, server.key and token in a directory, for a server called localhost. */
export function certificates(directory: string): void {
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: directory, stdio: 'ignore' });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  writeFileSync(`${directory}/token`, 'the-token\n');
  writeFileSync(`${directory}/names`, 'subjectAltName=DNS:localhost\n');
  openssl(
    'req',
    '-x509',
    ...key,
    '-keyout',
    'ca.key',
    '-out',
    'ca.crt',
    '-subj',
    '/CN=test ca',
    '-days',
    '2',
  );
  openssl('req', ...key, '-keyout', 'server.key', '-out', 'server.csr', '-subj', '/CN=localhost');
  const signer = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-extfile', 'names', '-days', '2'];
  openssl('x509', '-req', '-in', 'server.csr', ...signer, '-out', 'server.crt');
}
