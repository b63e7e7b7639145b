import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { ProfilingPolicy } from '../../crds/profiling-policy.ts';
import { type AgentSettings, parseAssignment } from '../../wire/assignment.ts';
import {
  aClusterPolicy,
  aDeployment,
  aDeploymentGate,
  aGate,
  aPod,
  aPolicy,
  aReplicaSet,
  aView,
  START_MS,
} from '../regression-gate/testing/a-cluster.ts';
import { planAssignment } from './testing/plan-assignment.ts';

const WAITS_5_MS = { enabled: true, minDuration: '5ms' };

const containersOf = (view: ReturnType<typeof aView>, node = 'node-a') =>
  planAssignment(view, node, 'store-0001').containers.map(
    ({ pod, container, gated }) => `${pod}/${container}${gated ? ' gated' : ''}`,
  );

test('a running container of a selected pod on the node is assigned with its id and start', () => {
  const view = aView({ pods: [aPod()], policies: [aPolicy()] });

  const assignment = planAssignment(view, 'node-a', 'store-0001');

  assert.deepEqual(assignment.containers, [
    {
      namespace: 'shop',
      pod: 'orders-1',
      podUid: 'uid-orders-1',
      container: 'app',
      containerId: 'orders-1-app',
      startedAtMs: START_MS - 600_000,
      gated: false,
      symbols: 'Auto',
    },
  ]);
  assert.deepEqual(parseAssignment(JSON.parse(JSON.stringify(assignment))), assignment);
});

test('pods of other nodes, unselected pods and pods that do not run are not assigned', () => {
  const view = aView({
    policies: [aPolicy()],
    pods: [
      aPod({ name: 'elsewhere', node: 'node-b' }),
      aPod({ name: 'unselected', labels: { app: 'web' } }),
      aPod({ name: 'pending', phase: 'Pending' }),
      aPod({ name: 'done', phase: 'Succeeded' }),
      aPod({ name: 'mine' }),
    ],
  });

  assert.deepEqual(containersOf(view), ['mine/app']);
  assert.deepEqual(containersOf(view, 'node-b'), ['elsewhere/app']);
  assert.deepEqual(containersOf(view, 'node-c'), []);
});

test('a container is assigned with the workload its pod belongs to', () => {
  const view = aView({
    policies: [aPolicy()],
    replicaSets: [aReplicaSet({ hash: 'one', revision: 1 })],
    pods: [
      aPod({ name: 'of-deployment', owner: 'uid-orders-one', ownerKind: 'ReplicaSet' }),
      aPod({ name: 'of-set', owner: 'orders-db', ownerKind: 'StatefulSet' }),
    ],
  });

  const assignment = planAssignment(view, 'node-a', 'store-0001');

  assert.deepEqual(
    assignment.containers.map(({ pod, workload }) => [pod, workload]),
    [
      ['of-deployment', { kind: 'Deployment', name: 'orders' }],
      ['of-set', { kind: 'StatefulSet', name: 'orders-db' }],
    ],
  );
  assert.deepEqual(parseAssignment(JSON.parse(JSON.stringify(assignment))), assignment);
});

test('a policy without container names takes every container but mesh proxies; one with names takes these', () => {
  const pods = [aPod({ containers: ['app', 'istio-proxy', 'worker'] })];

  assert.deepEqual(containersOf(aView({ pods, policies: [aPolicy()] })), ['orders-1/app', 'orders-1/worker']);
  assert.deepEqual(
    containersOf(aView({ pods, policies: [aPolicy({ spec: { containers: ['istio-proxy'] } })] })),
    ['orders-1/istio-proxy'],
  );
});

const olderThan = (policy: ProfilingPolicy, ms: number): ProfilingPolicy => ({
  ...policy,
  metadata: { ...policy.metadata, creationTimestamp: new Date(START_MS - ms).toISOString() },
});

test('of several policies that select a pod one counts, with all it says, whatever the others ask for', () => {
  const { jvm } = aPolicy().spec;
  const older = olderThan(
    aPolicy({ name: 'older', spec: { containers: ['app'], cpu: { frequencyHz: 19 }, offCpu: WAITS_5_MS } }),
    9_000_000,
  );
  const newer = aPolicy({
    name: 'a-newer-one',
    spec: {
      cpu: { frequencyHz: 199 },
      jvm: { ...jvm, symbols: 'PerfMap', flags: { ...jvm.flags, mode: 'Live' } },
      io: WAITS_5_MS,
    },
  });
  const pods = [aPod({ containers: ['app', 'batch'] })];

  const both = planAssignment(aView({ pods, policies: [newer, older] }), 'node-a', 'store-0001');

  assert.deepEqual(both, planAssignment(aView({ pods, policies: [older] }), 'node-a', 'store-0001'));
  const [container, ...rest] = both.containers;
  assert.deepEqual([container?.container, container?.symbols, rest], ['app', 'Auto', []]);
  assert.deepEqual([container?.offCpu, container?.io, both.frequencyHz], [{ leastMs: 5 }, undefined, 19]);
  assert.deepEqual(both.live, []);
});

