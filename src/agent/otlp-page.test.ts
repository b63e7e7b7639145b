/** The page of metrics, sent to a real Collector by OTLP. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aCollector } from '../../test/otel-collector/collector.ts';
import { packedForOtlp, sendByOtlp } from '../sinks/otlp.ts';
import { otlpMetrics } from '../sinks/otlp-metrics.ts';
import { createMetrics } from './metrics.ts';
import { otlpPage } from './otlp-page.ts';
import { createRequestDurations } from './request-durations.ts';

const ORDERS = {
  ...{ namespace: 'shop', pod: 'orders-1', podUid: 'uid-1', container: 'app' },
  workload: { kind: 'Deployment', name: 'orders' },
};
const AGENT = { 'service.name': 'flamegate-agent', 'service.instance.id': 'n1' };

for (const histograms of ['Native', 'Classic'] as const) {
  test(`a real Collector takes the page with ${histograms} histograms, by services`, async (t) => {
    const collector = await aCollector(t);
    const durations = createRequestDurations();
    const metrics = createMetrics(durations);
    metrics.windows.inc({}, 41);
    const of = durations.begin(() => ORDERS);
    for (let at = 0; at < 1_000; at++) {
      const latencyNs = (at < 990 ? 20 : 400) * 1e6;
      const exchange = { method: 'GET', path: '/', status: 200, outcome: 'Completed', latencyNs } as const;
      of.add(exchange, { method: 'GET', label: { route: `/orders/${at % 2}`, byPattern: true } });
    }
    const time = { startMs: Date.parse('2026-11-26T12:00:00Z'), nowMs: Date.parse('2026-11-26T12:30:00Z') };

    const page = otlpPage(metrics.families(), { attributes: AGENT, histograms });
    for (const request of otlpMetrics(page, time)) {
      const answer = await sendByOtlp(
        { address: { name: 'collector', endpoint: collector.endpoint }, credentialsDirectory: '' },
        ...(['metrics', await packedForOtlp(request), AbortSignal.timeout(20_000)] as const),
      );
      assert.deepEqual(answer, { kind: 'taken' });
    }

    const { metrics: taken } = collector.exported();
    const windows = taken.find(({ name }) => name === 'flamegate_agent_windows_total');
    assert.deepEqual([windows?.resource, windows?.kind, windows?.isMonotonic], [AGENT, 'sum', true]);
    assert.deepEqual(windows?.points, [
      { attributes: {}, value: 41, count: 0, sum: 0, startMs: time.startMs, atMs: time.nowMs, buckets: [] },
    ]);
    const requests = taken.find(({ name }) => name === 'http.server.request.duration');
    assert.deepEqual(requests?.resource, {
      ...{ 'service.name': 'orders', 'k8s.namespace.name': 'shop', 'k8s.pod.name': 'orders-1' },
      ...{ 'k8s.pod.uid': 'uid-1', 'k8s.container.name': 'app', 'k8s.deployment.name': 'orders' },
    });
    const kind = histograms === 'Native' ? 'exponentialHistogram' : 'histogram';
    assert.deepEqual([requests?.unit, requests?.kind], ['s', kind]);
    assert.deepEqual(
      requests?.points.map(({ attributes, count }) => [attributes, count]),
      [0, 1].map((route) => [
        {
          ...{ 'http.request.method': 'GET', 'http.route': `/orders/${route}` },
          ...{ 'http.response.status_code': '200', 'url.scheme': 'http' },
        },
        500,
      ]),
    );
    const [point] = requests?.points ?? [];
    assert(point !== undefined && Math.abs(point.sum - (495 * 0.02 + 5 * 0.4)) < 1e-9, String(point?.sum));
    const [low, high] = histograms === 'Native' ? [1, 1.022] : [1, 2.5];
    assert.deepEqual(
      point.buckets.map(([, count]) => count),
      [495, 5],
    );
    const seconds = [0.02, 0.4];
    for (const [nth, [bound]] of point.buckets.entries()) {
      const from = seconds[nth] ?? 0;
      assert(bound >= from * low && bound <= from * high, `${bound} for ${from}`);
    }
  });
}
