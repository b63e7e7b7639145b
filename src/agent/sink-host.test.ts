/** One gathering for sinks of both kinds: a real Collector, beside a sink that is away. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { aCollector } from '../../test/otel-collector/collector.ts';
import type { AssignedContainer } from '../wire/assignment.ts';
import { anAssignment } from './agent-fixture.ts';
import { createExposition } from './exposition.ts';
import { eventually } from './jvm-fixture.ts';
import { createSinkHost } from './sink-host.ts';

const START = Date.parse('2026-11-26T12:00:00Z');

test('what is gathered once goes to a Collector as profiles and metrics', async (t) => {
  const collector = await aCollector(t);
  const page = createExposition();
  page.counter('flamegate_agent_windows_total', 'Windows.').inc({}, 41);
  const [first] = anAssignment('c1', false).containers;
  assert(first);
  const container: AssignedContainer = {
    ...first,
    profiles: { sinks: ['collector', 'away'], revision: '5d9c', image: 'registry:5000/orders:2@sha256:aa' },
  };
  const sinks = createSinkHost({
    ...{ nodeName: 'n1', credentialsDirectory: '', families: () => page.families() },
    ...{ log: { warn: () => undefined }, now: () => START + 60_000, random: Math.random, randomBytes },
  });
  sinks.sendTo({
    profiles: [
      { name: 'collector', kind: 'Otlp', endpoint: collector.endpoint },
      { name: 'away', kind: 'Pyroscope', endpoint: 'http://127.0.0.1:1' },
    ],
    metrics: [{ name: 'series', kind: 'Otlp', histograms: 'Native', endpoint: collector.endpoint }],
  });
  await eventually('they are open', () => sinks.reports().length === 3);

  sinks.profileOf(container, 100)?.add([{ name: 'shop.Codec.encode', place: 'Codec.kt:87' }], 7);
  sinks.windowClosed(START, START + 30_000);
  await sinks.stop(AbortSignal.timeout(20_000));

  const { profiles, metrics } = collector.exported();
  assert.deepEqual(
    profiles.map(({ resource, stacks, timeMs, durationMs }) => ({ resource, stacks, timeMs, durationMs })),
    [
      {
        resource: {
          ...{ 'service.name': first.pod, 'k8s.namespace.name': first.namespace, 'k8s.pod.name': first.pod },
          ...{ 'k8s.pod.uid': first.podUid, 'k8s.container.name': first.container, 'k8s.node.name': 'n1' },
          ...{ 'container.id': 'c1', 'flamegate.revision': '5d9c' },
          ...{ 'container.image.name': 'registry:5000/orders', 'container.image.tags': ['2'] },
        },
        ...{ stacks: { 'shop.Codec.encode(Codec.kt:87)': 70_000_000 }, timeMs: START, durationMs: 30_000 },
      },
    ],
  );
  const [windows] = metrics;
  assert.deepEqual([windows?.name, windows?.points[0]?.value], ['flamegate_agent_windows_total', 41]);
  assert.deepEqual(windows?.resource, {
    ...{ 'service.name': 'flamegate-agent', 'service.instance.id': 'n1', 'k8s.node.name': 'n1' },
  });
});