test('a policy that is being deleted leaves its pods to the next one at once', () => {
  const older = olderThan(aPolicy({ name: 'older', spec: { cpu: { frequencyHz: 19 } } }), 9_000_000);
  const going = { ...older, metadata: { ...older.metadata, deletionTimestamp: '2026-01-01T12:00:00Z' } };
  const view = aView({ pods: [aPod()], policies: [going, aPolicy()] });

  assert.equal(planAssignment(view, 'node-a', 'store-0001').frequencyHz, 49);
});

test('a policy of the cluster reaches the pods of the namespaces that it selects, where they have none of their own', () => {
  const clusterPolicies = [
    aClusterPolicy({ spec: { podSelector: { matchLabels: { tier: 'jvm' } }, cpu: { frequencyHz: 97 } } }),
  ];
  const pods = [
    aPod({ name: 'own', labels: { app: 'orders', tier: 'jvm' } }),
    aPod({ name: 'of-the-cluster', labels: { app: 'web', tier: 'jvm' } }),
    aPod({ name: 'of-nobody', labels: { app: 'web' } }),
  ];
  const inNamespace = (labels: Record<string, string>) =>
    ratesOf(aView({ pods, clusterPolicies, policies: [aPolicy()], namespaces: [{ name: 'shop', labels }] }));

  assert.deepEqual(inNamespace({ team: 'a' }), { own: 49, 'of-the-cluster': undefined });
  assert.deepEqual(inNamespace({ team: 'b' }), { own: undefined });
});

test('an assignment of a controller that knows no sources means Auto', () => {
  const [container] = planAssignment(
    aView({ pods: [aPod()], policies: [aPolicy()] }),
    'node-a',
    'store-0001',
  ).containers;
  const { symbols: _, ...before } = container ?? assert.fail('none assigned');
  const old = { version: '1', store: 'store-0001', windowMs: 10_000, frequencyHz: 49, containers: [before] };

  assert.equal(parseAssignment(old).containers[0]?.symbols, 'Auto');
});

test('the highest frequency of the policies at work on the node counts', () => {
  const of = (app: string, frequencyHz: number) =>
    aPolicy({ name: app, spec: { podSelector: { matchLabels: { app } }, cpu: { frequencyHz } } });
  const policies = [of('orders', 49), of('stock', 99), of('web', 199)];
  const view = aView({ pods: [aPod(), aPod({ name: 'stock-1', labels: { app: 'stock' } })], policies });

  assert.equal(planAssignment(view, 'node-a', 'store-0001').frequencyHz, 99);
});

test('pods that a gate compares are gated: by selectors on both arms, by Deployment in every revision', () => {
  const bySelector = aView({
    policies: [aPolicy()],
    gates: [aGate()],
    pods: [
      aPod({ name: 'canary', labels: { app: 'orders', track: 'canary' } }),
      aPod({ name: 'stable', labels: { app: 'orders', track: 'stable' } }),
      aPod({ name: 'neither' }),
    ],
  });
  assert.deepEqual(containersOf(bySelector), ['canary/app gated', 'stable/app gated', 'neither/app']);

  const byDeployment = aView({
    policies: [aPolicy()],
    gates: [aDeploymentGate()],
    deployments: [aDeployment()],
    replicaSets: [aReplicaSet({ hash: 'one', revision: 1 })],
    pods: [aPod({ name: 'before-any-rollout', owner: 'uid-orders-one' }), aPod({ name: 'stray' })],
  });
  assert.deepEqual(containersOf(byDeployment), ['before-any-rollout/app gated', 'stray/app']);
});

test('requests are watched of pods that a gate compares, unless their policy says no, by its routes', () => {
  const asked = (requests: ProfilingPolicy['spec']['requests']) => {
    const canary = { app: 'orders', track: 'canary' };
    const view = aView({
      gates: [aGate()],
      policies: [aPolicy({ spec: { requests } })],
      pods: [aPod({ name: 'canary', labels: canary }), aPod({ name: 'neither' })],
    });
    const assignment = planAssignment(view, 'node-a', 'store-0001');
    assert.deepEqual(parseAssignment(JSON.parse(JSON.stringify(assignment))), assignment);
    return assignment.containers.map(({ pod, requests: told }) => [pod, told]);
  };
  const spans = { enabled: false };
  const routes = ['/orders/{id}', '/**'];

  assert.deepEqual(asked({ enabled: true, routes: [], spans }), [
    ['canary', { routes: [] }],
    ['neither', undefined],
  ]);
  assert.deepEqual(asked({ enabled: true, routes, spans })[0], ['canary', { routes }]);
  assert.deepEqual(asked({ enabled: true, routes, spans: { enabled: true } })[0], [
    'canary',
    { routes, spans: true },
  ]);
  assert.deepEqual(asked({ enabled: false, routes, spans })[0], ['canary', undefined]);
});

