/**
 * The webhook that the API server asks at each creation of a Pod where it has no MutatingAdmissionPolicy: an HTTPS server of its own, on a
 * port of its own, since an API server shows no token, and whoever may reach this port shall reach nothing else. It tells who asks no
 * more than which variable a workload's container would get. Every replica answers, from its caches.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import { Counter, type Registry } from 'prom-client';
import type { KubeClient } from '../../kube/client.ts';
import { isKubeError } from '../../kube/kube-error.ts';
import type { KeyPair } from '../ingest/certificates.ts';
import { ownAddresses } from '../ingest/own-addresses.ts';
import { startServingCertificate } from '../ingest/tls.ts';
import type { PolicyView } from '../profiling-policy/precedence.ts';
import { ADMISSION_NAME } from './installed-admission.ts';
import { answerReview, ReviewError } from './review.ts';

const WEBHOOK_SERVICE = 'flamegate-pod-creation';
const WEBHOOK_PATH = '/pods';
/** In the webhook's configuration, a DNS name. */
const WEBHOOK_NAME = 'pods.flamegate.dev';

export interface WebhookOptions {
  readonly client: KubeClient;
  readonly view: PolicyView;
  readonly registry: Registry;
  readonly log: Logger;
  readonly config: {
    readonly namespace: string;
    readonly agentsNamespace: string;
    readonly webhookPort: number;
  };
  readonly now: () => number;
}

export interface Webhook {
  readonly port: number;
  stop(): Promise<void>;
}

const MAX_BODY_BYTES = 4 * 2 ** 20; // the API server takes objects of 3 MiB, and says with each who asks
const MAX_AT_ONCE = 64; // each a parsed Pod; a node's restart makes some hundred in a minute
/** The API server gives up after two seconds: timeoutSeconds of config/pod-creation/webhook. */
const LONGEST_MS = 2_000;

/** Resolves once it listens and its authority is in the webhook's configuration, where that is there. */
export async function startWebhook(options: WebhookOptions): Promise<Webhook> {
  const { client, config, log, now } = options;
  const { namespace, agentsNamespace, webhookPort } = config;
  let server: Server | undefined;
  const tls = await startServingCertificate({
    ...{ client, agentsNamespace, now, log, systemNamespace: namespace },
    names: { dns: [`${WEBHOOK_SERVICE}.${namespace}.svc`, 'localhost'], ips: ownAddresses() },
    onRenewed: (serving) => server?.setSecureContext(contextOf(serving)),
    onTrust: (bundle) => publishAuthority(options, bundle),
  });
  const answer = answering(options);
  server = createServer({ ...contextOf(tls.first), minVersion: 'TLSv1.2' }, (request, response) => {
    void answer(request, response);
  });
  server.headersTimeout = LONGEST_MS;
  server.requestTimeout = LONGEST_MS;
  server.maxConnections = 256; // a few of each API server
  server.maxHeadersCount = 64;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen(webhookPort, resolve);
  await promise;
  const { port } = server.address() as AddressInfo; // a server that listens on a port has such an address
  log.info({ port }, 'webhook for created pods listens');
  return {
    port,
    async stop() {
      await tls.stop();
      const closed = Promise.withResolvers<void>();
      server.close(() => closed.resolve());
      server.closeAllConnections();
      await closed.promise;
    },
  };
}

const contextOf = ({ certificate, privateKey }: KeyPair) => ({ cert: certificate, key: privateKey });

function answering({ registry, view, log }: WebhookOptions) {
  const reviews = new Counter({
    name: 'flamegate_pod_reviews_total',
    help: 'Created pods that the API server asked about, by what they got.',
    labelNames: ['result'],
    registers: [registry],
  });
  let underWay = 0;
  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (request.method !== 'POST' || request.url?.split('?')[0] !== WEBHOOK_PATH) return end(response, 404);
    if (underWay >= MAX_AT_ONCE) {
      reviews.inc({ result: 'busy' });
      return end(response, 503);
    }
    underWay++;
    try {
      const review: unknown = JSON.parse(await bodyOf(request));
      const answer = answerReview(review, view);
      reviews.inc({ result: answer.response.patch === undefined ? 'untouched' : 'injected' });
      end(response, 200, answer);
    } catch (err) {
      const isTheirs = err instanceof ReviewError || err instanceof SyntaxError;
      reviews.inc({ result: 'invalid' });
      if (!isTheirs) log.error({ err }, 'a created pod could not be looked at');
      end(response, isTheirs ? 400 : 500);
    } finally {
      underWay--;
    }
  };
}

function end(response: ServerResponse, status: number, body?: object): void {
  const text = body === undefined ? '' : JSON.stringify(body);
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
  });
  response.end(text);
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    if (!Buffer.isBuffer(chunk)) continue;
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES)
      throw new ReviewError(`ADMISSION_REVIEW_INVALID: more than ${MAX_BODY_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** One field, by server-side apply: the rest is the install's, and so no tool that syncs it sees a difference. */
async function publishAuthority({ client, log }: WebhookOptions, bundle: string): Promise<void> {
  const [apiVersion, kind] = ['admissionregistration.k8s.io/v1', 'MutatingWebhookConfiguration'];
  const ref = { apiVersion, plural: 'mutatingwebhookconfigurations', name: ADMISSION_NAME };
  try {
    const found = await client.get<{ metadata: { uid: string } }>(ref);
    if (found === undefined) {
      log.warn(
        { name: ADMISSION_NAME },
        'the webhook’s configuration is not there: apply config/pod-creation/webhook',
      );
      return;
    }
    const clientConfig = { caBundle: Buffer.from(bundle).toString('base64') };
    const webhooks = [{ name: WEBHOOK_NAME, clientConfig }];
    const metadata = { name: ADMISSION_NAME, uid: found.metadata.uid }; // never made from this fragment
    await client.apply(
      ref,
      { apiVersion, kind, metadata, webhooks },
      { fieldManager: 'flamegate', force: true },
    );
  } catch (err) {
    // Pods are created all the same; it is tried again with the next look at the certificates.
    if (!isKubeError(err)) throw err;
    log.warn({ err }, 'the authority could not be written into the webhook’s configuration');
  }
}
