/** Tells sinks of verdicts, while this controller leads: looks at the caches every two seconds, and sends what is to be told. */
import { ALERTMANAGER_LIMITS, type Alert, alertBytes, sendAlerts } from '../../sinks/alertmanager.ts';
import { createDelivery } from '../../sinks/delivery.ts';
import { namedSinks } from '../../sinks/named-sinks.ts';
import { sendWebhook, WEBHOOK_LIMITS, type WebhookMessage, webhookBytes } from '../../sinks/webhook.ts';
import type { SinkAddress, SinkReport } from '../../wire/sinks.ts';
import type { ClusterView } from '../cluster-view.ts';
import type { NotificationSink } from './notification-sink.ts';
import { planNotifications, type Told } from './plan-notifications.ts';

export interface Notifier {
  reports(): readonly SinkReport[];
  /** What waits is sent once more, within two seconds. */
  stop(): Promise<void>;
}

export interface NotifierOptions {
  readonly view: Pick<ClusterView, 'gates' | 'reports' | 'synced'>;
  /** As the settings name them now. */
  readonly sinks: () => readonly NotificationSink[];
  readonly isLeader: () => boolean;
  readonly credentialsDirectory: string;
  readonly log: { warn(fields: object, message: string): void };
  readonly now: () => number;
  readonly everyMs?: number;
}

const EVERY_MS = 2_000;
const LAST_MS = 2_000;

interface WebhookAddress extends SinkAddress {
  readonly signingKey: string;
}

export function startNotifier(options: NotifierOptions): Notifier {
  const { view, isLeader, now } = options;
  const { alertmanagers, webhooks } = sinksOf(options);
  let told: Told = new Map();

  const openAsNamed = () => {
    const sinks = options.sinks();
    alertmanagers.be(sinks.flatMap((sink) => (sink.kind === 'Alertmanager' ? [sink.address] : [])));
    webhooks.be(
      sinks.flatMap((sink) =>
        sink.kind === 'Webhook' ? [{ ...sink.address, signingKey: sink.signingKey }] : [],
      ),
    );
  };
  const look = () => {
    openAsNamed();
    if (!isLeader() || !view.synced()) {
      told = new Map();
      return;
    }
    const planned = planNotifications({
      ...{ gates: view.gates(), told, nowMs: now() },
      alertmanagers: new Set(alertmanagers.open.keys()),
      webhooks: new Set(webhooks.open.keys()),
      decidedAtMs: ({ metadata, status }) =>
        decidedAtMs(view, metadata.namespace, status?.evaluation?.report),
    });
    told = planned.told;
    for (const notification of planned.notifications) {
      if (notification.kind === 'Alert')
        alertmanagers.open.get(notification.sink)?.delivery.add(notification.alert);
      else webhooks.open.get(notification.sink)?.delivery.add(notification.message);
    }
  };
  const timer = setInterval(look, options.everyMs ?? EVERY_MS);
  openAsNamed();
  return {
    reports: () =>
      [...alertmanagers.open, ...webhooks.open].map(([name, { delivery }]) => ({
        name,
        ...delivery.report(),
      })),
    async stop() {
      clearInterval(timer);
      const last = AbortSignal.timeout(LAST_MS);
      await Promise.all([alertmanagers.stop(last), webhooks.stop(last)]);
    },
  };
}

function sinksOf({ credentialsDirectory, now, log }: NotifierOptions) {
  const shared = ({ name }: SinkAddress) => ({
    ...{ now, random: Math.random },
    failed: (reason: string, items: number) =>
      log.warn({ sink: name, notifications: items, reason }, 'notifications not sent'),
  });
  return {
    alertmanagers: namedSinks<Alert, SinkAddress>((address) =>
      createDelivery({
        ...{ ...shared(address), limits: ALERTMANAGER_LIMITS, bytesOf: alertBytes },
        send: (alerts, signal) => sendAlerts({ address, credentialsDirectory }, alerts, signal),
      }),
    ),
    webhooks: namedSinks<WebhookMessage, WebhookAddress>(({ signingKey, ...address }) =>
      createDelivery({
        ...{ ...shared(address), limits: WEBHOOK_LIMITS, bytesOf: webhookBytes },
        async send([message], signal) {
          if (message === undefined) return { kind: 'taken' };
          return sendWebhook({ address, credentialsDirectory, signingKey, now }, message, signal);
        },
      }),
    ),
  };
}

function decidedAtMs(
  view: Pick<ClusterView, 'reports'>,
  namespace: string,
  name: string | undefined,
): number | undefined {
  const report = view.reports(namespace).find(({ metadata }) => metadata.name === name);
  const at = report?.status?.decidedAt;
  return at === undefined ? undefined : Date.parse(at);
}
