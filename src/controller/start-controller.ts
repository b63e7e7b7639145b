/** Everything the controller is made of, started in order and stopped in reverse. */
import { join } from 'node:path';
import type { KubeConfig } from '@kubernetes/client-node';
import type { Logger } from 'pino';
import { type KubeClient, kubeClient } from '../kube/client.ts';
import { type EventRecorder, eventRecorder } from '../kube/events.ts';
import { type Election, LEASE_TIMEOUT_MS, startLeaderElection } from '../kube/lease.ts';
import { openStore, type WindowStore } from '../store/window-store.ts';
import { exposeActions } from './acting/action-metrics.ts';
import { rolloutActor } from './acting/take-action.ts';
import type { AgentReports } from './agent-reports.ts';
import { agentReports } from './agent-reports-memory.ts';
import { AGENT_NAME } from './agents/plan-daemon-set.ts';
import { agentsReconciler } from './agents/reconciler.ts';
import type { ControllerConfig } from './config.ts';
import { type MetricsExporter, startMetricsExporter } from './exported-metrics/metrics-exporter.ts';
import { type HealthServer, startHealthServer } from './health.ts';
import { type InformedClusterView, startClusterView } from './informed-cluster-view.ts';
import { type Ingest, startIngest } from './ingest/start-ingest.ts';
import { type ControllerMetrics, controllerMetrics } from './metrics.ts';
import { type Notifier, startNotifier } from './notifications/notifier.ts';
import { notifyReady } from './notifications/notify-ready.ts';
import { exposeSinks } from './notifications/sink-metrics.ts';
import { keyOf, ReconcilingOperator } from './operator-base.ts';
import { installedAdmission } from './pod-creation/installed-admission.ts';
import { startWebhook, type Webhook } from './pod-creation/webhook-server.ts';
import {
  CLUSTER_PROFILING_POLICIES,
  PROFILING_POLICIES,
  policyReconcilers,
} from './profiling-policy/reconciler.ts';
import { exposeGates } from './regression-gate/gate-metrics.ts';
import { type InstalledSource, installedSource } from './regression-gate/installed-source.ts';
import { exposeLateWindows, lateWindows } from './regression-gate/late-windows.ts';
import { regressionGateReconciler } from './regression-gate/reconciler.ts';
import { limitedView } from './settings/limited-view.ts';
import { openSettings, type SettingsSource } from './settings/settings-source.ts';
import { watchSettings } from './settings/watch-settings.ts';
import { type ToldNodes, toldNodes } from './told-nodes.ts';
import { wakeUps } from './wake-up.ts';

export const FIELD_MANAGER = 'flamegate';
const LEASE_NAME = 'flamegate-controller';
/** A watch hears a bookmark about once a minute; five minutes of silence on one means it is dead and stays so. */
const MAX_SILENCE_MS = 5 * 60_000;

export interface ControllerOptions {
  readonly kubeConfig: KubeConfig;
  readonly config: ControllerConfig;
  readonly log: Logger;
  /** The lease is somebody else's now: the process must end. */
  readonly onLost: (why: string) => void;
}

export interface Controller {
  readonly httpPort: number;
  readonly httpsPort: number;
  isLeader(): boolean;
  stop(): Promise<void>;
}

/** Resolves once every cache is filled and agents can connect; the lease may come later. Throws for settings that cannot be taken. */
export async function startController(options: ControllerOptions): Promise<Controller> {
  const settings = await openSettings(options.config.settingsFile);
  const lease: { election?: Election } = {};
  const isLeader = (): boolean => lease.election?.isLeader() === true;
  const parts = assemble(options, settings, isLeader);
  addReconcilers(parts, options); // before the first list arrives: its objects are put to work
  const { view, metrics } = parts;
  let started = false;
  const health = await startHealthServer({
    port: options.config.httpPort,
    registry: metrics.registry,
    sick: () => (Date.now() - view.lastHeardMs() > MAX_SILENCE_MS ? 'a watch hears nothing' : undefined),
    notReady: () => (view.synced() && started ? undefined : 'caches are being filled'),
  });
  await untilSynced(view);
  const agentSettings = () => settings.current().agents;
  const links = () => settings.current().links;
  const flaggerWebhooks = () => settings.current().flaggerWebhooks;
  const ingest = await startIngest({
    ...{ ...parts, ...options },
    ...{ registry: metrics.registry, isLeader, agentSettings, links, flaggerWebhooks },
  });
  const webhook = await webhookOf(parts, options);
  const election = startElection(parts, options);
  lease.election = election;
  started = true;
  return running({ ...parts, health, ingest, webhook, election });
}

