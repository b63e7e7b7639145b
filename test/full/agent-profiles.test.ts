/** An agent as a process of its own, a real JVM in a real cgroup, and Pyroscope's own handler and a Collector at the other end. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { aContainer, anAgent, anAssignment, ended } from '../../src/agent/agent-fixture.ts';
import { aController } from '../../src/agent/controller-fixture.ts';
import { aDirectory, aJvm, eventually } from '../../src/agent/jvm-fixture.ts';
import { aCollector } from '../otel-collector/collector.ts';
import { aPrometheus, until } from '../prometheus/prometheus.ts';
import { aReceivers } from '../sinks/receivers.ts';

const SPOOL = { maxAgeMs: 3_600_000, maxBytes: 1 << 27 };

test('profiles of a JVM that no gate compares arrive, as much CPU as its windows say, and so does the page of metrics', async (t) => {
  const server = await aReceivers(t);
  const collector = await aCollector(t);
  const prometheus = await aPrometheus(t, { targets: [], remoteWrite: true });
  const controller = await aController(t);
  const container = aContainer(t);
  await aJvm(t, { cgroup: container.directory, contained: true });
  const credentials = aDirectory(t);
  writeFileSync(`${credentials}/cloud`, '12:glc_secret\n');
  const before = anAssignment(container.id, false);
  const workload = { kind: 'Deployment', name: 'orders' };
  const profiles = { sinks: ['cloud', 'unknown', 'collector'], revision: '5d9c', image: 'orders:2' };
  controller.assignment = {
    ...before,
    containers: before.containers.map((each) => ({ ...each, workload, profiles })),
    settings: {
      spool: SPOOL,
      sinks: {
        metrics: [
          {
            ...{ name: 'prometheus', kind: 'RemoteWrite', histograms: 'Classic' },
            endpoint: `http://127.0.0.1:${prometheus.port}/api/v1/write`,
          },
          { name: 'collector-metrics', kind: 'Otlp', histograms: 'Native', endpoint: collector.endpoint },
        ],
        profiles: [
          {
            ...{ name: 'cloud', kind: 'Pyroscope', endpoint: server.endpoint, tenant: 'team-a' },
            authorization: { kind: 'Basic', file: 'cloud' },
          },
          { name: 'away', kind: 'Pyroscope', endpoint: 'http://127.0.0.1:1' },
          { name: 'collector', kind: 'Otlp', endpoint: collector.endpoint },
        ],
      },
    },
  };
  const agent = anAgent(t, controller, { env: { FLAMEGATE_CREDENTIALS_DIR: credentials } });

  await eventually('some windows have samples', () => {
    const named = controller.batches.filter(({ pods }) => pods[0]?.jvm.state === 'Profiled');
    return named.length > 3 && named.reduce((sum, { pods }) => sum + (pods[0]?.samples ?? 0), 0) > 100;
  });
  assert.equal(await ended(agent.child, 'SIGTERM'), 0);

  const { pushes } = await server.received();
  const all = pushes.flatMap((push) => push.profiles);
  const [profile] = all;
  assert(profile);
  assert.deepEqual(profile.labels, {
    ...{
      __name__: 'process_cpu',
      service_name: 'orders',
      namespace: 'shop',
      pod: 'orders-1',
      container: 'app',
    },
    ...{ node: 'n1', workload_kind: 'Deployment', revision: '5d9c', image: 'orders:2' },
  });
  assert.equal(pushes[0]?.headers['X-Scope-OrgID'], 'team-a');
  const samples = all.reduce((sum, { total, period }) => sum + total / period, 0);
  const pods = controller.batches.flatMap((batch) => batch.pods);
  const sampled = pods.reduce((sum, pod) => sum + pod.samples, 0);
  assert(samples > 0.9 * sampled && samples <= 1.1 * sampled, `${samples} of ${sampled} samples`);
  const busy = Object.entries(profile.stacks).filter(([stack]) => /Busy\.\w+\(Busy\.java:\d+\)/.test(stack));
  const ofBusy = busy.reduce((sum, [, value]) => sum + value, 0);
  assert(ofBusy > 0.8 * profile.total, JSON.stringify(profile.stacks));
  assert(
    pods.every(({ counts }) => counts.length === 0),
    'no gate compares it',
  );
  const told = controller.batches.at(-1)?.agent.sinks?.map(({ name }) => name);
  assert.deepEqual(told, ['cloud', 'away', 'collector', 'prometheus', 'collector-metrics']);
  const exported = collector.exported();
  assert.deepEqual(exported.profiles[0]?.resource, {
    ...{ 'service.name': 'orders', 'k8s.namespace.name': 'shop', 'k8s.pod.name': 'orders-1' },
    ...{ 'k8s.pod.uid': 'aaaa', 'k8s.container.name': 'app', 'k8s.deployment.name': 'orders' },
    ...{ 'k8s.node.name': 'n1', 'container.id': container.id, 'flamegate.revision': '5d9c' },
    ...{ 'container.image.name': 'orders', 'container.image.tags': ['2'] },
  });
  const sumOf = (stacks: Readonly<Record<string, number>>) =>
    Object.values(stacks).reduce((sum, value) => sum + value, 0);
  assert.deepEqual(
    exported.profiles.map(({ stacks, period }) => [sumOf(stacks), period]),
    all.map(({ total, period }) => [total, period]),
    'as Pyroscope has them',
  );
  assert.deepEqual(exported.profiles[0]?.stacks, profile.stacks);
  const jvms = exported.metrics.findLast(({ name }) => name === 'flamegate_agent_jvms');
  assert.deepEqual(
    [jvms?.kind, jvms?.points[0]?.value, jvms?.resource['service.instance.id']],
    ['gauge', 1, 'n1'],
  );
  const written = await until('its page was written', async () => {
    const found = await prometheus.query('flamegate_agent_jvms', 'job', 'instance');
    return found.size > 0 ? found : undefined;
  });
  assert.deepEqual([...written], [['flamegate-agent n1', 1]]);
  assert.doesNotMatch(agent.output() + JSON.stringify(controller.batches), /glc_secret/);
});
