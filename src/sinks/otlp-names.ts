/**
 * Names of our pages of metrics, which are Prometheus's, as OpenTelemetry has them where they were its own before: what is read by
 * OTLP then is the same as what its SDKs send. Pure.
 */
import { HTTP_SERIES, RPC_SERIES } from '../requests/scraped-labels.ts';
import type { OtlpAttributes } from './otlp-fields.ts';
import type { MetricName } from './otlp-metrics.ts';

const METRICS: ReadonlyMap<string, Omit<MetricName, 'description'>> = new Map([
  [HTTP_SERIES, { name: 'http.server.request.duration', unit: 's' }],
  [RPC_SERIES, { name: 'rpc.server.duration', unit: 'ms' }],
]);

const ATTRIBUTES: ReadonlyMap<string, string> = new Map(
  [
    ...['http.request.method', 'http.response.status_code', 'http.route', 'url.scheme', 'error.type'],
    ...['rpc.system', 'rpc.service', 'rpc.method', 'rpc.grpc.status_code', 'otel.metric.overflow'],
    ...['k8s.namespace.name', 'k8s.pod.name', 'k8s.pod.uid', 'k8s.container.name'],
    ...['k8s.deployment.name', 'k8s.statefulset.name', 'k8s.daemonset.name'],
    ...['k8s.replicaset.name', 'k8s.job.name'],
  ].map((name) => [name.replaceAll('.', '_'), name]),
);
const NUMBERS: ReadonlySet<string> = new Set(['http.response.status_code', 'rpc.grpc.status_code']);

export const otlpName = (name: string, description: string): MetricName => ({
  ...(METRICS.get(name) ?? { name, unit: '' }),
  description,
});

/** A label without a value is none. */
export function otlpAttributes(labels: Readonly<Record<string, string | number>>): OtlpAttributes {
  return Object.fromEntries(
    Object.entries(labels)
      .filter(([, value]) => value !== '')
      .map(([label, value]) => {
        const name = ATTRIBUTES.get(label) ?? label;
        return [name, NUMBERS.has(name) && /^\d{1,9}$/.test(String(value)) ? Number(value) : String(value)];
      }),
  );
}
