/** What Flagger sends to a webhook, as far as it is read: which Canary asks. Everybody may have sent it. */
import type { IncomingMessage } from 'node:http';
import { boundedBody } from './bounded-body.ts';
import { Refusal } from './refusal.ts';

export interface AskingCanary {
  readonly namespace: string;
  readonly name: string;
}

/** A hundred times what Flagger sends without `metadata`, which is its user's and is not read. */
export const MAX_PAYLOAD_BYTES = 16 * 1024;
/** Half of what Flagger waits for an answer where its user says nothing (pkg/controller/webhook.go, 1.44.0: 10s). */
const LONGEST_MS = 5_000;

/** Throws Refusal 400, 408, 413 and 415. */
export async function readPayload(request: IncomingMessage, longestMs = LONGEST_MS): Promise<AskingCanary> {
  assertHeaders(request);
  const body = await boundedBody(request, { maxBytes: MAX_PAYLOAD_BYTES, longestMs, refusal: invalid });
  return parsePayload(body.toString('utf8'));
}

function assertHeaders({ headers }: IncomingMessage): void {
  const type = headers['content-type']?.split(';')[0]?.trim().toLowerCase();
  if (type !== 'application/json' || headers['content-encoding'] !== undefined) {
    throw invalid(415, 'send application/json as it is, without a content-encoding');
  }
  if (Number(headers['content-length'] ?? 0) > MAX_PAYLOAD_BYTES) {
    throw invalid(413, `the body has more than ${MAX_PAYLOAD_BYTES} bytes`);
  }
}

const NAMESPACE = /^[a-z0-9-]{1,63}$/;
const NAME = /^[a-z0-9.-]{1,253}$/;

/** Throws Refusal 400. */
export function parsePayload(text: string): AskingCanary {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw invalid(400, 'the body is no JSON', cause);
  }
  const fields: Readonly<Record<string, unknown>> =
    typeof json === 'object' && json !== null ? { ...json } : {};
  const { namespace, name } = fields;
  if (typeof namespace === 'string' && typeof name === 'string') {
    if (NAMESPACE.test(namespace) && NAME.test(name)) return { namespace, name };
  }
  throw invalid(400, 'the body has no name and namespace of a Canary');
}

const invalid = (status: number, sentence: string, cause?: unknown): Refusal =>
  new Refusal(status, 'WEBHOOK_INVALID', sentence, { cause });
