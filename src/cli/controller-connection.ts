/**
 * A way to the controller's HTTPS API from outside the cluster: to the pod that leads, by the controller's own authority, with a token that
 * the controller can have reviewed. Nothing needs to be exposed for it.
 */
import type { RequestOptions } from 'node:https';
import type { KubeConfig } from '@kubernetes/client-node';
import { type KubeClient, kubeClient } from '../kube/client.ts';
import { CliError } from './cli-error.ts';
import type { ClusterOptions } from './command.ts';
import { reasonOf } from './files.ts';
import { forwardedAnswer, whatToAskFor } from './forwarded-answer.ts';

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
const WAY = {
  namespace: SYSTEM_NAMESPACE,
  port: 8443,
  serverName: `flamegate-controller.${SYSTEM_NAMESPACE}.svc`,
};
const TOKEN_SECONDS = 600; // the shortest the API server grants
const RENEW_TOKEN_MS = 300_000; // recordings last for hours

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
      const ask = (pod: string): Promise<Buffer> =>
        forwardedAnswer(config, { ...WAY, pod, ca }, { path, token, maxBytes });
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