async function webhookOf(
  { client, view, metrics }: Parts,
  { config, log }: ControllerOptions,
): Promise<Webhook | undefined> {
  const { webhookPort } = config;
  if (webhookPort === undefined) return undefined;
  const { registry } = metrics;
  return startWebhook({ client, view, registry, log, config: { ...config, webhookPort }, now: Date.now });
}

interface Parts {
  readonly client: KubeClient;
  readonly metrics: ControllerMetrics;
  readonly settings: SettingsSource;
  /** Within what the settings allow. */
  readonly view: InformedClusterView;
  readonly reports: AgentReports;
  readonly store: WindowStore;
  readonly source: InstalledSource;
  readonly told: ToldNodes;
  readonly notifier: Notifier;
  readonly exporter: MetricsExporter;
  readonly events: EventRecorder;
  readonly operator: ReconcilingOperator;
}

function assemble(
  { kubeConfig, config, log }: ControllerOptions,
  settings: SettingsSource,
  isLeader: () => boolean,
): Parts {
  const metrics = controllerMetrics();
  const client = kubeClient(kubeConfig, { observe: metrics.request });
  const events = eventRecorder(client, {
    controller: 'flamegate.dev/controller',
    instance: config.identity,
    now: Date.now,
    onError: (err, { regarding, reason }) => {
      metrics.eventFailed();
      log.warn({ err, regarding, reason }, 'event not written');
    },
  });
  const operator = new ReconcilingOperator({
    kubeConfig,
    client,
    fieldManager: FIELD_MANAGER,
    metrics,
    log,
    now: Date.now,
  });
  const informed: InformedClusterView = startClusterView({
    kubeConfig,
    client,
    agentsNamespace: config.agentsNamespace,
    agentName: AGENT_NAME,
    onObject: (object) => {
      for (const { resource, key } of wakeUps(object, { ...config, view: informed })) {
        if (resource.kind === object.kind && key === keyOf(object)) operator.enqueueSoon(resource, key);
        else operator.enqueueRested(resource, key);
      }
      metrics.policies(informed.policies().length + informed.clusterPolicies().length);
    },
    onError: (resource, err, retryInMs) => {
      metrics.informerError(resource);
      log.warn({ resource, err, retryInMs }, 'watch failed');
    },
  });
  const view = limitedView(informed, settings);
  exposeGates(metrics.registry, view);
  const store = openStore(join(config.dataDir, 'windows.sqlite'), {
    now: Date.now,
    ...settings.current().store,
  });
  watchSettings(settings, { ...{ metrics, log, events, store }, namespace: config.namespace }, () => {
    for (const { metadata } of informed.policies()) {
      operator.enqueueSoon(PROFILING_POLICIES, `${metadata.namespace}/${metadata.name}`);
    }
    for (const { metadata } of informed.clusterPolicies()) {
      operator.enqueueSoon(CLUSTER_PROFILING_POLICIES, metadata.name);
    }
  });
  const told = toldNodes(store, Date.now);
  const { registry } = metrics;
  const credentialsDirectory = config.credentialsDir;
  const source = installedSource({ store, settings, credentialsDirectory, registry, now: Date.now });
  const notifier = startNotifier({
    ...{ view, credentialsDirectory, isLeader, log, now: Date.now },
    sinks: () => settings.current().notifications,
  });
  const exporter = startMetricsExporter({
    ...{ registry, credentialsDirectory, log, now: Date.now },
    ...{ instance: config.podName ?? config.identity, namespace: config.namespace },
    sinks: () => settings.current().agents.sinks?.metrics ?? [],
  });
  exposeSinks(registry, () => [...notifier.reports(), ...exporter.reports()]);
  const reports = agentReports();
  const senders = { notifier, exporter };
  return { client, metrics, settings, view, reports, store, source, told, ...senders, events, operator };
}

