/** One answer of a pod's HTTPS server, by a port-forward of the API server and TLS within it. */
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { Duplex, PassThrough, type Readable } from 'node:stream';
import { connect, type TLSSocket } from 'node:tls';
import { createGunzip } from 'node:zlib';
import { type KubeConfig, PortForward } from '@kubernetes/client-node';
import { CliError } from './cli-error.ts';
import { reasonOf } from './files.ts';

export interface Way {
  readonly namespace: string;
  readonly pod: string;
  readonly port: number;
  /** In its certificate. */
  readonly serverName: string;
  /** Who has signed that. */
  readonly ca: string;
}

export interface Question {
  readonly path: string;
  readonly token: string;
  readonly maxBytes: number;
}

const ANSWER_TIMEOUT_MS = 60_000; // an hour of windows of twenty pods takes seconds
const MAX_ERROR_BYTES = 16 * 1024;

/** The whole body of a 200 answer. Throws CONTROLLER_REFUSED, or CONTROLLER_UNREACHABLE where asking again helps. */
export async function forwardedAnswer(config: KubeConfig, way: Way, question: Question): Promise<Buffer> {
  const socket = await securedForward(config, way);
  try {
    return await answerTo(socket, way.serverName, question);
  } finally {
    socket.destroy();
  }
}

/** Of a port-forward there is no more than the status of the answer, in its words. */
export const whatToAskFor = (cause: unknown): string =>
  /\b403\b/.test(reasonOf(cause)) ? '; what lets you is the role flamegate-reach (docs/cli.md)' : '';

async function securedForward(config: KubeConfig, { namespace, pod, port, serverName, ca }: Way) {
  const fromPod = new PassThrough();
  const toPod = new PassThrough();
  try {
    const forward = await new PortForward(config).portForward(namespace, pod, [port], fromPod, null, toPod);
    const raw = Duplex.from({ readable: fromPod, writable: toPod });
    raw.on('error', () => {
      // The TLS socket over it reports the same, with more to say.
    });
    const socket = connect({ socket: raw, ca, servername: serverName });
    socket.once('close', () => {
      if (typeof forward !== 'function') {
        forward.close();
      }
    });
    return socket;
  } catch (cause) {
    const sentence = `no port-forward to pod ${pod}: ${reasonOf(cause)}${whatToAskFor(cause)}`;
    throw new CliError('CONTROLLER_UNREACHABLE', sentence, cause);
  }
}

async function answerTo(socket: TLSSocket, serverName: string, question: Question): Promise<Buffer> {
  const outgoing = httpRequest({
    path: question.path,
    host: serverName,
    headers: { authorization: `Bearer ${question.token}`, connection: 'close' },
    signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
    createConnection: () => socket,
  });
  outgoing.end();
  let response: IncomingMessage;
  try {
    response = await responseOf(outgoing, socket);
  } catch (cause) {
    throw new CliError('CONTROLLER_UNREACHABLE', `no answer from the controller: ${reasonOf(cause)}`, cause);
  }
  const isRefusal = response.statusCode !== 200;
  const packed = response.headers['content-encoding'] === 'gzip';
  const stream = packed ? response.pipe(createGunzip()) : response;
  response.once('error', (error) => stream.destroy(error));
  const body = await bodyOf(stream, isRefusal ? MAX_ERROR_BYTES : question.maxBytes);
  if (isRefusal) {
    throw refusal(response.statusCode ?? 0, body.toString('utf8'));
  }
  return body;
}

function responseOf(outgoing: ClientRequest, socket: TLSSocket): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  outgoing.once('response', resolve);
  outgoing.once('error', reject);
  socket.once('error', reject);
  return promise;
}

async function bodyOf(response: Readable, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of response) {
      const buffer = Buffer.from(chunk);
      bytes += buffer.length;
      if (bytes > maxBytes) {
        throw new Error(`more than ${maxBytes} bytes`);
      }
      chunks.push(buffer);
    }
  } catch (cause) {
    throw new CliError(
      'CONTROLLER_UNREACHABLE',
      `the controller's answer broke off: ${reasonOf(cause)}`,
      cause,
    );
  }
  return Buffer.concat(chunks);
}

function refusal(status: number, body: string): CliError {
  let said = body.slice(0, 300);
  try {
    const { code, message } = JSON.parse(body);
    said = `${String(code)}: ${String(message)}`;
  } catch {
    // Not the controller's own form: what it said is shown as it came.
  }
  const code = status >= 500 ? 'CONTROLLER_UNREACHABLE' : 'CONTROLLER_REFUSED';
  return new CliError(code, `the controller answered ${status}: ${said}`);
}
