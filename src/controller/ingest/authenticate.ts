/** Who is calling: bearer tokens are reviewed by the API server, agents' and people's apart. */
import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { KubeClient } from '../../kube/client.ts';
import { AGENT_AUDIENCE } from '../../wire/endpoints.ts';
import { type RateLimit, rateLimit } from './rate-limit.ts';
import { Refusal } from './refusal.ts';

export interface Viewer {
  readonly username: string;
  readonly uid?: string;
  readonly groups?: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

export interface Authenticator {
  /** The node whose agent presents this token. Throws Refusal 401, 403 or 503. */
  agentNode(request: IncomingMessage): Promise<string>;
  /** Throws Refusal unless the caller may get RegressionGates in this namespace. */
  viewer(request: IncomingMessage, namespace: string): Promise<Viewer>;
  /**
   * Of these namespaces those in which the caller may get RegressionGates; 'all' where that holds of the whole cluster, 'none' where it
   * holds of none. What was learnt of a namespace is kept for a minute.
   */
  readableOf(
    request: IncomingMessage,
    namespaces: readonly string[],
  ): Promise<'all' | 'none' | readonly string[]>;
}

export interface AuthenticatorOptions {
  readonly client: KubeClient;
  readonly agentsNamespace: string;
  readonly now: () => number;
}

interface TokenReview {
  readonly status?: {
    readonly authenticated?: boolean;
    readonly audiences?: readonly string[];
    readonly user?: Viewer;
  };
}

interface AccessReview {
  readonly status?: { readonly allowed?: boolean };
}

export const AGENT_SERVICE_ACCOUNT = 'flamegate-agent';
/** Set by the API server for tokens bound to a pod (KEP-4193). */
const NODE_NAME = 'authentication.kubernetes.io/node-name';
const KEEP_MS = 60_000;
const KEEP_REJECTED_MS = 10_000;
const MAX_KEPT = 10_000; // agents of the largest clusters, twice
/** Of one caller, side by side. */
const MOST_REVIEWS = 8;
/** An hour of windows is sent again within 36 s when a store is new, beside polls; otherwise a batch comes every 10 s. */
const AGENT_RATE = { burst: 600, perSecond: 2, maxKeys: MAX_KEPT };
/** A page is read by a person, and merging the windows of one takes the leader up to a second. */
const VIEWER_RATE = { burst: 60, perSecond: 1, maxKeys: MAX_KEPT };
/** Of tokens that are no good, each costs the API server a review. */
const REJECTED_RATE = { burst: 30, perSecond: 1, maxKeys: MAX_KEPT };

export function authenticator(options: AuthenticatorOptions): Authenticator {
  const review = cachedReviews(options);
  const allowed = cachedAccess(options);
  const agents = rateLimit({ ...AGENT_RATE, now: options.now });
  const viewers = rateLimit({ ...VIEWER_RATE, now: options.now });
  const agentUser = `system:serviceaccount:${options.agentsNamespace}:${AGENT_SERVICE_ACCOUNT}`;
  return {
    async agentNode(request) {
      const user = await review(request, AGENT_AUDIENCE);
      const node = user.extra?.[NODE_NAME]?.[0];
      if (user.username !== agentUser) {
        throw new Refusal(403, 'TOKEN_REJECTED', `${user.username} is not the agents' account ${agentUser}`);
      }
      if (node === undefined) {
        throw new Refusal(403, 'TOKEN_REJECTED', 'the token is bound to no pod, so it names no node');
      }
      assertWithin(agents, node, `the agent of node ${node}`);
      return node;
    },
    async viewer(request, namespace) {
      const user = await review(request, undefined);
      assertWithin(viewers, user.username, user.username); // the next line costs the API server a review
      if (await mayGetGates(options.client, user, namespace)) return user;
      const sentence = `${user.username} may not get regressiongates.flamegate.dev in namespace ${namespace}`;
      throw new Refusal(403, 'VIEWER_NOT_ALLOWED', sentence);
    },
    async readableOf(request, namespaces) {
      const user = await review(request, undefined);
      assertWithin(viewers, user.username, user.username);
      if (await allowed(user, undefined)) return 'all';
      const readable: string[] = [];
      for (let at = 0; at < namespaces.length; at += MOST_REVIEWS) {
        const some = namespaces.slice(at, at + MOST_REVIEWS);
        const may = await Promise.all(some.map((namespace) => allowed(user, namespace)));
        readable.push(...some.filter((_, index) => may[index]));
      }
      return readable.length === 0 ? 'none' : readable;
    },
  };
}

/** `namespace` undefined: in all of them. */
async function mayGetGates(
  client: KubeClient,
  user: Viewer,
  namespace: string | undefined,
): Promise<boolean> {
  const attributes = { group: 'flamegate.dev', resource: 'regressiongates', verb: 'get' };
  const spec = {
    user: user.username,
    groups: user.groups,
    uid: user.uid,
    extra: user.extra,
    resourceAttributes: { ...attributes, ...(namespace !== undefined && { namespace }) },
  };
  const path = '/apis/authorization.k8s.io/v1/subjectaccessreviews';
  const { status } = await reviewed<AccessReview>(client, path, 'SubjectAccessReview', spec);
  return status?.allowed === true;
}

type Allowed = (user: Viewer, namespace: string | undefined) => Promise<boolean>;

/** By all that is known of the user, since groups of one name may differ between tokens. */
function cachedAccess({ client, now }: AuthenticatorOptions): Allowed {
  const kept = new Map<string, { readonly may: Promise<boolean>; readonly untilMs: number }>();
  return async (user, namespace) => {
    const key = createHash('sha256')
      .update(JSON.stringify([user, namespace]))
      .digest('base64');
    const known = kept.get(key);
    if (known !== undefined && known.untilMs > now()) return known.may;
    const entry = { may: mayGetGates(client, user, namespace), untilMs: now() + KEEP_MS };
    entry.may.catch(() => kept.delete(key));
    kept.delete(key);
    kept.set(key, entry);
    const oldest = kept.keys().next().value;
    if (kept.size > MAX_KEPT && oldest !== undefined) kept.delete(oldest);
    return entry.may;
  };
}

/** Throws FOREIGN_NODE unless the token's node is the one the caller speaks for. */
export function assertSameNode(tokenNode: string, claimedNode: string): void {
  if (tokenNode === claimedNode) return;
  const sentence = `the token belongs to the agent of node ${tokenNode}, the request speaks for ${claimedNode}`;
  throw new Refusal(403, 'FOREIGN_NODE', sentence);
}

function bearerToken(request: IncomingMessage): string {
  const [, token] = /^Bearer ([\x21-\x7e]{16,8192})$/i.exec(request.headers.authorization ?? '') ?? [];
  if (token !== undefined) return token;
  throw new Refusal(
    401,
    'TOKEN_MISSING',
    'send a ServiceAccount or user token: Authorization: Bearer TOKEN',
    {
      headers: { 'www-authenticate': 'Bearer' },
    },
  );
}

function assertWithin(limit: RateLimit, key: string, who: string): void {
  const waitS = limit.take(key);
  if (waitS > 0) throw tooMany(who, waitS);
}

const tooMany = (who: string, waitS: number): Refusal =>
  new Refusal(429, 'TOO_MANY_REQUESTS', `${who} asks too often; ask again in ${waitS} s`, {
    headers: { 'retry-after': String(waitS) },
  });

type Review = (request: IncomingMessage, audience: string | undefined) => Promise<Viewer>;

/**
 * Tokens are kept as hashes only. Callers that ask at the same time share one review. Where many tokens from an address were
 * rejected, those that are not known are so for a while without asking the API server.
 */
function cachedReviews({ client, now }: AuthenticatorOptions): Review {
  const rejected = rateLimit({ ...REJECTED_RATE, now });
  const kept = new Map<string, { readonly user: Promise<Viewer>; untilMs: number }>();
  return async (request, audience) => {
    const token = bearerToken(request);
    const address = request.socket.remoteAddress ?? '';
    const key = createHash('sha256')
      .update(`${audience ?? ''} ${token}`)
      .digest('base64');
    const known = kept.get(key);
    if (known !== undefined && known.untilMs > now()) return known.user;
    const waitS = rejected.waitS(address);
    if (waitS > 0) throw tooMany(`${address}, of which many tokens were rejected,`, waitS);
    const entry = { user: tokenReview(client, token, audience), untilMs: now() + KEEP_MS };
    entry.user.catch((error: unknown) => {
      const wasRejected = error instanceof Refusal && error.code === 'TOKEN_REJECTED';
      entry.untilMs = wasRejected ? now() + KEEP_REJECTED_MS : 0;
      if (wasRejected) rejected.take(address);
    });
    kept.delete(key);
    kept.set(key, entry);
    const oldest = kept.keys().next().value;
    if (kept.size > MAX_KEPT && oldest !== undefined) kept.delete(oldest);
    return entry.user;
  };
}

async function tokenReview(client: KubeClient, token: string, audience: string | undefined): Promise<Viewer> {
  const spec = audience === undefined ? { token } : { token, audiences: [audience] };
  const path = '/apis/authentication.k8s.io/v1/tokenreviews';
  const { status } = await reviewed<TokenReview>(client, path, 'TokenReview', spec);
  const audienceFits = audience === undefined || (status?.audiences ?? []).includes(audience);
  if (status?.authenticated === true && audienceFits && status.user !== undefined) return status.user;
  const expected = audience === undefined ? '' : ` for the audience ${audience}`;
  throw new Refusal(401, 'TOKEN_REJECTED', `the API server does not accept this token${expected}`, {
    headers: { 'www-authenticate': 'Bearer error="invalid_token"' },
  });
}

async function reviewed<T>(client: KubeClient, path: string, kind: string, spec: object): Promise<T> {
  const apiVersion = path.split('/').slice(2, 4).join('/');
  try {
    return await client.request<T>('POST', path, { apiVersion, kind, spec });
  } catch (cause) {
    const sentence = `the API server could not answer a ${kind}; try again`;
    throw new Refusal(503, 'TOKEN_REVIEW_FAILED', sentence, { headers: { 'retry-after': '5' }, cause });
  }
}
