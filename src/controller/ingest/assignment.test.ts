import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseAssignment } from '../../wire/assignment.ts';
import {
  aDeployment,
  aDeploymentGate,
  aGate,
  aPod,
  aPolicy,
  aReplicaSet,
  aView,
  START_MS,
} from '../regression-gate/testing/a-cluster.ts';
import { planAssignment } from './assignment.ts';

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

test('of several policies the one whose source of names touches the JVM least counts, container by container', () => {
  const from = (symbols: 'Auto' | 'VmStructs' | 'PerfMap', containers: string[]) =>
    aPolicy({ name: `${symbols}-policy`, spec: { containers, jvm: { ...aPolicy().spec.jvm, symbols } } });
  const policies = [
    from('PerfMap', ['app', 'batch', 'worker']),
    from('Auto', ['app', 'worker']),
    from('VmStructs', ['app']),
  ];
  const view = aView({ pods: [aPod({ containers: ['app', 'batch', 'worker'] })], policies });

  const { containers } = planAssignment(view, 'node-a', 'store-0001');

  assert.deepEqual(Object.fromEntries(containers.map(({ container, symbols }) => [container, symbols])), {
    app: 'VmStructs',
    batch: 'PerfMap',
    worker: 'Auto',
  });
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
  const policies = [
    aPolicy(),
    aPolicy({ name: 'faster', spec: { cpu: { frequencyHz: 99 } } }),
    aPolicy({
      name: 'elsewhere',
      spec: { podSelector: { matchLabels: { app: 'web' } }, cpu: { frequencyHz: 199 } },
    }),
  ];
  const view = aView({ pods: [aPod()], policies });

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

test('requests are watched of pods that a gate compares, unless a policy says no, by all routes of its policies', () => {
  const asked = (...wishes: readonly { enabled: boolean; routes: string[] }[]) => {
    const canary = { app: 'orders', track: 'canary' };
    const view = aView({
      gates: [aGate()],
      policies: wishes
        .map((wish, at) => ({
          name: `policy-${at}`,
          spec: { requests: { ...wish, spans: { enabled: false } } },
        }))
        .map(aPolicy)
        .reverse(),
      pods: [aPod({ name: 'canary', labels: canary }), aPod({ name: 'neither' })],
    });
    const assignment = planAssignment(view, 'node-a', 'store-0001');
    assert.deepEqual(parseAssignment(JSON.parse(JSON.stringify(assignment))), assignment);
    return assignment.containers.map(({ pod, requests }) => [pod, requests?.routes.join(' ')]);
  };
  const orders = { enabled: true, routes: ['/orders/{id}', '/**'] };

  assert.deepEqual(asked({ enabled: true, routes: [] }), [
    ['canary', ''],
    ['neither', undefined],
  ]);
  assert.deepEqual(asked(orders, { enabled: true, routes: ['/stock/{sku}', '/**'] })[0], [
    'canary',
    '/orders/{id} /** /stock/{sku}',
  ]);
  assert.deepEqual(asked(orders, { enabled: false, routes: [] })[0], ['canary', undefined]);
});

test('requests become spans only where every policy of the pod says so', () => {
  const spansOf = (...wishes: readonly boolean[]) => {
    const view = aView({
      gates: [aGate()],
      policies: wishes.map((enabled, at) =>
        aPolicy({
          name: `policy-${at}`,
          spec: { requests: { enabled: true, routes: [], spans: { enabled } } },
        }),
      ),
      pods: [aPod({ name: 'canary', labels: { app: 'orders', track: 'canary' } })],
    });
    const assignment = planAssignment(view, 'node-a', 'store-0001');
    assert.deepEqual(parseAssignment(JSON.parse(JSON.stringify(assignment))), assignment);
    return assignment.containers[0]?.requests?.spans;
  };

  assert.deepEqual([spansOf(true), spansOf(true, true), spansOf(true, false)], [true, true, undefined]);
});

test('it is looked who waits where a policy asks for it, by the shortest time that any of them says', () => {
  const asked = (...wishes: readonly { enabled: boolean; minDuration: string }[]) => {
    const policies = wishes.map((offCpu, at) => aPolicy({ name: `policy-${at}`, spec: { offCpu } }));
    const assignment = planAssignment(aView({ policies, pods: [aPod()] }), 'node-a', 'store-0001');
    assert.deepEqual(parseAssignment(JSON.parse(JSON.stringify(assignment))), assignment);
    return assignment.containers[0]?.offCpu;
  };
  const off = { enabled: false, minDuration: '1ms' };

  assert.equal(asked(off), undefined);
  assert.deepEqual(asked(off, { enabled: true, minDuration: '20ms' }), { leastMs: 20 });
  assert.deepEqual(asked({ enabled: true, minDuration: '1s' }, { enabled: true, minDuration: '5ms' }), {
    leastMs: 5,
  });
});

test('what is read and written is counted where a policy asks for it, slow from the shortest time on', () => {
  const slow = { enabled: true, minDuration: '20ms' };
  const policies = [
    aPolicy({ name: 'policy-0', spec: { io: { enabled: false, minDuration: '1ms' } } }),
    aPolicy({ name: 'policy-1', spec: { io: slow } }),
    aPolicy({ name: 'policy-2', spec: { io: { ...slow, minDuration: '1s' } } }),
  ];
  const assignment = planAssignment(aView({ policies, pods: [aPod()] }), 'node-a', 'store-0001');

  assert.deepEqual(parseAssignment(JSON.parse(JSON.stringify(assignment))), assignment);
  assert.deepEqual(
    assignment.containers.map(({ io, offCpu }) => [io, offCpu]),
    [[{ leastMs: 20 }, undefined]],
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
  assert.deepEqual(liveOf([live(['worker']), aPolicy()]), ['uid-pending/worker']);
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
