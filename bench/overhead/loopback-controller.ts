/** The agent's controller for the bench: the same wire and the same long poll, on loopback, without a cluster. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { certificates } from '../../src/agent/controller-fixture.ts';
import { type Assignment, parseAssignment } from '../../src/wire/assignment.ts';
import type { Batch } from '../../src/wire/batch-schema.ts';
import { ASSIGNMENT_PATH, BATCHES_PATH } from '../../src/wire/endpoints.ts';

export interface LoopbackController {
  readonly url: string;
  readonly caFile: string;
  readonly tokenFile: string;
  /** What the agent is to watch from now on; no container: nothing. The agent has it at once. */
  assign(frequencyHz: number, containerIds: readonly string[], live?: Assignment['live']): void;
  stop(): Promise<void>;
}

const HOLD_MS = 30_000; // what the agent asks for by Prefer: wait=30
const WINDOW_MS = 10_000; // the product's
const STORE = 'store-of-the-bench';

export async function startLoopbackController(
  directory: string,
  took: (batch: Batch) => void,
): Promise<LoopbackController> {
  certificates(directory);
  let assignment = assignmentOf(0, 1, []);
  const held = new Set<() => void>();
  const keys = {
    key: readFileSync(`${directory}/server.key`),
    cert: readFileSync(`${directory}/server.crt`),
  };
  const assign = (request: IncomingMessage, response: ServerResponse) => {
    const answer = () => {
      clearTimeout(timer);
      held.delete(answer);
      const isNew = request.headers['if-none-match'] !== `"${assignment.version}"`;
      response.writeHead(isNew ? 200 : 304, { etag: `"${assignment.version}"` });
      response.end(isNew ? JSON.stringify(assignment) : '');
    };
    const timer = setTimeout(answer, HOLD_MS);
    held.add(answer);
    if (request.headers['if-none-match'] !== `"${assignment.version}"`) answer();
  };
  const server = createServer(keys, (request, response) => {
    const path = (request.url ?? '').split('?')[0];
    if (path === ASSIGNMENT_PATH) assign(request, response);
    else if (path === BATCHES_PATH) void take(request, response, took);
    else response.writeHead(404).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    ...{ url: `https://localhost:${port}`, caFile: `${directory}/ca.crt`, tokenFile: `${directory}/token` },
    assign(frequencyHz, containerIds, live = []) {
      const version = Number(assignment.version) + 1;
      assignment = { ...assignmentOf(version, frequencyHz, containerIds), live };
      for (const answer of [...held]) answer();
    },
    async stop() {
      for (const answer of [...held]) answer();
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Gated, so that stacks are named and pushed, which is the most the agent ever does for a pod. */
function assignmentOf(version: number, frequencyHz: number, containerIds: readonly string[]): Assignment {
  const containers = containerIds.map((containerId) => {
    const pod = { namespace: 'bench', pod: 'orders', podUid: containerId, container: 'orders' };
    return { ...pod, containerId, startedAtMs: Date.now(), gated: true };
  });
  return parseAssignment({
    ...{ version: String(version), store: STORE, windowMs: WINDOW_MS, frequencyHz, containers },
  });
}

async function take(
  request: IncomingMessage,
  response: ServerResponse,
  took: (batch: Batch) => void,
): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) if (Buffer.isBuffer(chunk)) chunks.push(chunk);
  const batch: Batch = JSON.parse(gunzipSync(Buffer.concat(chunks)).toString());
  took(batch);
  response.end(JSON.stringify({ accepted: true, store: STORE }));
}
