/**
 * One authenticated door to the API server: plain JSON over keep-alive HTTPS. Credentials come from client-node's
 * KubeConfig for each request anew, since in-cluster tokens rotate. Its own request path is not used, because
 * client-node 2.0.1 makes a new undici Agent, and with it a TLS handshake, for every single request.
 */

import { request as httpRequest } from 'node:http';
import { Agent, request as httpsRequest, type RequestOptions } from 'node:https';
import { type KubeConfig, PatchStrategy } from '@kubernetes/client-node';
import { codeOfStatus, isKubeError, KubeError } from './kube-error.ts';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

export interface ObjectRef {
  /** `v1`, `apps/v1`, `flamegate.dev/v1alpha1`. */
  readonly apiVersion: string;
  readonly plural: string;
  readonly namespace?: string;
  readonly name: string;
}

export interface ApplyOptions {
  readonly fieldManager: string;
  readonly force?: boolean;
  readonly subresource?: 'status';
}

export interface KubeClient {
  /** Throws KubeError for every answer but 2xx, and when no answer comes in time (30 s unless told). */
  request<T>(method: Method, path: string, body?: unknown, contentType?: string): Promise<T>;
  /** The object, or undefined when it is not there. */
  get<T>(ref: ObjectRef): Promise<T | undefined>;
  create<T>(ref: Omit<ObjectRef, 'name'>, object: unknown): Promise<T>;
  /** Server-side apply: the fields of `object`, and no others, belong to the field manager afterwards. */
  apply<T>(ref: ObjectRef, object: unknown, options: ApplyOptions): Promise<T>;
  /** False when it was not there. */
  delete(ref: ObjectRef): Promise<boolean>;
}

