/** The page of metrics, written to a real Prometheus by remote write. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aPrometheus, until } from '../../test/prometheus/prometheus.ts';
import { writeRemotely } from '../sinks/remote-write.ts';
import { snappyBlock } from '../sinks/snappy.ts';
import { createMetrics } from './metrics.ts';
import { createRequestDurations } from './request-durations.ts';
import { writeRequests } from './write-requests.ts';

const ORDERS = { namespace: 'shop', pod: 'orders-1', podUid: 'uid-1', container: 'app' };

for (const histograms of ['Native', 'Classic'] as const) {
  test(`a real Prometheus takes the page with ${histograms} histograms, and tells the same`, async (t) => {
    const prometheus = await aPrometheus(t, { targets: [], nativeHistograms: true, remoteWrite: true });
    const durations = createRequestDurations();
    const metrics = createMetrics(durations, () => [
      { name: 'cloud', sent: 7, refused: 1, lost: 2, failing: 'HTTP401' },
    ]);
    metrics.windows.inc({}, 41);
    const of = durations.begin(() => ORDERS);
    for (let at = 0; at < 1_000; at++) {
      const latencyNs = (at < 990 ? 20 : 400) * 1e6;
      const exchange = {
        method: 'GET',
        path: '/orders/1',
        status: 200,
        outcome: 'Completed',
        latencyNs,
      } as const;
      of.add(exchange, { method: 'GET', label: { route: `/orders/${at % 3}`, byPattern: true } });
    }
    const endpoint = `http://127.0.0.1:${prometheus.port}/api/v1/write`;
    const options = {
      labels: { job: 'flamegate-agent', instance: 'n1' },
      timestampMs: Date.now(),
      histograms,
    };

    for (const request of writeRequests(metrics.families(), options)) {
      const answer = await writeRemotely(
        { address: { name: 'prometheus', endpoint }, credentialsDirectory: '' },
        snappyBlock(request),
        new AbortController().signal,
      );
      assert.deepEqual(answer, { kind: 'taken' });
    }

    const asked = (query: string, ...by: readonly string[]) =>
      until(`an answer to ${query}`, async () => {
        const found = await prometheus.query(query, ...by);
        return found.size > 0 ? found : undefined;
      });
    assert.deepEqual(
      [...(await asked('flamegate_agent_windows_total', 'job', 'instance'))],
      [['flamegate-agent n1', 41]],
    );
    const name = 'http_server_request_duration_seconds';
    const of3 = histograms === 'Native' ? `histogram_count(sum(${name}))` : `sum(${name}_count)`;
    assert.deepEqual([...(await asked(of3)).values()], [1_000]);
    const buckets = histograms === 'Native' ? `sum(${name})` : `sum by (le) (${name}_bucket)`;
    const [p50] = [...(await asked(`histogram_quantile(0.5, ${buckets})`)).values()];
    const [low, high] = histograms === 'Native' ? [0.0195, 0.0205] : [0.01, 0.025];
    assert(p50 !== undefined && p50 > low && p50 <= high, String(p50));
    assert.deepEqual([...(await asked('flamegate_sink_items_total', 'sink', 'result'))].sort(), [
      ['cloud lost', 2],
      ['cloud refused', 1],
      ['cloud sent', 7],
    ]);
  });
}
