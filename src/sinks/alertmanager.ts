/** Alertmanager's API v2, POST /api/v2/alerts (api/v2/openapi.yaml). An alert is on until its `endsAt`, and is told again and again before. */
import type { SinkAddress } from '../wire/sinks.ts';
import type { Answer } from './delivery.ts';
import { postToSink } from './post-to-sink.ts';

export interface Alert {
  /** Which one it is. */
  readonly labels: Readonly<Record<string, string>>;
  /** What is said of it. */
  readonly annotations: Readonly<Record<string, string>>;
  readonly startsAtMs: number;
  readonly endsAtMs: number;
}

export interface AlertmanagerOptions {
  readonly address: SinkAddress;
  readonly credentialsDirectory: string;
}

export const ALERTMANAGER_LIMITS = {
  mostQueued: 1_000,
  mostQueuedBytes: 4 * 1024 * 1024,
  mostAtOnce: 64, // as Prometheus
  mostBytesAtOnce: 512 * 1024,
  worthMs: 5 * 60_000, // by then it was told anew, or has ended
} as const;

export function sendAlerts(
  { address, credentialsDirectory }: AlertmanagerOptions,
  alerts: readonly Alert[],
  signal: AbortSignal,
): Promise<Answer> {
  const headers = { 'content-type': 'application/json' };
  const body = JSON.stringify(alerts.map(asPosted));
  return postToSink({ address, credentialsDirectory, path: 'api/v2/alerts', headers, body }, signal);
}

export const alertBytes = (alert: Alert): number => Buffer.byteLength(JSON.stringify(asPosted(alert)));

const asPosted = ({ labels, annotations, startsAtMs, endsAtMs }: Alert) => ({
  ...{ labels, annotations },
  startsAt: new Date(startsAtMs).toISOString(),
  endsAt: new Date(endsAtMs).toISOString(),
});
