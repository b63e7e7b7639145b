/** Every no of the HTTPS API: a status, a stable code and a sentence; docs/errors.md lists the codes. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ErrorBody } from '../../wire/endpoints.ts';

export type RefusalCode =
  | 'NOT_FOUND'
  | 'METHOD_NOT_ALLOWED'
  | 'NOT_LEADER'
  | 'NOT_READY'
  | 'INGEST_BUSY'
  | 'TOKEN_MISSING'
  | 'TOKEN_REJECTED'
  | 'TOKEN_REVIEW_FAILED'
  | 'TOO_MANY_REQUESTS'
  | 'FOREIGN_NODE'
  | 'FOREIGN_POD'
  | 'VIEWER_NOT_ALLOWED'
  | 'BATCH_ENCODING_UNSUPPORTED'
  | 'BATCH_TOO_LARGE'
  | 'BATCH_GZIP_BROKEN'
  | 'BATCH_NOT_JSON'
  | 'BATCH_VERSION_UNSUPPORTED'
  | 'BATCH_INVALID'
  | 'BATCH_INCONSISTENT'
  | 'BATCH_TIME_WRONG'
  | 'BATCH_TIME_AHEAD'
  | 'BATCH_INTERRUPTED'
  | 'STORE_UNAVAILABLE'
  | 'ASSIGNMENT_QUERY_INVALID'
  | 'REPORT_NOT_FOUND'
  | 'REPORT_DATA_GONE'
  | 'WINDOWS_QUERY_INVALID'
  | 'REPORT_QUERY_INVALID'
  | 'WINDOWS_TOO_MANY'
  | 'WINDOWS_BUSY'
  | 'POD_NOT_FOUND'
  | 'POD_NOT_PROFILED'
  | 'POD_NOT_RUNNING'
  | 'WINDOWS_INTERRUPTED'
  | 'GATE_NOT_FOUND'
  | 'VERDICT_QUERY_INVALID'
  | 'VERDICT_BUSY'
  | 'WEBHOOK_INVALID'
  | 'WEBHOOK_BUSY'
  | 'CANARY_UNREADABLE'
  | 'INTERNAL';

export class Refusal extends Error {
  readonly status: number;
  readonly code: RefusalCode;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    code: RefusalCode,
    sentence: string,
    more: { readonly headers?: Readonly<Record<string, string>>; readonly cause?: unknown } = {},
  ) {
    super(sentence, { cause: more.cause });
    this.name = 'Refusal';
    this.status = status;
    this.code = code;
    this.headers = more.headers ?? {};
  }
}

export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  send(response, { status, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export function send(response: ServerResponse, answer: Answer): void {
  if (response.headersSent || response.destroyed) return;
  response.writeHead(answer.status, {
    ...answer.headers,
    'content-length': String(Buffer.byteLength(answer.body)),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  response.end(answer.body);
}

/**
 * Closes the connection too. What the caller is still sending is first read and thrown away, for a moment: closing
 * over unread bytes resets the connection, and the caller would never see why it was refused.
 */
export async function sendRefusal(
  request: IncomingMessage,
  response: ServerResponse,
  refusal: Refusal,
): Promise<void> {
  await discardBody(request);
  const body: ErrorBody = { code: refusal.code, message: refusal.message };
  const headers = { ...refusal.headers, 'content-type': 'application/json', connection: 'close' };
  send(response, { status: refusal.status, headers, body: JSON.stringify(body) });
}

const DISCARD_MS = 1_000;
const DISCARD_BYTES = 8 * 1024 * 1024;

function discardBody(request: IncomingMessage): Promise<void> {
  if (request.complete || request.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    let bytes = 0;
    const timer = setTimeout(resolve, DISCARD_MS);
    const done = (): void => {
      clearTimeout(timer);
      resolve();
    };
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > DISCARD_BYTES) done();
    });
    for (const event of ['end', 'close', 'error']) request.on(event, done);
  });
}
