/** A gzipped body, read and inflated within bounds before anyone looks at it. */
import type { IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { gunzip, gunzipSync } from 'node:zlib';
import { MAX_BATCH_GZIP_BYTES, MAX_BATCH_JSON_BYTES } from '../../wire/batch-schema.ts';
import { boundedBody } from './bounded-body.ts';
import { Refusal } from './refusal.ts';

const inflate = promisify(gunzip);

/** Throws a Refusal before anything of the body is read. */
export function assertBatchHeaders(request: IncomingMessage): void {
  const type = request.headers['content-type']?.split(';')[0]?.trim();
  if (type !== 'application/json' || request.headers['content-encoding'] !== 'gzip') {
    const sentence = `a batch is application/json with content-encoding gzip, not ${type ?? 'untyped'} with ${request.headers['content-encoding'] ?? 'none'}`;
    throw new Refusal(415, 'BATCH_ENCODING_UNSUPPORTED', sentence);
  }
  const length = Number(request.headers['content-length'] ?? 0);
  if (length > MAX_BATCH_GZIP_BYTES) throw tooLarge(`${length} bytes`, MAX_BATCH_GZIP_BYTES);
}

/** 4 MiB take a quarter of it on a link of 10 Mbit/s, most batches a thousandth. */
const LONGEST_BODY_MS = 15_000;

/** As it came, compressed. Throws a Refusal. */
export const readBody = (request: IncomingMessage, longestMs = LONGEST_BODY_MS): Promise<Buffer> =>
  boundedBody(request, {
    maxBytes: MAX_BATCH_GZIP_BYTES,
    longestMs,
    refusal: (status, sentence, cause) =>
      new Refusal(status, status === 413 ? 'BATCH_TOO_LARGE' : 'BATCH_INTERRUPTED', sentence, { cause }),
  });

/**
 * Most batches are inflated at once, in a millisecond. By zlib's threads each would wait for its turn three times more, and what is
 * taken would be bounded by how long a busy process lets wait, not by its processor.
 */
const AT_ONCE_GZIP_BYTES = 256 * 1024;
const AT_ONCE_JSON_BYTES = 4 * 1024 * 1024;
/** In one piece, as most are: of pieces of 16 KB, zlib's own, a third of the time goes into joining them. */
const CHUNK_BYTES = 512 * 1024;

/** The JSON of a gzipped body. Throws a Refusal. */
export async function inflatedBody(body: Buffer): Promise<Buffer> {
  const atOnce = body.length <= AT_ONCE_GZIP_BYTES ? inflatedAtOnce(body) : undefined;
  if (atOnce !== undefined) return atOnce;
  try {
    return await inflate(body, { maxOutputLength: MAX_BATCH_JSON_BYTES });
  } catch (cause) {
    throw isTooMuch(cause)
      ? tooLarge(`${body.length} bytes that inflate to more`, MAX_BATCH_JSON_BYTES)
      : notGzip(body, cause);
  }
}

/** Undefined: it is more than is inflated at once. */
function inflatedAtOnce(body: Buffer): Buffer | undefined {
  try {
    return gunzipSync(body, { maxOutputLength: AT_ONCE_JSON_BYTES, chunkSize: CHUNK_BYTES });
  } catch (cause) {
    if (isTooMuch(cause)) return undefined;
    throw notGzip(body, cause);
  }
}

const isTooMuch = (cause: unknown): boolean =>
  cause instanceof Error && 'code' in cause && cause.code === 'ERR_BUFFER_TOO_LARGE';

function notGzip(body: Buffer, cause: unknown): Refusal {
  const why = cause instanceof Error ? cause.message : String(cause);
  const sentence = `the ${body.length} bytes are not a whole gzip stream: ${why}`;
  return new Refusal(400, 'BATCH_GZIP_BROKEN', sentence, { cause });
}

const tooLarge = (size: string, limit: number): Refusal =>
  new Refusal(413, 'BATCH_TOO_LARGE', `the batch has ${size}; the limit is ${limit} bytes`);
