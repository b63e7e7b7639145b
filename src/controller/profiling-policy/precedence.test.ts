import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { AnyProfilingPolicy } from '../../crds/cluster-profiling-policy.ts';
import type { ProfilingPolicy } from '../../crds/profiling-policy.ts';
import { aClusterPolicy, aPolicy, aView, type Cluster } from '../regression-gate/testing/a-cluster.ts';
import { policiesIn, policyOf } from './precedence.ts';

const made = <Policy extends AnyProfilingPolicy>(
  policy: Policy,
  at: string,
  deletionTimestamp?: string,
): Policy => ({
  ...policy,
  metadata: { ...policy.metadata, creationTimestamp: at, ...(deletionTimestamp && { deletionTimestamp }) },
});
const TEAM_A = [{ name: 'shop', labels: { team: 'a' } }];
const namesIn = (cluster: Partial<Cluster>): readonly string[] =>
  policiesIn(aView({ namespaces: TEAM_A, ...cluster }), 'shop').map(({ metadata }) => metadata.name);

test('the oldest counts, and of those made in the same second the first by name', () => {
  const policies = [
    made(aPolicy({ name: 'b' }), '2026-01-01T00:00:01Z'),
    made(aPolicy({ name: 'c' }), '2026-01-01T00:00:00Z'),
    made(aPolicy({ name: 'a' }), '2026-01-01T00:00:01Z'),
  ];

  assert.deepEqual(namesIn({ policies }), ['c', 'a', 'b']);
});

test('a policy of the namespace counts before older ones of the cluster', () => {
  const policies = [made(aPolicy({ name: 'own' }), '2026-06-01T00:00:00Z')];
  const clusterPolicies = [
    made(aClusterPolicy({ name: 'young' }), '2026-02-01T00:00:00Z'),
    made(aClusterPolicy({ name: 'old' }), '2025-01-01T00:00:00Z'),
  ];

  assert.deepEqual(namesIn({ policies, clusterPolicies }), ['own', 'old', 'young']);
});

test('a policy of the cluster is in force where the labels of the namespace say so, and nowhere else', () => {
  const clusterPolicies = [aClusterPolicy()];

  assert.deepEqual(namesIn({ clusterPolicies }), ['of-the-cluster']);
  assert.deepEqual(namesIn({ clusterPolicies, namespaces: [{ name: 'shop', labels: { team: 'b' } }] }), []);
  assert.deepEqual(namesIn({ clusterPolicies, namespaces: [] }), []);
});

test('a policy that is being deleted is in force nowhere', () => {
  const policies = [
    made(aPolicy({ name: 'going' }), '2025-01-01T00:00:00Z', '2026-01-01T00:00:00Z'),
    aPolicy({ name: 'next' }),
  ];

  assert.deepEqual(namesIn({ policies }), ['next']);
});

test('whatever the order of the caches, one policy counts for a pod, and it does not change with others that are younger', () => {
  const policy = fc
    .record({
      name: fc.stringMatching(/^[a-z]{1,4}$/),
      day: fc.integer({ min: 1, max: 5 }),
      track: fc.constantFrom('stable', 'canary', 'none'),
    })
    .map(({ name, day, track }): ProfilingPolicy => {
      const spec = { podSelector: { matchLabels: { track } } };
      return made(aPolicy({ name, spec }), `2026-01-0${day}T00:00:00Z`);
    });
  const several = fc.uniqueArray(policy, { selector: ({ metadata }) => metadata.name, maxLength: 6 });
  const winner = (policies: readonly ProfilingPolicy[]) =>
    policyOf({ track: 'canary' }, policiesIn(aView({ policies }), 'shop'))?.metadata.name;

  fc.assert(
    fc.property(several, (policies) => {
      const counting = winner(policies);
      assert.equal(winner(policies.toReversed()), counting);
      const youngest = made(aPolicy({ name: 'zzzzz' }), '2026-02-01T00:00:00Z');
      assert.equal(winner([youngest, ...policies]), counting ?? winner([youngest]));
    }),
    { seed: 20260102, numRuns: 200 },
  );
});