test('it is looked who waits, and what is read and written, where the policy asks for it', () => {
  const asked = (spec: Partial<ProfilingPolicy['spec']>) => {
    const view = aView({ policies: [aPolicy({ spec })], pods: [aPod()] });
    const assignment = planAssignment(view, 'node-a', 'store-0001');
    assert.deepEqual(parseAssignment(JSON.parse(JSON.stringify(assignment))), assignment);
    return assignment.containers.map(({ offCpu, io }) => [offCpu, io])[0];
  };
  const second = { enabled: true, minDuration: '1s' };

  assert.deepEqual(asked({}), [undefined, undefined]);
  assert.deepEqual(asked({ offCpu: WAITS_5_MS }), [{ leastMs: 5 }, undefined]);
  assert.deepEqual(asked({ offCpu: second, io: WAITS_5_MS }), [{ leastMs: 1_000 }, { leastMs: 5 }]);
});

test('agents are told their part of the install’s settings, and a change of it is a change of the assignment', () => {
  const view = aView({ pods: [aPod()], policies: [aPolicy()] });
  const spool = { maxAgeMs: 3_600_000, maxBytes: 128 << 20 };
  const spansEndpoint = 'http://otel-collector.monitoring.svc:4318';
  const plan = (settings?: AgentSettings) => planAssignment(view, 'node-a', 'store-0001', settings);

  const told = plan({ spool, spansEndpoint });

  assert.deepEqual(told.settings, { spool, spansEndpoint });
  assert.deepEqual(parseAssignment(JSON.parse(JSON.stringify(told))), told);
  assert.equal(new Set([plan().version, plan({ spool }).version, told.version]).size, 3);
  for (const wrong of ['file:///etc/shadow', 'collector:4318', 'http://'])
    assert.throws(
      () => parseAssignment({ ...told, settings: { spool, spansEndpoint: wrong } }),
      /spansEndpoint/,
    );
  assert.throws(
    () => parseAssignment({ ...told, settings: { spool: { ...spool, maxBytes: 1 } } }),
    /settings\.spool\.maxBytes is not an integer/,
  );
});

test('an assignment whose routes are none is refused', () => {
  const view = aView({ pods: [aPod()], policies: [aPolicy()] });
  const assignment = planAssignment(view, 'node-a', 'store-0001');
  const container = { ...assignment.containers[0], requests: { routes: ['/orders?id={id}'] } };

  assert.throws(() => parseAssignment({ ...assignment, containers: [container] }), /is no route/);
});

test('a node never gets more containers than an agent accepts, and the gated ones stay', () => {
  const pods = Array.from({ length: 600 }, (_, index) => aPod({ name: `pod-${index}` }));
  const canary = aPod({ name: 'zz-canary', labels: { app: 'orders', track: 'canary' } });
  const view = aView({ pods: [...pods, canary], policies: [aPolicy()], gates: [aGate()] });

  const containers = containersOf(view);

  assert.equal(containers.length, 512);
  assert.equal(containers[0], 'zz-canary/app gated');
});

test('the plan does not depend on the order of the caches, and its version changes exactly with its content', () => {
  const labels = fc.constantFrom({ app: 'orders' }, { app: 'orders', track: 'canary' }, { app: 'web' });
  const pod = fc.record({
    name: fc.stringMatching(/^[a-z]{1,6}$/),
    node: fc.constantFrom('node-a', 'node-b'),
    labels,
    phase: fc.constantFrom('Running', 'Pending'),
  });
  const pods = fc.uniqueArray(pod, { selector: ({ name }) => name, maxLength: 12 });

  fc.assert(
    fc.property(pods, pods, (some, others) => {
      const plan = (fields: typeof some) =>
        planAssignment(
          aView({ pods: fields.map(aPod), policies: [aPolicy()], gates: [aGate()] }),
          'node-a',
          'store-0001',
        );

      const first = plan(some);
      assert.deepEqual(plan(some), first);
      assert.deepEqual(plan(some.toReversed()), first);
      const { version: _, ...content } = first;
      const { version: otherVersion, ...otherContent } = plan(others);
      assert.equal(otherVersion === first.version, JSON.stringify(otherContent) === JSON.stringify(content));
    }),
    { seed: 20260101, numRuns: 200 },
  );
});