function addReconcilers(parts: Parts, { config, log }: ControllerOptions): void {
  const { client, settings, view, reports, store, source, told, notifier, events, operator, metrics } = parts;
  const policies = policyReconcilers({
    client,
    view,
    reports,
    events,
    fieldManager: FIELD_MANAGER,
    count: metrics.injection,
    finalize: (object, finalizer, cleanUp) => operator.finalize(object, finalizer, cleanUp),
    admission: installedAdmission(client, Date.now),
    limits: () => settings.current().limits,
    sinks: () => settings.current().agents.sinks?.profiles.map(({ name }) => name) ?? [],
    now: Date.now,
  });
  operator.add(policies.ofNamespace, (namespace, name) => view.policy(namespace, name));
  operator.add(policies.ofCluster, (_, name) => view.clusterPolicy(name));
  const late = lateWindows(store);
  exposeLateWindows(metrics.registry, late);
  const agents = reports;
  const count = exposeActions(metrics.registry, view);
  const actor = rolloutActor({ client, view, count, now: Date.now });
  operator.add(
    regressionGateReconciler({
      ...{ client, view, store, source, agents, told, events, late, actor, log, now: Date.now },
      notifyReady: (gate) => notifyReady(gate, notifier.reports()),
    }),
    (namespace, name) => view.gate(namespace, name),
  );
  operator.add(agentsReconciler({ client, view, log, fieldManager: FIELD_MANAGER, ...config }), () =>
    view.agentTemplate(),
  );
}

function startElection({ metrics, operator, view }: Parts, options: ControllerOptions): Election {
  const { config, kubeConfig, log } = options;
  // Connections of its own: behind the token reviews of a thousand agents that come back at once the lease would run out.
  const client = kubeClient(kubeConfig, { observe: metrics.request, timeoutMs: LEASE_TIMEOUT_MS });
  metrics.leader(LEASE_NAME, false);
  return startLeaderElection(client, {
    namespace: config.namespace,
    name: LEASE_NAME,
    identity: config.identity,
    hasEnded: isEarlierSelf(config),
    monotonicNow: () => performance.now(),
    wallNow: Date.now,
    onAcquired: () => {
      log.info({ identity: config.identity, policies: view.policies().length }, 'leading');
      metrics.leader(LEASE_NAME, true);
      operator.start().catch((err: unknown) => options.onLost(`the operator did not start: ${String(err)}`));
    },
    onLost: options.onLost,
    onError: (err) => log.warn({ err }, 'lease request failed'),
  });
}

/** A container of a pod is started again only after the one before it has ended: nobody has to wait for its lease. */
const isEarlierSelf =
  ({ identity, podName }: ControllerConfig) =>
  (holder: string): boolean =>
    podName !== undefined && holder !== identity && holder.startsWith(`${podName}_`);

function running(
  parts: Parts & {
    readonly health: HealthServer;
    readonly ingest: Ingest;
    readonly webhook: Webhook | undefined;
    readonly election: Election;
  },
): Controller {
  const { health, ingest, webhook, election, operator, notifier, exporter, events, settings } = parts;
  const { view, store, source } = parts;
  return {
    httpPort: health.port,
    httpsPort: ingest.port,
    isLeader: () => election.isLeader(),
    async stop() {
      settings.stop();
      await Promise.all([ingest.stop(), webhook?.stop()]);
      await operator.shutdown();
      await Promise.all([events.stop(), notifier.stop(), exporter.stop()]);
      await election.stop();
      await view.stop();
      await health.stop();
      source.close();
      store.close();
    },
  };
}

function untilSynced(view: InformedClusterView): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setInterval(() => {
    if (view.synced()) {
      clearInterval(timer);
      resolve();
    }
  }, 50);
  return promise;
}