export interface ClientOptions {
  /** Told of every request that ended: its HTTP status, 0 when there was no answer. */
  readonly observe?: (method: Method, status: number, host: string) => void;
  /** Without an answer for so long a request has failed, and its connection is not used again. */
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 30_000; // the API server itself gives up on most requests after 60 s
const MAX_SOCKETS = 16; // all our workers at once, twice

/** `/apis/apps/v1/namespaces/shop/deployments`, and with a name `…/deployments/orders`. */
export function pathOf(ref: Omit<ObjectRef, 'name'> & { readonly name?: string }): string {
  const root = ref.apiVersion.includes('/') ? `/apis/${ref.apiVersion}` : `/api/${ref.apiVersion}`;
  const namespace = ref.namespace === undefined ? '' : `/namespaces/${encodeURIComponent(ref.namespace)}`;
  const name = ref.name === undefined ? '' : `/${encodeURIComponent(ref.name)}`;
  return `${root}${namespace}/${ref.plural}${name}`;
}

export function kubeClient(kubeConfig: KubeConfig, options: ClientOptions = {}): KubeClient {
  const agent = new Agent({ keepAlive: true, maxSockets: MAX_SOCKETS });
  const request = async <T>(
    method: Method,
    path: string,
    body?: unknown,
    contentType = 'application/json',
  ) => {
    const call: Call = {
      method,
      path,
      timeoutMs: options.timeoutMs ?? TIMEOUT_MS,
      ...(body === undefined ? {} : { body: JSON.stringify(body), contentType }),
    };
    const answer = await send(kubeConfig, agent, call).catch((error: unknown) => {
      options.observe?.(method, 0, hostOf(kubeConfig));
      throw error;
    });
    options.observe?.(method, answer.status, hostOf(kubeConfig));
    return parsed(call, answer) as T;
  };
  return {
    request,
    get: <T>(ref: ObjectRef) => request<T>('GET', pathOf(ref)).catch(undefinedWhenMissing),
    create: (ref, object) => request('POST', pathOf(ref), object),
    apply: (ref, object, applyOptions) =>
      request('PATCH', applyPath(ref, applyOptions), object, PatchStrategy.ServerSideApply),
    delete: (ref) => request('DELETE', pathOf(ref)).then(() => true, falseWhenMissing),
  };
}

interface Call {
  readonly method: Method;
  readonly path: string;
  readonly timeoutMs: number;
  readonly body?: string;
  readonly contentType?: string;
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

function applyPath(ref: ObjectRef, options: ApplyOptions): string {
  const query = new URLSearchParams({
    fieldManager: options.fieldManager,
    force: String(options.force ?? false),
  });
  return `${pathOf(ref)}${options.subresource === undefined ? '' : `/${options.subresource}`}?${query}`;
}

function serverOf(kubeConfig: KubeConfig): string {
  const server = kubeConfig.getCurrentCluster()?.server;
  if (server === undefined) {
    throw new KubeError('KUBE_UNREACHABLE', 'the kubeconfig names no current cluster', { status: 0 });
  }
  return server.replace(/\/$/, '');
}

const hostOf = (kubeConfig: KubeConfig): string => URL.parse(serverOf(kubeConfig))?.host ?? '';

async function send(kubeConfig: KubeConfig, agent: Agent, call: Call): Promise<Answer> {
  const url = new URL(serverOf(kubeConfig) + call.path);
  const options: RequestOptions = { method: call.method };
  await kubeConfig.applyToHTTPSOptions(options);
  const proxied = kubeConfig.getCurrentCluster()?.proxyUrl !== undefined;
  if (url.protocol === 'https:' && !proxied) {
    options.agent = agent;
  }
  options.headers = { ...options.headers, ...headersOf(call) };
  try {
    return await exchange(url, options, call);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new KubeError(
      'KUBE_UNREACHABLE',
      `${call.method} ${call.path}: no answer from ${url.host}: ${why}`,
      {
        status: 0,
        cause,
      },
    );
  }
}

function headersOf(call: Call): Record<string, string | number> {
  const headers: Record<string, string | number> = { accept: 'application/json', 'user-agent': 'flamegate' };
  if (call.body !== undefined) {
    headers['content-type'] = call.contentType ?? 'application/json';
    headers['content-length'] = Buffer.byteLength(call.body);
  }
  return headers;
}

/** A review is asked by POST, and changes nothing. */
const mayBeRepeated = ({ method, path }: Call): boolean => method !== 'POST' || path.endsWith('reviews');

/** Repeats once when the server closed a kept-alive connection just as we wrote to it, unless that could create something twice. */
async function exchange(url: URL, options: RequestOptions, call: Call): Promise<Answer> {
  try {
    return await exchangeOnce(url, options, call);
  } catch (error) {
    if (error instanceof StaleConnection && mayBeRepeated(call)) return exchangeOnce(url, options, call);
    throw error;
  }
}

class StaleConnection extends Error {}

function exchangeOnce(url: URL, options: RequestOptions, { body, timeoutMs }: Call): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const start = url.protocol === 'https:' ? httpsRequest : httpRequest;
  const signal = AbortSignal.timeout(timeoutMs);
  const outgoing = start(url, { ...options, signal }, (response) => {
    const chunks: Buffer[] = [];
    response.on('data', (chunk: Buffer) => chunks.push(chunk));
    response.on('error', reject);
    response.on('end', () =>
      resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') }),
    );
  });
  outgoing.on('error', (error: NodeJS.ErrnoException) => {
    const stale = outgoing.reusedSocket && (error.code === 'ECONNRESET' || error.code === 'EPIPE');
    reject(stale ? new StaleConnection(error.message, { cause: error }) : error);
  });
  outgoing.end(body);
  return promise;
}

function parsed(call: Call, answer: Answer): unknown {
  let json: unknown;
  try {
    json = answer.text === '' ? undefined : JSON.parse(answer.text);
  } catch (cause) {
    if (answer.status < 300) {
      const sentence = `${call.method} ${call.path}: the answer of ${answer.text.length} characters is not JSON`;
      throw new KubeError('KUBE_BAD_ANSWER', sentence, { status: answer.status, cause });
    }
  }
  if (answer.status >= 200 && answer.status < 300) {
    return json;
  }
  const status = statusOf(json);
  const message = status.message ?? answer.text.slice(0, 512);
  const facts = { status: answer.status, ...(status.reason === undefined ? {} : { reason: status.reason }) };
  throw new KubeError(
    codeOfStatus(answer.status),
    `${call.method} ${call.path}: ${answer.status} ${message}`,
    facts,
  );
}

function statusOf(json: unknown): { readonly message?: string; readonly reason?: string } {
  if (typeof json !== 'object' || json === null) {
    return {};
  }
  const { message, reason } = json as { message?: unknown; reason?: unknown };
  return {
    ...(typeof message === 'string' ? { message } : {}),
    ...(typeof reason === 'string' ? { reason } : {}),
  };
}

function undefinedWhenMissing(error: unknown): undefined {
  if (isKubeError(error, 'KUBE_NOT_FOUND')) {
    return undefined;
  }
  throw error;
}

function falseWhenMissing(error: unknown): false {
  if (isKubeError(error, 'KUBE_NOT_FOUND')) {
    return false;
  }
  throw error;
}
