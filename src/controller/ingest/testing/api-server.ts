/** The API server behind the KubeClient port, as much of it as the ingest asks for, in memory. */
import { setTimeout as delay } from 'node:timers/promises';
import type { KubeClient } from '../../../kube/client.ts';
import { KubeError } from '../../../kube/kube-error.ts';

export interface KnownToken {
  readonly username: string;
  readonly audience?: string;
  readonly node?: string;
  /** Namespaces whose gates the user may read. */
  readonly mayRead?: readonly string[];
}

export interface TestApiServer {
  readonly client: KubeClient;
  readonly tokens: Map<string, KnownToken>;
  /** Objects by `plural/namespace/name`. */
  readonly objects: Map<string, unknown>;
  tokenReviews: number;
  isDown: boolean;
  /** Every answer waits for it. */
  beforeAnswer: () => Promise<void>;
}

export function testApiServer(): TestApiServer {
  const server: TestApiServer = {
    client: undefined as unknown as KubeClient, // filled in below: the client refers to the server
    tokens: new Map(),
    objects: new Map(),
    tokenReviews: 0,
    isDown: false,
    beforeAnswer: () => Promise.resolve(),
  };
  const key = (ref: { plural: string; namespace?: string; name: string }) =>
    `${ref.plural}/${ref.namespace ?? ''}/${ref.name}`;
  const client: KubeClient = {
    async request<T>(_method: string, path: string, body?: unknown): Promise<T> {
      await delay(0);
      await server.beforeAnswer();
      if (server.isDown) throw new KubeError('KUBE_UNREACHABLE', 'no answer', { status: 0 });
      return respond(server, path, body) as T;
    },
    async get<T>(ref: Parameters<KubeClient['get']>[0]) {
      if (server.isDown) throw new KubeError('KUBE_UNREACHABLE', 'no answer', { status: 0 });
      return server.objects.get(key(ref)) as T | undefined;
    },
    create: async <T>(_ref: unknown, object: unknown) => object as T,
    async apply<T>(ref: Parameters<KubeClient['apply']>[0], object: unknown): Promise<T> {
      server.objects.set(key(ref), object);
      return object as T;
    },
    delete: async () => true,
  };
  return Object.assign(server, { client });
}

interface Body {
  readonly spec?: {
    readonly token?: string;
    readonly audiences?: readonly string[];
    readonly user?: string;
    readonly resourceAttributes?: { readonly namespace?: string };
  };
  readonly metadata?: { readonly name: string; readonly namespace: string };
}

function respond(server: TestApiServer, path: string, json: unknown): unknown {
  const body = json as Body;
  if (path.endsWith('/tokenreviews')) return { status: tokenStatus(server, body) };
  if (path.endsWith('/subjectaccessreviews')) return { status: { allowed: mayRead(server, body) } };
  const { name = '', namespace = '' } = body.metadata ?? {};
  server.objects.set(`secrets/${namespace}/${name}`, json);
  return json;
}

function tokenStatus(server: TestApiServer, { spec }: Body): object {
  server.tokenReviews += 1;
  const known = server.tokens.get(spec?.token ?? '');
  const own = 'https://kubernetes.default.svc'; // of a review that names no audience
  const audience = known?.audience ?? own;
  if (known === undefined || audience !== (spec?.audiences?.[0] ?? own)) return { authenticated: false };
  const extra = known.node === undefined ? {} : { 'authentication.kubernetes.io/node-name': [known.node] };
  return { authenticated: true, audiences: [audience], user: { username: known.username, extra } };
}

function mayRead(server: TestApiServer, { spec }: Body): boolean {
  const user = [...server.tokens.values()].find(({ username }) => username === spec?.user);
  return user?.mayRead?.includes(spec?.resourceAttributes?.namespace ?? '') === true;
}
