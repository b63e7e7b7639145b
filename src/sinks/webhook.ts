/**
 * Signed messages, as Standard Webhooks has them (https://www.standardwebhooks.com, spec 1.0.0): HMAC-SHA256 over id, time and body, so that who
 * gets one knows that it is ours, whole and of now; libraries in a dozen languages check it. The body is a CloudEvent in structured mode.
 */
import { createHmac } from 'node:crypto';
import type { SinkAddress } from '../wire/sinks.ts';
import type { Answer } from './delivery.ts';
import { postToSink, readSecret } from './post-to-sink.ts';

export interface WebhookMessage {
  /** The same for the same message whenever it is sent: who gets it twice may know. */
  readonly id: string;
  /** What happened: `dev.flamegate.gate.failed`. */
  readonly type: string;
  readonly subject: string;
  readonly timeMs: number;
  readonly data: Readonly<Record<string, unknown>>;
}

export interface WebhookOptions {
  readonly address: SinkAddress;
  readonly credentialsDirectory: string;
  /** A file there: `whsec_` and base64; two of them, with a space between, while one replaces the other. */
  readonly signingKey: string;
  readonly now: () => number;
}

export const WEBHOOK_LIMITS = {
  mostQueued: 256,
  mostQueuedBytes: 2 * 1024 * 1024,
  mostAtOnce: 1, // each is signed
  mostBytesAtOnce: 1,
  worthMs: 60 * 60_000,
} as const;

const SOURCE = 'https://flamegate.dev/controller';
const SHORTEST_KEY = 24; // by the specification, in bytes
const MOST_KEYS = 4;

export async function sendWebhook(
  { address, credentialsDirectory, signingKey, now }: WebhookOptions,
  message: WebhookMessage,
  signal: AbortSignal,
): Promise<Answer> {
  const keys = await keysOf(credentialsDirectory, signingKey);
  if (keys === undefined) return { kind: 'later', reason: 'SigningKeyUnreadable' };
  const body = bodyOf(message);
  const timestamp = String(Math.floor(now() / 1_000));
  const signatures = keys.map((key) => signatureOf(key, `${message.id}.${timestamp}.${body}`));
  const headers = {
    'content-type': 'application/cloudevents+json',
    'webhook-id': message.id,
    'webhook-timestamp': timestamp,
    'webhook-signature': signatures.join(' '),
  };
  return postToSink({ address, credentialsDirectory, path: '', headers, body }, signal);
}

export const webhookBytes = (message: WebhookMessage): number => Buffer.byteLength(bodyOf(message));

const bodyOf = ({ id, type, subject, timeMs, data }: WebhookMessage): string =>
  JSON.stringify({
    ...{ specversion: '1.0', id, source: SOURCE, type, subject, time: new Date(timeMs).toISOString() },
    ...{ datacontenttype: 'application/json', data },
  });

const signatureOf = (key: Buffer, signed: string): string =>
  `v1,${createHmac('sha256', key).update(signed).digest('base64')}`;

async function keysOf(directory: string, file: string): Promise<readonly Buffer[] | undefined> {
  try {
    const words = (await readSecret(directory, file)).split(/ +/).slice(0, MOST_KEYS);
    const keys = words.map((word) => {
      const text = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(word)?.[1] ?? '';
      return Buffer.from(text, 'base64');
    });
    return keys.every((key) => key.length >= SHORTEST_KEY) ? keys : undefined;
  } catch {
    return undefined; // it may come: a Secret is mounted when it is made
  }
}
