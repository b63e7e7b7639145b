/** HTTPS to the controller: the install's own CA, the agent's projected token, one kept connection per purpose. */
import { readFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { AgentError, codeOf, messageOf } from './agent-error.ts';

export interface ControllerAnswer {
  readonly status: number;
  readonly etag: string | undefined;
  /** The code of an ErrorBody, if the body is one. */
  readonly code: string | undefined;
  /** Parsed JSON; undefined without a body. */
  readonly body: unknown;
}

export interface ControllerRequest {
  readonly method: 'GET' | 'POST';
  /** Path and query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string | number>>;
  readonly timeoutMs: number;
  readonly content?: Readable;
}

export interface ControllerClient {
  /** Throws CONTROLLER_UNREACHABLE and CONTROLLER_ANSWER_INVALID; every HTTP status is an answer. */
  ask(asked: ControllerRequest, signal: AbortSignal): Promise<ControllerAnswer>;
  /** Drops the connections, so that the next request may meet another replica. */
  reconnect(): void;
  close(): void;
}

const MAX_ANSWER_BYTES = 1024 * 1024; // an assignment of 512 containers has about 200 KB

export function createControllerClient(options: {
  url: URL;
  caFile: string;
  tokenFile: string;
}): ControllerClient {
  let connections: Agent | undefined;
  let connectedCa = '';
  const reconnect = () => {
    connections?.destroy();
    connections = undefined;
  };
  /** CA and token are rotated under us; both are small. */
  const agentFor = (ca: string): Agent => {
    if (ca !== connectedCa) reconnect();
    connectedCa = ca;
    connections ??= new Agent({ ca, keepAlive: true, maxSockets: 2, maxFreeSockets: 2 });
    return connections;
  };
  return {
    async ask(asked, signal) {
      try {
        const [ca, token] = await Promise.all(
          [options.caFile, options.tokenFile].map((file) => readFile(file, 'utf8')),
        );
        const authorization = `Bearer ${(token ?? '').trim()}`;
        const url = new URL(asked.path, options.url);
        return await exchange({ url, agent: agentFor(ca ?? ''), authorization, asked, signal });
      } catch (cause) {
        if (cause instanceof AgentError) throw cause;
        const message = `${asked.method} ${asked.path}: ${codeOf(cause)}: ${messageOf(cause)}`;
        throw new AgentError('CONTROLLER_UNREACHABLE', message, { cause });
      }
    },
    reconnect,
    close: reconnect,
  };
}

interface Exchange {
  readonly url: URL;
  readonly agent: Agent;
  readonly authorization: string;
  readonly asked: ControllerRequest;
  readonly signal: AbortSignal;
}

async function exchange({ url, agent, authorization, asked, signal }: Exchange): Promise<ControllerAnswer> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(asked.timeoutMs)]);
  const headers = { ...asked.headers, authorization, accept: 'application/json' };
  const outgoing = request(url, { method: asked.method, agent, headers, signal: limit });
  const { promise: answered, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  outgoing.once('response', resolve);
  outgoing.once('error', reject);
  answered.catch(() => undefined); // awaited below, unless sending fails first
  if (asked.content) {
    // a server that refuses early answers and closes: its answer counts, not our broken pipe
    await pipeline(asked.content, outgoing).catch((error: unknown) => reject(error));
  } else {
    outgoing.end();
  }
  return readAnswer(await answered);
}

async function readAnswer(incoming: IncomingMessage): Promise<ControllerAnswer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of incoming) {
    if (!Buffer.isBuffer(chunk)) continue;
    bytes += chunk.length;
    if (bytes > MAX_ANSWER_BYTES)
      throw new AgentError('CONTROLLER_ANSWER_INVALID', 'the answer has over 1 MB');
    chunks.push(chunk);
  }
  const body = parsed(Buffer.concat(chunks).toString('utf8'), incoming.statusCode ?? 0);
  const code = isRecord(body) && typeof body['code'] === 'string' ? body['code'] : undefined;
  return { status: incoming.statusCode ?? 0, etag: incoming.headers.etag, code, body };
}

/** An error may come from something between us that knows no JSON. */
function parsed(text: string, status: number): unknown {
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch (cause) {
    if (status >= 400) return undefined;
    throw new AgentError('CONTROLLER_ANSWER_INVALID', 'the answer is not JSON', { cause });
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
