/** Tells sinks of verdicts, while this controller leads: looks at the caches every two seconds, and sends what is to be told. */
import { isDeepStrictEqual } from 'node:util';
import { ALERTMANAGER_LIMITS, type Alert, alertBytes, sendAlerts } from '../../sinks/alertmanager.ts';
import { createDelivery, type Delivery } from '../../sinks/delivery.ts';
import { sendWebhook, WEBHOOK_LIMITS, type WebhookMessage, webhookBytes } from '../../sinks/webhook.ts';
import type { SinkReport } from '../../wire/sinks.ts';
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

type OpenSink =
  | { readonly kind: 'Alertmanager'; readonly sink: NotificationSink; readonly delivery: Delivery<Alert> }
  | {
      readonly kind: 'Webhook';
      readonly sink: NotificationSink;
      readonly delivery: Delivery<WebhookMessage>;
    };

export function startNotifier(options: NotifierOptions): Notifier {
  const { view, isLeader, now } = options;
  const open = new Map<string, OpenSink>();
  let told: Told = new Map();

  const closeAll = (names: Iterable<string>, last: AbortSignal): Promise<unknown> => {
    const closing = [...names].flatMap((name) => open.get(name) ?? []);
    for (const { sink } of closing) open.delete(sink.address.name);
    return Promise.all(closing.map(({ delivery }) => delivery.stop(last)));
  };
  const openAsNamed = () => {
    const wanted = new Map(options.sinks().map((sink) => [sink.address.name, sink]));
    const changed = [...open].filter(([name, { sink }]) => !isDeepStrictEqual(wanted.get(name), sink));
    void closeAll(
      changed.map(([name]) => name),
      AbortSignal.abort(),
    );
    for (const [name, sink] of wanted) if (!open.has(name)) open.set(name, opened(sink, options));
  };
  const look = () => {
    openAsNamed();
    if (!isLeader() || !view.synced()) {
      told = new Map();
      return;
    }
    const ofKind = (kind: OpenSink['kind']) =>
      new Set([...open].filter(([, each]) => each.kind === kind).map(([name]) => name));
    const planned = planNotifications({
      ...{ gates: view.gates(), told, nowMs: now() },
      ...{ alertmanagers: ofKind('Alertmanager'), webhooks: ofKind('Webhook') },
      decidedAtMs: ({ metadata, status }) =>
        decidedAtMs(view, metadata.namespace, status?.evaluation?.report),
    });
    told = planned.told;
    for (const notification of planned.notifications) {
      const to = open.get(notification.sink);
      if (to?.kind === 'Alertmanager' && notification.kind === 'Alert') to.delivery.add(notification.alert);
      if (to?.kind === 'Webhook' && notification.kind === 'Message') to.delivery.add(notification.message);
    }
  };
  const timer = setInterval(look, options.everyMs ?? EVERY_MS);
  openAsNamed();
  return {
    reports: () => [...open].map(([name, { delivery }]) => ({ name, ...delivery.report() })),
    async stop() {
      clearInterval(timer);
      await closeAll([...open.keys()], AbortSignal.timeout(LAST_MS));
    },
  };
}

function opened(sink: NotificationSink, options: NotifierOptions): OpenSink {
  const { credentialsDirectory, now, log } = options;
  const { address } = sink;
  const shared = {
    ...{ now, random: Math.random },
    failed: (reason: string, items: number) =>
      log.warn({ sink: address.name, notifications: items, reason }, 'notifications not sent'),
  };
  if (sink.kind === 'Alertmanager') {
    const delivery = createDelivery<Alert>({
      ...{ ...shared, limits: ALERTMANAGER_LIMITS, bytesOf: alertBytes },
      send: (alerts, signal) => sendAlerts({ address, credentialsDirectory }, alerts, signal),
    });
    delivery.start();
    return { kind: 'Alertmanager', sink, delivery };
  }
  const { signingKey } = sink;
  const delivery = createDelivery<WebhookMessage>({
    ...{ ...shared, limits: WEBHOOK_LIMITS, bytesOf: webhookBytes },
    async send([message], signal) {
      if (message === undefined) return { kind: 'taken' };
      return sendWebhook({ address, credentialsDirectory, signingKey, now }, message, signal);
    },
  });
  delivery.start();
  return { kind: 'Webhook', sink, delivery };
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
