/** Random requests, whole and broken, as the bytes that go over a connection. Pure: a seed makes the same ones again. */
import { gzipSync } from 'node:zlib';

export interface Nonsense {
  /** In order; between two of them the connection rests for a moment. */
  readonly pieces: readonly Buffer[];
  /** Whether the sender goes away in the middle, without waiting for an answer. */
  readonly leaves: boolean;
}

export interface NonsenseOptions {
  readonly random: () => number;
  /** Paths that mean something. */
  readonly paths: readonly string[];
  /** Some that are good among them. */
  readonly tokens: readonly string[];
  /** Good bodies, of which broken ones are made. */
  readonly bodies: readonly Buffer[];
}

const METHODS = [
  'GET',
  'GET',
  'GET',
  'POST',
  'POST',
  'HEAD',
  'PUT',
  'DELETE',
  'OPTIONS',
  'PATCH',
  'TRACE',
  'BREW',
];
const ODD_PATHS = [
  '*',
  '//',
  '/%',
  '/%00',
  '/..%2f..',
  'https://[',
  '/?',
  '/#',
  '',
  '/\\',
  `/${'a'.repeat(9_000)}`,
];
const BITS = [
  '%2f',
  '%00',
  '..',
  '/',
  '\\',
  '?',
  '&',
  '=',
  '%',
  '%f0%9f',
  'arm=canary',
  'fromMs=1e9',
  'selector=a,b',
  ';',
];
const HEADERS = [
  'accept: application/openmetrics-text; version=1.0.0; q=0.9, */*;q=0.1',
  `accept: ${'application/vnd.google.protobuf;'.repeat(100)}`,
  'accept: ,;q=,;;q=9e9',
  'prefer: wait=1',
  'prefer: wait=99999999999',
  'if-none-match: "aaaa"',
  'if-none-match: W/"',
  'expect: 100-continue',
  'expect: nothing',
  'connection: upgrade\r\nupgrade: websocket',
  'transfer-encoding: gzip, chunked',
  'content-length: -1',
  'content-length: 99999999999999999999',
  'range: bytes=0-',
  'cookie: \x01\x7f',
  `x-long: ${'y'.repeat(20_000)}`,
];

export function nonsense(options: NonsenseOptions): Nonsense {
  const { random } = options;
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)] as T;
  const maybe = (share: number): boolean => random() < share;
  const body = maybe(0.6) ? broken(pick(options.bodies), random) : Buffer.alloc(0);
  const chunked = maybe(0.1);
  const path = pathOf(options, pick);
  const isWebhook = path.includes('flagger'); // as it is, which no batch may be
  const fitting = isWebhook || path.includes('batches') ? 'POST' : 'GET';
  const lines = [
    `${maybe(0.8) ? fitting : pick(METHODS)} ${path} HTTP/${maybe(0.98) ? '1.1' : pick(['1.0', '2.0', '9', ''])}`,
    ...(maybe(0.98) ? ['host: localhost'] : []),
    ...(maybe(0.9) ? [`authorization: ${maybe(0.95) ? 'Bearer ' : 'Basic '}${pick(options.tokens)}`] : []),
    ...(maybe(0.9) ? ['content-type: application/json'] : []),
    ...(maybe(isWebhook ? 0.1 : 0.9) ? ['content-encoding: gzip'] : []),
    ...(chunked ? ['transfer-encoding: chunked'] : []),
    ...(!chunked && body.length > 0 ? [`content-length: ${lengthOf(body, random)}`] : []),
    ...(maybe(0.3) ? [pick(HEADERS)] : []),
    ...(maybe(0.01) ? Array.from({ length: 200 }, (_, i) => `h${i}: v`) : []),
  ];
  const head = Buffer.from(`${lines.join(maybe(0.98) ? '\r\n' : '\n')}\r\n\r\n`, 'latin1');
  const whole = Buffer.concat([head, chunked ? chunkOf(body, random) : body]);
  const sent = maybe(0.05) ? whole.subarray(0, Math.floor(random() * whole.length)) : whole;
  return { pieces: inPieces(sent, maybe(0.2) ? 1 + Math.floor(random() * 4) : 1), leaves: maybe(0.05) };
}

function pathOf({ random, paths }: NonsenseOptions, pick: <T>(values: readonly T[]) => T): string {
  if (random() < 0.1) return pick(ODD_PATHS);
  const path = pick(paths);
  if (random() < 0.6) return path;
  const at = Math.floor(random() * path.length);
  return path.slice(0, at) + pick(BITS) + path.slice(at + Math.floor(random() * 3));
}

/** Mostly as it is, else with bytes turned, cut, one that inflates to far more than it is, or none of it at all. */
function broken(body: Buffer, random: () => number): Buffer {
  const how = random();
  if (how < 0.4) return body;
  if (how < 0.6) return body.subarray(0, Math.floor(random() * body.length));
  if (how < 0.62) return BOMB;
  if (how < 0.7) return gzipSync('['.repeat(Math.floor(random() * 100_000)));
  const bytes = Buffer.from(body);
  for (let i = 0; i < 4; i++) bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
  return bytes;
}

/** Beyond what a batch may inflate to. */
const BOMB = gzipSync(Buffer.alloc(64 * 1024 * 1024));

const lengthOf = (body: Buffer, random: () => number): number =>
  random() < 0.97 ? body.length : Math.floor(random() * 2 * body.length);

function chunkOf(body: Buffer, random: () => number): Buffer {
  const size = random() < 0.97 ? body.length.toString(16) : 'fffffffff';
  return Buffer.concat([Buffer.from(`${size}\r\n`), body, Buffer.from('\r\n0\r\n\r\n')]);
}

function inPieces(bytes: Buffer, count: number): readonly Buffer[] {
  const size = Math.max(1, Math.ceil(bytes.length / count));
  return Array.from({ length: count }, (_, i) => bytes.subarray(i * size, (i + 1) * size));
}