test('a pod under a policy of mode Live is named with its containers as soon as it has a node', () => {
  const live = (containers: string[] = []) => {
    const { jvm } = aPolicy().spec;
    return aPolicy({ spec: { containers, jvm: { ...jvm, flags: { ...jvm.flags, mode: 'Live' } } } });
  };
  const pods = [
    aPod({ name: 'pending', phase: 'Pending', containers: ['app', 'istio-proxy', 'worker'] }),
    aPod({ name: 'running' }),
    aPod({ name: 'done', phase: 'Succeeded' }),
    aPod({ name: 'elsewhere', node: 'node-b' }),
    aPod({ name: 'unselected', labels: { app: 'web' } }),
  ];
  const liveOf = (policies: ReturnType<typeof aPolicy>[]) =>
    planAssignment(aView({ pods, policies }), 'node-a', 'store-0001').live.map(
      ({ podUid, container }) => `${podUid}/${container}`,
    );

  assert.deepEqual(liveOf([live()]), ['uid-pending/app', 'uid-pending/worker', 'uid-running/app']);
  assert.deepEqual(liveOf([live(['worker'])]), ['uid-pending/worker']);
  assert.deepEqual(liveOf([aPolicy()]), []);
});

test('an assignment of a controller that knows no mode Live asks for it nowhere', () => {
  const { live: _, ...before } = planAssignment(aView({}), 'node-a', 'store-0001');

  assert.deepEqual(parseAssignment(before).live, []);
  assert.throws(() => parseAssignment({ ...before, live: [{ podUid: 'u' }] }), /live\[0\]\.container/);
});

const evidence = (frequencyHz: number) => ({
  evidence: { frequencyHz, rateReason: 'Raised' as const, rateMessage: '', message: '' },
});
const ratesOf = (view: ReturnType<typeof aView>, node = 'node-a') =>
  Object.fromEntries(
    planAssignment(view, node, 'store-0001').containers.map(({ pod, frequencyHz }) => [pod, frequencyHz]),
  );

test('a gate raises the rate of the pods of both its arms, and of no other pod of their nodes', () => {
  const pods = [
    aPod({ name: 'stable', labels: { app: 'orders', track: 'stable' } }),
    aPod({ name: 'canary', node: 'node-b', labels: { app: 'orders', track: 'canary' } }),
    aPod({ name: 'other', labels: { app: 'orders', track: 'none' } }),
  ];
  const gated = { pods, policies: [aPolicy()] };
  const raised = aView({ ...gated, gates: [aGate({ status: evidence(199) })] });
  const over = aView({ ...gated, gates: [aGate({ status: { verdict: 'Passed' } })] });

  assert.deepEqual(ratesOf(raised), { stable: 199, other: undefined });
  assert.deepEqual(ratesOf(raised, 'node-b'), { canary: 199 });
  assert.deepEqual(ratesOf(over), { stable: undefined, other: undefined });
  const assignment = planAssignment(raised, 'node-a', 'store-0001');
  assert.equal(assignment.frequencyHz, 49, 'what an agent does that knows of one rate only');
  assert.notEqual(assignment.version, planAssignment(over, 'node-a', 'store-0001').version);
  assert.deepEqual(parseAssignment(JSON.parse(JSON.stringify(assignment))), assignment);
});

test('two canaries beside one baseline have one rate, whichever of their gates asks', () => {
  const selecting = (track: string) => ({ podSelector: { matchLabels: { app: 'orders', track } } });
  const gateOf = (name: string, baseline: string, canary: string, hz?: number) => ({
    ...aGate({
      spec: { baseline: selecting(baseline), canary: selecting(canary) },
      ...(hz === undefined ? {} : { status: evidence(hz) }),
    }),
    metadata: { ...aGate().metadata, name, uid: name },
  });
  const view = aView({
    policies: [aPolicy()],
    pods: ['a', 'b', 'c', 'd', 'e'].map((track) => aPod({ name: track, labels: { app: 'orders', track } })),
    gates: [gateOf('one', 'a', 'b'), gateOf('two', 'b', 'c', 97), gateOf('three', 'd', 'e')],
  });

  assert.deepEqual(ratesOf(view), { a: 97, b: 97, c: 97, d: undefined, e: undefined });
});

test('a container has the rate of its own policies where its node has others', () => {
  const view = aView({
    policies: [
      aPolicy({
        name: 'fast',
        spec: { podSelector: { matchLabels: { app: 'web' } }, cpu: { frequencyHz: 97 } },
      }),
      aPolicy(),
    ],
    pods: [aPod({ name: 'web', labels: { app: 'web' } }), aPod({ name: 'orders' })],
  });

  assert.deepEqual(ratesOf(view), { web: undefined, orders: 49 });
  assert.equal(planAssignment(view, 'node-a', 'store-0001').frequencyHz, 97);
});
