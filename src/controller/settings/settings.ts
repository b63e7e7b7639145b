/** The install's settings as the controller uses them: numbers instead of what people write. Pure. */
import type { BackendAddress } from '../../backends/backend-client.ts';
import { parseDurationMs, QuantityError } from '../../crds/quantities.ts';
import type { AgentSettings } from '../../wire/assignment.ts';
import type { MetricsSink, ProfilesSink, SinkAddress } from '../../wire/sinks.ts';
import type { NotificationSink } from '../notifications/notification-sink.ts';
import type { LinkTemplates } from '../report-page/outside-links.ts';
import type { PolicyLimits } from './policy-limits.ts';
import type { SettingsFile } from './settings-schema.ts';

export interface Settings {
  readonly limits: PolicyLimits;
  readonly store: { readonly retentionMs: number; readonly maxBytes: number };
  readonly reportsPerGate: number;
  /** Where gates read requests; undefined: in what agents push. */
  readonly prometheus: BackendAddress | undefined;
  /** Who is told of verdicts. */
  readonly notifications: readonly NotificationSink[];
  /** Where pages of reports lead, with `{…}` in place of what each report has. */
  readonly links: LinkTemplates;
  /** Whether they are answered, without a token. */
  readonly flaggerWebhooks: boolean;
  /** What agents are told of them, with their assignments. */
  readonly agents: AgentSettings;
}

/** Of a file that has been validated. */
export function settingsOf(file: SettingsFile): Settings {
  const { rates, budget, retention, sinks, sources, links, webhooks } = file;
  const { store, spool, reportsPerGate } = retention;
  const { endpoint } = sinks.spans;
  const profiles = sinks.profiles.map(profilesSinkOf);
  const metrics = sinks.metrics.map(metricsSinkOf);
  return {
    limits: { ...rates, ...budget },
    store: { retentionMs: parseDurationMs(store.maxAge), maxBytes: parseBytes(store.maxBytes) },
    reportsPerGate,
    prometheus: addressOf(sources.prometheus),
    notifications: sinks.notifications.map(notificationOf),
    links,
    flaggerWebhooks: webhooks.flagger,
    agents: {
      spool: { maxAgeMs: parseDurationMs(spool.maxAge), maxBytes: parseBytes(spool.maxBytes) },
      ...(endpoint === undefined ? {} : { spansEndpoint: endpoint }),
      ...(profiles.length + metrics.length === 0 ? {} : { sinks: { profiles, metrics } }),
    },
  };
}

function addressOf(prometheus: SettingsFile['sources']['prometheus']): BackendAddress | undefined {
  const { endpoint } = prometheus;
  return endpoint === undefined ? undefined : { endpoint, ...accessOf(prometheus) };
}

const sinkOf = (sink: Omit<SettingsFile['sinks']['profiles'][number], 'kind'>): SinkAddress => ({
  name: sink.name,
  endpoint: sink.endpoint,
  ...accessOf(sink),
});

const profilesSinkOf = (sink: SettingsFile['sinks']['profiles'][number]): ProfilesSink => ({
  ...sinkOf(sink),
  kind: sink.kind === 'Otlp' ? 'Otlp' : 'Pyroscope',
});

const metricsSinkOf = (sink: SettingsFile['sinks']['metrics'][number]): MetricsSink => ({
  ...sinkOf(sink),
  kind: sink.kind === 'Otlp' ? 'Otlp' : 'RemoteWrite',
  histograms: sink.histograms === 'Native' ? 'Native' : 'Classic',
});

function notificationOf(sink: SettingsFile['sinks']['notifications'][number]): NotificationSink {
  const address = sinkOf(sink);
  return sink.kind === 'Webhook'
    ? { kind: 'Webhook', address, signingKey: sink.signingKey ?? '' }
    : { kind: 'Alertmanager', address };
}

type Access = Omit<SettingsFile['sources']['prometheus'], 'endpoint'>;

function accessOf({ tenant, authorization, credentials, ca }: Access): Omit<BackendAddress, 'endpoint'> {
  const kind = authorization === 'Basic' ? 'Basic' : 'Bearer';
  return {
    ...(tenant === undefined ? {} : { tenant }),
    ...(credentials === undefined ? {} : { authorization: { kind, file: credentials } }),
    ...(ca === undefined ? {} : { ca }),
  };
}

/** "512Mi" → 536 870 912. Throws a QuantityError for anything but whole mebibytes and gibibytes. */
export function parseBytes(text: string): number {
  const [, amount, unit] = /^(\d{1,6})(Mi|Gi)$/.exec(text) ?? [];
  if (amount === undefined) {
    throw new QuantityError(`"${text.slice(0, 64)}" is no number of bytes: write 512Mi or 2Gi`);
  }
  return Number(amount) * 2 ** (unit === 'Gi' ? 30 : 20);
}
