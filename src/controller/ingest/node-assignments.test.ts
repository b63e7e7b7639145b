import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  aDeployment,
  aDeploymentGate,
  aGate,
  aPod,
  aPolicy,
  aReplicaSet,
  aReport,
  aView,
  type Cluster,
  START_MS,
  type TestView,
} from '../regression-gate/testing/a-cluster.ts';
import { type NodeAssignments, nodeAssignments } from './node-assignments.ts';
import { planAssignment } from './testing/plan-assignment.ts';

const NODES = ['node-a', 'node-b'];

const SETTINGS = { spool: { maxAgeMs: 3_600_000, maxBytes: 1_000_000 } };

const renew = (assignments: NodeAssignments) => Array.from(assignments.renewed());

/** What a watch does: an object that changes is another object, all others stay. */
const CHANGES: Readonly<Record<string, (view: TestView) => Partial<Cluster>>> = {
  'a pod comes': (view) => {
    const pods = view.pods();
    return { pods: [...pods, aPod({ name: `more-${pods.length}`, node: NODES[pods.length % 2] ?? '' })] };
  },
  'a pod goes': (view) => ({ pods: view.pods().slice(1) }),
  'a pod restarts': (view) => {
    const [first, ...others] = view.pods();
    const name = first?.metadata?.name ?? 'orders-1';
    return { pods: [aPod({ name, startedAtMs: START_MS }), ...others] };
  },
  'a gate comes': () => ({ gates: [aGate()] }),
  'a gate goes': () => ({ gates: [] }),
  'a rollout begins': (view) => ({
    gates: [aDeploymentGate()],
    deployments: [aDeployment()],
    replicaSets: [
      aReplicaSet({ hash: 'aaa', revision: 1 }),
      aReplicaSet({ hash: 'bbb', revision: 2, image: 'orders:2' }),
    ],
    pods: [...view.pods(), aPod({ name: 'new', owner: 'uid-orders-bbb', node: 'node-b' })],
  }),
  'it is decided': () => ({ reports: [aReport({ status: { verdict: 'Passed' } })] }),
  'a policy changes': () => ({
    policies: [aPolicy({ spec: { offCpu: { enabled: true, minDuration: '5ms' } } })],
  }),
  'a policy goes': () => ({ policies: [] }),
  'an owner becomes known': () => ({ replicaSets: [aReplicaSet({ hash: 'aaa', revision: 1 })] }),
  'nothing changes': () => ({}),
};

function planned() {
  const owned = aPod({ owner: 'uid-orders-aaa', ownerKind: 'ReplicaSet' });
  const view = aView({ pods: [owned, aPod({ name: 'elsewhere', node: 'node-b' })], policies: [aPolicy()] });
  const watched = () => new Set<string>();
  const assignments = nodeAssignments({
    view,
    watched,
    storeId: () => 'store-0001',
    settings: () => SETTINGS,
  });
  const change = (parts: Partial<Cluster>): void => {
    view.change(parts);
    renew(assignments);
  };
  return { view, assignments, change };
}

test('after any changes each node has the assignment that would be planned for it anew', () => {
  const names = fc.array(fc.constantFrom(...Object.keys(CHANGES)), { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(names, (changes) => {
      const { assignments, change, view } = planned();
      for (const name of changes) {
        change(CHANGES[name]?.(view) ?? {});
        for (const node of NODES) {
          assert.deepEqual(assignments.of(node), planAssignment(view, node, 'store-0001', SETTINGS), name);
        }
      }
    }),
    { numRuns: 100 },
  );
});

test('a change elsewhere leaves a node the assignment it had, its own makes another', () => {
  const { assignments, change, view } = planned();
  const before = NODES.map((node) => assignments.of(node));

  change({ pods: [...view.pods().slice(0, 1), aPod({ name: 'other', node: 'node-b' })] });
  const after = NODES.map((node) => assignments.of(node));

  assert.equal(after[0], before[0]);
  assert.notEqual(after[1]?.version, before[1]?.version);
});

test('a pod that somebody looks at is asked for its stacks, in short windows, on its own node, until they stop', () => {
  const view = aView({ pods: [aPod(), aPod({ name: 'elsewhere', node: 'node-b' })], policies: [aPolicy()] });
  let watched = new Set<string>();
  const assignments = nodeAssignments({
    ...{ view, watched: () => watched, storeId: () => 'store-0001', settings: () => SETTINGS },
  });
  const at = () => NODES.map((node) => assignments.of(node));
  const resting = at();

  watched = new Set(['uid-orders-1']);
  renew(assignments);
  const looking = at();
  watched = new Set();
  renew(assignments);

  const told = ([a]: typeof resting) => [
    a?.windowMs,
    a?.containers.map(({ gated, requests }) => [gated, requests]),
  ];
  assert.deepEqual(
    [told(resting), told(looking)],
    [
      [30_000, [[false, undefined]]],
      [10_000, [[true, undefined]]],
    ],
  );
  assert.equal(looking[1], resting[1]);
  assert.deepEqual(at(), resting);
});

test('while the cluster is sorted anew, in steps, assignments are of how it was; after the last step of how it is', () => {
  const ofAll = aGate({ spec: { canary: { podSelector: { matchLabels: { app: 'orders' } } } } });
  const { assignments, view } = planned();
  const gated = () => assignments.of('node-a').containers.map((container) => container.gated);
  const before = gated();
  view.change({ gates: Array.from({ length: 40 }, () => ofAll) });

  const seen = Array.from(assignments.renewed(), gated);

  assert.ok(seen.length > 2, `${seen.length} steps`);
  assert.deepEqual([...new Set([before, ...seen].flat())], [false]);
  assert.deepEqual(gated(), [true]);
});
