/**
 * POST by Flagger, which shows no token, of the name of a Canary: whether its gates have Passed or Failed the revision that is on trial,
 * or have not decided, and nothing else. What is not there is Undecided, too, so that nobody learns names here.
 *
 * Flagger takes a status above 202 for a no (pkg/controller/webhook.go, 1.44.0), and tries 429 and 5xx again, of which it does not tell
 * the body; so a no that was computed is a 409. What a no does depends on the type (scheduler.go, scheduler_hooks.go):
 *
 *    type               a no             Passed  Undecided  Failed   so that without an answer
 *    rollout            a failed check   200     200        409      checks fail
 *    confirm-promotion  it waits         200     409        409      nothing is promoted
 *    rollback           it goes on       409     409        200      nothing is rolled back
 */
import type { V1Deployment } from '@kubernetes/client-node';
import type { KubeClient } from '../../kube/client.ts';
import type { FlaggerHook } from '../../wire/endpoints.ts';
import type { ClusterView } from '../cluster-view.ts';
import { type Said, trialVerdict } from '../regression-gate/trial-verdict.ts';
import type { CanaryTrial } from '../regression-gate/workload-arms.ts';
import type { Endpoint } from './batches.ts';
import { type AskingCanary, readPayload } from './flagger-payload.ts';
import { rateLimit } from './rate-limit.ts';
import { Refusal, sendJson } from './refusal.ts';

export interface FlaggerWebhookOptions {
  readonly client: Pick<KubeClient, 'get'>;
  readonly view: ClusterView;
  readonly now: () => number;
}

/** All Canaries of a cluster ask from one address: a hundred with two webhooks each, every ten seconds, which is as often as Flagger does. */
const RATE = { burst: 200, perSecond: 20, maxKeys: 1_000 };
const MAX_AT_ONCE = 64; // bodies being read, and Deployments

const SAID: Readonly<Record<Said, { readonly code: string; readonly message: string }>> = {
  Passed: { code: 'CANARY_PASSED', message: 'the revision on trial has Passed' },
  Failed: {
    code: 'CANARY_FAILED',
    message: 'the revision on trial has Failed: its RegressionReport says why',
  },
  Undecided: {
    code: 'CANARY_UNDECIDED',
    message: 'nothing is decided of a revision on trial, or no RegressionGate is about this Canary',
  },
};

const YES: Readonly<Record<FlaggerHook, readonly Said[]>> = {
  rollout: ['Passed', 'Undecided'],
  'confirm-promotion': ['Passed'],
  rollback: ['Failed'],
};

/** Of each type; what limits callers is one for all. */
export function flaggerWebhooks(options: FlaggerWebhookOptions): (hook: FlaggerHook) => Endpoint {
  const rate = rateLimit({ ...RATE, now: options.now });
  let underWay = 0;
  return (hook) => async (request, response) => {
    const waitS = rate.take(request.socket.remoteAddress ?? '');
    if (waitS > 0) throw tooMany(429, 'this address asks too often', waitS);
    if (underWay >= MAX_AT_ONCE) throw tooMany(503, `${underWay} webhooks are being answered`, 1);
    underWay++;
    try {
      const said = await saidOf(await readPayload(request), options);
      sendJson(response, YES[hook].includes(said) ? 200 : 409, SAID[said]);
    } finally {
      underWay--;
    }
  };
}

async function saidOf(
  { namespace, name }: AskingCanary,
  { client, view }: FlaggerWebhookOptions,
): Promise<Said> {
  const verdict = trialVerdict(namespace, name, view);
  if (verdict.said === 'Undecided') return 'Undecided';
  return (await isStillNewest(client, namespace, verdict.trial)) ? verdict.said : 'Undecided';
}

/**
 * A verdict is told of the revision that is on trial, and a cache may be behind: the Deployment itself says whether there is a newer
 * one. Only asked about what is decided, which not every caller can guess.
 */
async function isStillNewest(
  client: Pick<KubeClient, 'get'>,
  namespace: string,
  { deployment: name, revision }: CanaryTrial,
): Promise<boolean> {
  const ref = { apiVersion: 'apps/v1', plural: 'deployments', namespace, name };
  const found = await client.get<V1Deployment>(ref).catch((cause: unknown) => {
    const sentence = 'the API server did not say what is on trial; ask again';
    throw new Refusal(503, 'CANARY_UNREADABLE', sentence, { headers: { 'retry-after': '5' }, cause });
  });
  const { generation, annotations } = found?.metadata ?? {};
  const hasSeenNewest = generation !== undefined && found?.status?.observedGeneration === generation;
  return hasSeenNewest && annotations?.['deployment.kubernetes.io/revision'] === String(revision);
}

function tooMany(status: 429 | 503, why: string, seconds: number): Refusal {
  const headers = { 'retry-after': String(seconds) };
  const code = status === 429 ? 'TOO_MANY_REQUESTS' : 'WEBHOOK_BUSY';
  return new Refusal(status, code, `${why}; ask again in ${seconds} s`, { headers });
}
