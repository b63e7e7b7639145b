/** What gates say, by OTLP to a real Collector. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Histogram } from 'prom-client';
import { aCollector } from '../../../test/otel-collector/collector.ts';
import { until } from '../../../test/prometheus/prometheus.ts';
import type { MetricsSink } from '../../wire/sinks.ts';
import { controllerMetrics } from '../metrics.ts';
import { exposeGates } from '../regression-gate/gate-metrics.ts';
import { aGate, aView } from '../regression-gate/testing/a-cluster.ts';
import { startMetricsExporter } from './metrics-exporter.ts';

test('a real Collector is told of verdicts, and of none once the settings name no sink', async (t) => {
  const collector = await aCollector(t);
  const { registry, settings } = controllerMetrics();
  exposeGates(registry, aView({ gates: [{ ...aGate(), status: { verdict: 'Failed' } }] }));
  settings('abc', true);
  const seconds = new Histogram({
    name: 'took_seconds',
    help: 'x',
    labelNames: ['of'],
    buckets: [1, 5],
    registers: [registry],
  });
  for (const value of [0.5, 0.7, 3, 9]) seconds.observe({ of: 'a' }, value);
  seconds.observe({ of: 'b' }, 2);
  const address = { name: 'collector', endpoint: collector.endpoint, histograms: 'Classic' } as const;
  let sinks: readonly MetricsSink[] = [
    { ...address, kind: 'Otlp' },
    { ...address, name: 'mimir', kind: 'RemoteWrite' },
  ];
  const exporter = startMetricsExporter({
    ...{ registry, sinks: () => sinks, instance: 'flamegate-controller-0', namespace: 'flamegate-system' },
    ...{ credentialsDirectory: '', log: { warn: (fields) => assert.fail(JSON.stringify(fields)) } },
    ...{ now: Date.now, everyMs: 100 },
  });

  await until('a page is taken', async () => (exporter.reports()[0]?.sent ?? 0) > 0 || undefined);
  assert.deepEqual(
    exporter.reports().map(({ name }) => name),
    ['collector'],
  );
  sinks = [];
  await until('the sink is closed', async () => exporter.reports().length === 0 || undefined);
  await exporter.stop();

  const { metrics } = collector.exported();
  const named = (name: string) => metrics.find((metric) => metric.name === name);
  const verdict = named('flamegate_gate_verdict');
  assert.deepEqual(verdict?.resource, {
    ...{ 'service.name': 'flamegate-controller', 'service.instance.id': 'flamegate-controller-0' },
    'k8s.namespace.name': 'flamegate-system',
  });
  assert.equal(verdict.kind, 'gauge');
  const shown = verdict.points.filter(({ value }) => value === 1).map(({ attributes }) => attributes);
  assert.deepEqual(shown, [{ 'k8s.namespace.name': 'shop', gate: 'orders-cpu', verdict: 'Failed' }]);
  assert.deepEqual(
    named('flamegate_settings_info')?.points.map(({ attributes }) => attributes),
    [{ hash: 'abc' }],
  );
  const took = named('took_seconds');
  assert.deepEqual(
    took?.points.map(({ attributes, count, sum, buckets }) => ({ attributes, count, sum, buckets })),
    [
      {
        attributes: { of: 'a' },
        count: 4,
        sum: 13.2,
        buckets: [
          [1, 2],
          [5, 1],
          [Number.POSITIVE_INFINITY, 1],
        ],
      },
      { attributes: { of: 'b' }, count: 1, sum: 2, buckets: [[5, 1]] },
    ],
  );
});
