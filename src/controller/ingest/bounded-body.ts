/** A request's body as it came, read within a size and a time before anyone looks at it. */
import type { IncomingMessage } from 'node:http';
import { Refusal } from './refusal.ts';

export interface BodyBounds {
  readonly maxBytes: number;
  readonly longestMs: number;
  /** What is thrown for a body that broke off (400), came too late (408) or is too large (413). */
  readonly refusal: (status: 400 | 408 | 413, sentence: string, cause?: unknown) => Refusal;
}

export async function boundedBody(request: IncomingMessage, bounds: BodyBounds): Promise<Buffer> {
  const { longestMs, refusal } = bounds;
  const body = bytesOf(request, bounds);
  body.catch(() => undefined); // of one that comes too late nobody hears
  const late = Promise.withResolvers<never>();
  const sentence = `the body did not come within ${longestMs / 1_000} s; send it again`;
  const timer = setTimeout(() => late.reject(refusal(408, sentence)), longestMs);
  return Promise.race([body, late.promise]).finally(() => clearTimeout(timer));
}

async function bytesOf(request: IncomingMessage, { maxBytes, refusal }: BodyBounds): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of request) {
      if (!Buffer.isBuffer(chunk)) continue;
      bytes += chunk.length;
      if (bytes > maxBytes) throw refusal(413, `the body has more than ${maxBytes} bytes`);
      chunks.push(chunk);
    }
  } catch (cause) {
    if (cause instanceof Refusal) throw cause;
    throw refusal(400, `the connection ended after ${bytes} bytes of the body`, cause);
  }
  return Buffer.concat(chunks);
}
