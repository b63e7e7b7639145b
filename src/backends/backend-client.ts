/**
 * Asks a backend of the install by HTTP. What it answers is foreign: it has so long, so many bytes, and one address; a redirection is
 * none of them, and nothing it says but a status gets into a sentence.
 */
import { readFile } from 'node:fs/promises';
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { join } from 'node:path';
import { BackendError } from './backend-error.ts';

/** From the settings of the install. */
export interface BackendAddress {
  readonly endpoint: string;
  /** X-Scope-OrgID of Mimir, Cortex, Loki and Pyroscope. */
  readonly tenant?: string;
  /** Names of files in the directory of credentials: a token, or "user:password". */
  readonly authorization?: { readonly kind: 'Bearer' | 'Basic'; readonly file: string };
  /** Name of a file there with the certificates that are trusted instead of the system's. */
  readonly ca?: string;
}

export interface BackendClientOptions {
  /** As people know it: "Prometheus". */
  readonly name: string;
  readonly credentialsDirectory: string;
  readonly timeoutMs?: number;
  readonly maxAnswerBytes?: number;
}

export interface BackendClient {
  /** How sentences call it: what it is, and where. */
  nameOf(address: BackendAddress): string;
  /** Posts a form to a path below the endpoint; text of JSON. Throws a BackendError. */
  post(address: BackendAddress, path: string, form: URLSearchParams): Promise<string>;
  close(): void;
}

const TIMEOUT_MS = 10_000;
/** Parsed in a tenth of a second, in which nothing else is done. */
const MAX_ANSWER_BYTES = 8 * 1024 * 1024;
/** At a time, for all gates; others wait their turn within their ten seconds. */
const MAX_CONNECTIONS = 4;

export function createBackendClient(options: BackendClientOptions): BackendClient {
  const { name, timeoutMs = TIMEOUT_MS, maxAnswerBytes = MAX_ANSWER_BYTES } = options;
  const limits = { keepAlive: true, maxSockets: MAX_CONNECTIONS, maxFreeSockets: MAX_CONNECTIONS };
  const plain = new HttpAgent(limits);
  let secured: { readonly ca: string | undefined; readonly agent: HttpsAgent } | undefined;
  const securedWith = (ca: string | undefined): HttpsAgent => {
    if (secured?.ca !== ca) secured?.agent.destroy();
    if (secured === undefined || secured.ca !== ca) {
      secured = { ca, agent: new HttpsAgent({ ...limits, ...(ca === undefined ? {} : { ca }) }) };
    }
    return secured.agent;
  };
  const nameOf = ({ endpoint }: BackendAddress): string => `${name} at ${new URL(endpoint).host}`;
  return {
    nameOf,
    async post(address, path, form) {
      const who = nameOf(address);
      const fail: Fail = (code, what, cause) => new BackendError(code, `${who} ${what}`, cause);
      const { headers, ca } = await credentialsOf(address, options.credentialsDirectory, fail);
      const url = new URL(path, address.endpoint.replace(/\/?$/, '/'));
      const isSecure = url.protocol === 'https:';
      const signal = AbortSignal.timeout(timeoutMs);
      const body = form.toString();
      const send = isSecure ? httpsRequest : httpRequest;
      try {
        const outgoing = send(url, {
          ...{ method: 'POST', signal, agent: isSecure ? securedWith(ca) : plain },
          headers: {
            ...headers,
            ...{ accept: 'application/json', 'accept-encoding': 'identity' },
            'content-type': 'application/x-www-form-urlencoded',
            'content-length': Buffer.byteLength(body),
          },
        });
        const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
        outgoing.once('response', resolve);
        outgoing.once('error', reject);
        outgoing.end(body);
        return await answerOf(await promise, maxAnswerBytes, fail);
      } catch (cause) {
        if (cause instanceof BackendError) throw cause;
        if (signal.aborted)
          throw fail('BACKEND_TIMEOUT', `did not answer within ${timeoutMs / 1_000} s`, cause);
        throw fail('BACKEND_UNREACHABLE', `cannot be asked (${codeOf(cause)})`, cause);
      }
    },
    close() {
      plain.destroy();
      secured?.agent.destroy();
    },
  };
}

type Fail = (code: BackendError['code'], what: string, cause?: unknown) => BackendError;

async function answerOf(incoming: IncomingMessage, maxBytes: number, fail: Fail): Promise<string> {
  try {
    const status = incoming.statusCode ?? 0;
    if (status >= 300 && status < 400) {
      throw fail('BACKEND_REDIRECTED', `answers with a redirection (${status}), which is not followed`);
    }
    if (status >= 500) throw fail('BACKEND_FAILED', `answers with status ${status}`);
    if (status !== 200) throw fail('BACKEND_REFUSED', `refuses the question (${status})`);
    const encoding = incoming.headers['content-encoding'] ?? 'identity';
    if (encoding !== 'identity') throw fail('BACKEND_ANSWER_INVALID', 'packs an answer that was to be plain');
    const pieces: Buffer[] = [];
    let bytes = 0;
    for await (const piece of incoming) {
      if (!Buffer.isBuffer(piece)) continue;
      bytes += piece.length;
      if (bytes > maxBytes) throw fail('BACKEND_TOO_LARGE', `answers with more than ${maxBytes} bytes`);
      pieces.push(piece);
    }
    if (!incoming.complete) throw fail('BACKEND_ANSWER_INVALID', 'ends an answer early');
    return Buffer.concat(pieces).toString('utf8');
  } catch (error) {
    incoming.destroy(); // what is left of it is not wanted
    throw error;
  }
}

interface Credentials {
  readonly headers: Readonly<Record<string, string>>;
  readonly ca: string | undefined;
}

/** Read anew each time: they are rotated under us. */
async function credentialsOf(address: BackendAddress, directory: string, fail: Fail): Promise<Credentials> {
  const { tenant, authorization, ca } = address;
  const read = async (file: string): Promise<string> => {
    try {
      return (await readFile(join(directory, file), 'utf8')).trim();
    } catch (cause) {
      const message = `has no readable file ${file} of credentials (${codeOf(cause)})`;
      throw fail('BACKEND_CREDENTIALS', message, cause);
    }
  };
  const secret = authorization && (await read(authorization.file));
  if (secret !== undefined && !/^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(secret)) {
    throw fail('BACKEND_CREDENTIALS', 'has credentials that are not one line of ASCII');
  }
  const value = authorization?.kind === 'Basic' ? Buffer.from(secret ?? '').toString('base64') : secret;
  return {
    headers: {
      ...(tenant === undefined ? {} : { 'x-scope-orgid': tenant }),
      ...(authorization === undefined ? {} : { authorization: `${authorization.kind} ${value ?? ''}` }),
    },
    ca: ca === undefined ? undefined : await read(ca),
  };
}

/** A word for what went wrong, of those that systems and TLS have for it; none of the other end's. */
function codeOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return /^[A-Z][A-Z0-9_]{1,47}$/.test(code) ? code : 'no connection';
}
