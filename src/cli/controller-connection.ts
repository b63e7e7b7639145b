/**
 * A way to the controller's HTTPS API from outside the cluster: a port-forward to the pod that leads, TLS by the
 * controller's own authority, and a token that the controller can have reviewed. Nothing needs to be exposed for it.
 */
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import type { RequestOptions } from 'node:https';
import { Duplex, PassThrough, type Readable } from 'node:stream';
import { connect } from 'node:tls';
import { createGunzip } from 'node:zlib';
import { type KubeConfig, PortForward } from '@kubernetes/client-node';
import { type KubeClient, kubeClient } from '../kube/client.ts';
import { CliError } from './cli-error.ts';
import type { ClusterOptions } from './command.ts';
import { reasonOf } from './files.ts';

export interface ControllerConnection {
  /**
   * The whole body of a 200 answer. Throws with the controller's own code and sentence: CONTROLLER_REFUSED, or
   * CONTROLLER_UNREACHABLE where asking again helps (5xx).
   */
  get(path: string, maxBytes: number): Promise<Buffer>;
}

export const SYSTEM_NAMESPACE = 'flamegate-system';
export const AGENTS_NAMESPACE = 'flamegate-agents';
export const CONTROLLER_SELECTOR = 'app.kubernetes.io/name=flamegate,app.kubernetes.io/component=controller';
const SERVER_NAME = `flamegate-controller.${SYSTEM_NAMESPACE}.svc`;
const HTTPS_PORT = 8443;
const ANSWER_TIMEOUT_MS = 60_000; // an hour of windows of twenty pods takes seconds
const TOKEN_SECONDS = 600; // the shortest the API server grants
const RENEW_TOKEN_MS = 300_000; // recordings last for hours
const MAX_ERROR_BYTES = 16 * 1024;

interface Pod {
  readonly metadata: { readonly name: string };
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

/** Throws CONTROLLER_NOT_FOUND or NO_TOKEN when there is nothing to connect to, or nothing to show. */
export async function openController(
  config: KubeConfig,
  options: ClusterOptions,
): Promise<ControllerConnection> {
  const client = kubeClient(config);
  const ca = await authorityOf(client);
  const askForToken = async () =>
    options.token ?? (await ownToken(config)) ?? (await accountToken(client, options.serviceAccount));
  let granted = { token: await askForToken(), atMs: Date.now() };
  return {
    async get(path, maxBytes) {
      if (Date.now() - granted.atMs > RENEW_TOKEN_MS) {
        granted = { token: await askForToken(), atMs: Date.now() };
      }
      const { token } = granted;
      const [first, ...others] = await readyPods(client);
      const ask = async (pod: string): Promise<Buffer> => {
        const socket = await securedForward(config, pod, ca);
        try {
          return await answerTo(socket, { path, token, maxBytes });
        } finally {
          socket.destroy();
        }
      };
      return others.reduce((answer, pod) => answer.catch(unlessItLeads(() => ask(pod))), ask(first));
    },
  };
}

/** A standby says so; then the next pod is asked. */
const unlessItLeads =
  (next: () => Promise<Buffer>) =>
  (error: unknown): Promise<Buffer> => {
    if (error instanceof CliError && error.message.includes('NOT_LEADER')) return next();
    throw error;
  };

async function authorityOf(client: KubeClient): Promise<string> {
  const path = `/api/v1/namespaces/${AGENTS_NAMESPACE}/configmaps/flamegate-ca`;
  const failed = (why: string, cause?: unknown): CliError =>
    new CliError(
      'CONTROLLER_NOT_FOUND',
      `cannot read the controller's authority, ConfigMap ${AGENTS_NAMESPACE}/flamegate-ca: ${why}`,
      cause,
    );
  const { data } = await client
    .request<{ data?: Record<string, string> }>('GET', path)
    .catch((cause: unknown) => Promise.reject(failed(`${reasonOf(cause)}${whatToAskFor(cause)}`, cause)));
  return data?.['ca.crt'] ?? Promise.reject(failed('it is empty until a controller has led once'));
}

/** Of a port-forward there is no more than the status of the answer, in its words. */
const whatToAskFor = (cause: unknown): string =>
  /\b403\b/.test(reasonOf(cause)) ? '; what lets you is the role flamegate-reach (docs/cli.md)' : '';

async function readyPods(client: KubeClient): Promise<readonly [string, ...string[]]> {
  const path = `/api/v1/namespaces/${SYSTEM_NAMESPACE}/pods?labelSelector=${encodeURIComponent(CONTROLLER_SELECTOR)}`;
  const { items } = await client.request<{ items: readonly Pod[] }>('GET', path);
  const [first, ...others] = items
    .filter(({ status }) =>
      status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True'),
    )
    .map(({ metadata }) => metadata.name);
  if (first === undefined) {
    const sentence = `none of ${items.length} controller pods in namespace ${SYSTEM_NAMESPACE} is ready`;
    throw new CliError('CONTROLLER_NOT_FOUND', sentence);
  }
  return [first, ...others];
}

/** The bearer token the kubeconfig would show to the API server, from whatever it is configured to get it. */
async function ownToken(config: KubeConfig): Promise<string | undefined> {
  const options: RequestOptions = {};
  await config.applyToHTTPSOptions(options);
  const header = Object.entries(options.headers ?? {}).find(
    ([name]) => name.toLowerCase() === 'authorization',
  )?.[1];
  return typeof header === 'string' && header.startsWith('Bearer ')
    ? header.slice('Bearer '.length)
    : undefined;
}

async function accountToken(client: KubeClient, account: ClusterOptions['serviceAccount']): Promise<string> {
  const { namespace, name } = account;
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`;
  const request = {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec: { expirationSeconds: TOKEN_SECONDS },
  };
  try {
    const { status } = await client.request<{ status: { token: string } }>('POST', path, request);
    return status.token;
  } catch (cause) {
    const sentence = `the kubeconfig holds no bearer token, and none of ServiceAccount ${namespace}/${name} was granted: ${reasonOf(cause)}; give --token or --service-account`;
    throw new CliError('NO_TOKEN', sentence, cause);
  }
}

async function securedForward(config: KubeConfig, pod: string, ca: string) {
  const fromPod = new PassThrough();
  const toPod = new PassThrough();
  try {
    const forward = await new PortForward(config).portForward(
      SYSTEM_NAMESPACE,
      pod,
      [HTTPS_PORT],
      fromPod,
      null,
      toPod,
    );
    const raw = Duplex.from({ readable: fromPod, writable: toPod });
    raw.on('error', () => {
      // The TLS socket over it reports the same, with more to say.
    });
    const socket = connect({ socket: raw, ca, servername: SERVER_NAME });
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

interface Question {
  readonly path: string;
  readonly token: string;
  readonly maxBytes: number;
}

async function answerTo(socket: ReturnType<typeof connect>, question: Question): Promise<Buffer> {
  const outgoing = httpRequest({
    path: question.path,
    host: SERVER_NAME,
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

function responseOf(outgoing: ClientRequest, socket: ReturnType<typeof connect>): Promise<IncomingMessage> {
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
