/**
 * Posts to a sink of the install. Credentials are read anew each time, as they are rotated under us; nothing of them, and nothing of what the
 * other end says but its status, gets into a reason. A redirection is not followed: it would carry credentials elsewhere.
 */
import { readFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import type { SinkAddress } from '../wire/sinks.ts';
import type { Answer } from './delivery.ts';

export interface SinkPost {
  readonly address: SinkAddress;
  readonly credentialsDirectory: string;
  /** Below the endpoint; empty: the endpoint itself. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | string;
  readonly timeoutMs?: number;
  /** Whether an answer of 2xx says that it was not wanted after all. */
  readonly isRefusal?: (answer: Uint8Array) => boolean;
}

const TIMEOUT_MS = 10_000;
const MOST_ANSWER_BYTES = 64 * 1024;
/** Too many requests, and what gateways and servers say that will work again. */
const RETRIED = new Set([408, 425, 429, 500, 502, 503, 504]);
/** A token that is wrong may be right in a minute, when the Secret is: what waits is kept for it. */
const UNAUTHORIZED = new Set([401, 403]);

export async function postToSink(post: SinkPost, signal: AbortSignal): Promise<Answer> {
  const { address, path, body } = post;
  const credentials = await credentialsOf(address, post.credentialsDirectory);
  if (credentials === undefined) return { kind: 'later', reason: 'CredentialsUnreadable' };
  const url = path === '' ? new URL(address.endpoint) : new URL(path, address.endpoint.replace(/\/?$/, '/'));
  const http = process.getBuiltinModule(url.protocol === 'https:' ? 'node:https' : 'node:http');
  const timeout = AbortSignal.timeout(post.timeoutMs ?? TIMEOUT_MS);
  const { promise: answered, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  try {
    const outgoing = http.request(
      url,
      {
        method: 'POST',
        signal: AbortSignal.any([signal, timeout]),
        ...(credentials.ca === undefined ? {} : { ca: credentials.ca }),
        headers: {
          'user-agent': 'flamegate',
          ...post.headers,
          ...credentials.headers,
          'content-length': Buffer.byteLength(body),
        },
      },
      resolve,
    );
    outgoing.once('error', reject);
    outgoing.end(body);
    const incoming = await answered;
    const said = await bytesOf(incoming);
    const answer = answerOf(incoming);
    const isRefused = answer.kind === 'taken' && post.isRefusal?.(said) === true;
    return isRefused ? { kind: 'refused', reason: 'PartialSuccess' } : answer;
  } catch (error) {
    return { kind: 'later', reason: timeout.aborted ? 'Timeout' : `Unreachable:${codeOf(error)}` };
  }
}

function answerOf({ statusCode = 0, headers }: IncomingMessage): Answer {
  const reason = `HTTP${statusCode}`;
  if (statusCode >= 200 && statusCode < 300) return { kind: 'taken' };
  if (!RETRIED.has(statusCode) && !UNAUTHORIZED.has(statusCode)) return { kind: 'refused', reason };
  const afterMs = retryAfterMs(headers['retry-after']);
  return { kind: 'later', reason, ...(afterMs === undefined ? {} : { afterMs }) };
}

/** RFC 9110, 10.2.3: seconds, or a date. */
function retryAfterMs(header: string | undefined): number | undefined {
  if (header === undefined) return undefined;
  const ms = /^\d{1,9}$/.test(header) ? Number(header) * 1_000 : Date.parse(header) - Date.now();
  return ms >= 0 ? ms : undefined;
}

/** Read to its end, so that the connection can be used again; a longer answer costs it. */
async function bytesOf(incoming: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of incoming) {
    if (!Buffer.isBuffer(chunk)) continue;
    bytes += chunk.length;
    if (bytes > MOST_ANSWER_BYTES) break; // which destroys the stream
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

interface Credentials {
  readonly headers: Readonly<Record<string, string>>;
  readonly ca?: string;
}

async function credentialsOf(address: SinkAddress, directory: string): Promise<Credentials | undefined> {
  const { tenant, authorization, ca } = address;
  try {
    const secret = authorization && (await readSecret(directory, authorization.file));
    const trusted = ca === undefined ? undefined : await readFile(join(directory, ca), 'utf8');
    const value = authorization?.kind === 'Basic' ? Buffer.from(secret ?? '').toString('base64') : secret;
    return {
      headers: {
        ...(tenant === undefined ? {} : { 'x-scope-orgid': tenant }),
        ...(authorization === undefined ? {} : { authorization: `${authorization.kind} ${value ?? ''}` }),
      },
      ...(trusted === undefined ? {} : { ca: trusted }),
    };
  } catch {
    return undefined; // it may come: a Secret is mounted when it is made
  }
}

/** One line of ASCII, since it becomes a header. Throws otherwise; the error says nothing of it. */
export async function readSecret(directory: string, file: string): Promise<string> {
  const secret = (await readFile(join(directory, file), 'utf8')).trim();
  if (/^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(secret)) return secret;
  throw new Error(`the file ${file} of credentials is not one line of ASCII`);
}

/** A word for what went wrong, of those that systems and TLS have for it. */
function codeOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return /^[A-Z][A-Z0-9_]{1,47}$/.test(code) ? code : 'NoConnection';
}
