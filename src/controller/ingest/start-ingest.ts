/** The HTTPS server that agents push to and people read reports from. Only the leader answers. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import type { KubeClient } from '../../kube/client.ts';
import type { WindowStore } from '../../store/window-store.ts';
import type { AgentSettings } from '../../wire/assignment.ts';
import type { AgentReports } from '../agent-reports.ts';
import type { ClusterView } from '../cluster-view.ts';
import type { LinkTemplates } from '../report-page/outside-links.ts';
import type { ToldNodes } from '../told-nodes.ts';
import { authenticator } from './authenticate.ts';
import type { KeyPair } from './certificates.ts';
import { type IngestMetrics, ingestMetrics } from './ingest-metrics.ts';
import { ownAddresses } from './own-addresses.ts';
import { type PodHomes, podHomes, podsOfReports, podsThatRun } from './pod-homes.ts';
import { Refusal, sendRefusal } from './refusal.ts';
import { type Routes, routeFor, routesOf } from './routes.ts';
import { startServingCertificate } from './tls.ts';

export interface IngestConfig {
  /** Of the controller: holds the authority's Secret. */
  readonly namespace: string;
  readonly agentsNamespace: string;
  readonly httpsPort: number;
}

export interface IngestOptions {
  readonly client: KubeClient;
  readonly view: ClusterView;
  readonly reports: AgentReports;
  readonly store: WindowStore;
  readonly told: Pick<ToldNodes, 'record' | 'heard'>;
  readonly log: Logger;
  readonly registry: Registry;
  readonly isLeader: () => boolean;
  readonly config: IngestConfig;
  /** What the install's settings say to agents now. */
  readonly agentSettings?: () => AgentSettings;
  /** Where pages lead, as they say now. */
  readonly links?: () => LinkTemplates;
  /** Whether the settings say now that Flagger's webhooks are answered; missing: no. */
  readonly flaggerWebhooks?: () => boolean;
  readonly now?: () => number;
}

export interface Ingest {
  readonly port: number;
  stop(): Promise<void>;
}

const SERVICE = 'flamegate-controller';

export async function startIngest(options: IngestOptions): Promise<Ingest> {
  const now = options.now ?? Date.now;
  const { agentsNamespace, httpsPort, namespace } = options.config;
  let server: Server | undefined;
  const tls = await startServingCertificate({
    client: options.client,
    systemNamespace: namespace,
    agentsNamespace,
    names: { dns: serviceNames(namespace), ips: ownAddresses() },
    now,
    log: options.log,
    onRenewed: (serving) => server?.setSecureContext(secureContext(serving)),
  });
  const serving = servingOf(options, now);
  server = listeningServer(tls.first, (request, response) => {
    void answer(serving, options, { request, response });
  });
  await listening(server, httpsPort);
  const { port } = server.address() as AddressInfo; // a server that listens on a port has such an address
  options.log.info({ port }, 'ingest listens');
  return {
    port,
    async stop() {
      serving.stop();
      await tls.stop();
      await closed(server);
    },
  };
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

interface Serving {
  readonly routes: Routes;
  readonly metrics: IngestMetrics;
  stop(): void;
}

function servingOf(options: IngestOptions, now: () => number): Serving {
  const { client, registry, store, view } = options;
  const metrics = ingestMetrics(registry, store);
  const callers = authenticator({ client, agentsNamespace: options.config.agentsNamespace, now });
  const homes = homesOf(view, now);
  const routes = routesOf({ ...options, authenticator: callers, homes, metrics, now });
  return {
    routes,
    metrics,
    stop() {
      routes.stop();
      homes.stop();
    },
  };
}

async function answer(serving: Serving, options: IngestOptions, exchange: Exchange): Promise<void> {
  const { request, response } = exchange;
  try {
    assertServing(options);
    const path = URL.parse(request.url ?? '', 'https://localhost')?.pathname ?? '';
    await routeFor(serving.routes, request.method, path).answer(request, response);
  } catch (error) {
    const refusal = asRefusal(error);
    serving.metrics.refused(refusal.code);
    if (refusal.code === 'INTERNAL') options.log.error({ err: error }, 'request failed');
    else options.log.debug({ code: refusal.code, message: refusal.message }, 'request refused');
    await sendRefusal(request, response, refusal);
  }
}

const asRefusal = (error: unknown): Refusal =>
  error instanceof Refusal
    ? error
    : new Refusal(500, 'INTERNAL', 'the controller failed; its log says why', { cause: error });

/** A standby has no store to answer from; closing the connection lets the Service choose again. */
function assertServing({ isLeader, view }: IngestOptions): void {
  const headers = { 'retry-after': '1' };
  if (!isLeader()) throw new Refusal(503, 'NOT_LEADER', 'this replica does not lead; ask again', { headers });
  if (!view.synced()) {
    throw new Refusal(503, 'NOT_READY', 'this controller is still reading the cluster; ask again', {
      headers,
    });
  }
}

/** A pod stays on its node: those that run are read again for one that is not known, and so that it is known when they were seen last. */
const REREAD_MS = 60_000;

/** Reads the pods only when they changed and somebody asks. */
function homesOf(view: ClusterView, now: () => number): PodHomes & { stop(): void } {
  const homes = podHomes();
  let changed = true;
  let readAtMs = Number.NEGATIVE_INFINITY;
  const stop = view.onChange(() => {
    changed = true;
  });
  return {
    learn: homes.learn,
    nodeOf(podUid) {
      const known = homes.nodeOf(podUid);
      if (changed && (known === undefined || Math.abs(now() - readAtMs) > REREAD_MS)) {
        changed = false;
        readAtMs = now();
        homes.learn([...podsOfReports(view, now()), ...podsThatRun(view)], now());
      }
      return homes.nodeOf(podUid);
    },
    stop,
  };
}

function listeningServer(
  serving: KeyPair,
  onRequest: (request: IncomingMessage, response: ServerResponse) => void,
): Server {
  const server = createServer({ ...secureContext(serving), minVersion: 'TLSv1.2' }, onRequest);
  server.headersTimeout = 10_000;
  server.requestTimeout = 60_000; // 4 MiB from a busy node
  server.keepAliveTimeout = 12_000; // until the next window of a judged node; a connection that rests costs 150 KB, and a new one 2 ms
  server.maxConnections = 10_000; // two of every node of the largest clusters
  server.maxHeadersCount = 64;
  return server;
}

const secureContext = ({ certificate, privateKey }: KeyPair) => ({ cert: certificate, key: privateKey });

function listening(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
    setTimeout(() => server.closeAllConnections(), 2_000).unref(); // for whoever is in the middle of a push
  });
}

const serviceNames = (namespace: string): readonly string[] => [
  SERVICE,
  `${SERVICE}.${namespace}`,
  `${SERVICE}.${namespace}.svc`,
  `${SERVICE}.${namespace}.svc.cluster.local`,
  'localhost',
];
