/** What the status of policies says that select the same pods, from what the caches hold. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AnyProfilingPolicy } from '../../crds/cluster-profiling-policy.ts';
import { findCondition } from '../../kube/conditions.ts';
import { agentReports } from '../agent-reports-memory.ts';
import {
  aClusterPolicy,
  aDeployment,
  aPod,
  aPolicy,
  aView,
  type Cluster,
  START_MS,
} from '../regression-gate/testing/a-cluster.ts';
import { decide } from './decide.ts';
import { gather, wantedOf } from './gather.ts';
import { policiesIn } from './precedence.ts';

const LIMITS = { maxFrequencyHz: 199, maxRaisedFrequencyHz: 199, maxAgentCpu: '5%' };

function statusOf(policy: AnyProfilingPolicy, cluster: Partial<Cluster>, limits = LIMITS) {
  const view = { ...aView(cluster), agentDaemonSet: () => undefined };
  const seen = { flags: [], limits, sinks: [], listeningSinceMs: START_MS, nowMs: START_MS };
  return decide(gather({ view, reports: agentReports() }, policy, seen)).status;
}

function said(policy: AnyProfilingPolicy, type: string, ...more: [Partial<Cluster>, typeof LIMITS?]): string {
  const found = findCondition(statusOf(policy, ...more).conditions, type);
  return found === undefined ? 'absent' : `${found.status} ${found.reason}: ${found.message}`;
}

const older = aPolicy({ name: 'a-first' });
const newer = aPolicy({ name: 'b-second', spec: { podSelector: { matchLabels: { team: 'shop' } } } });
const both = { app: 'orders', team: 'shop' };

test('the younger of two policies says which of its pods the older profiles; the older says nothing', () => {
  const pods = [
    aPod({ name: 'one', labels: both }),
    aPod({ name: 'two', labels: both }),
    aPod({ name: 'only-newer', labels: { team: 'shop' } }),
  ];
  const cluster = { pods, policies: [newer, older] };

  assert.equal(
    said(newer, 'Conflicted', cluster),
    'True OlderPolicyCounts: of 3 pods that match, others profile 2: 2 by ProfilingPolicy shop/a-first, which is older',
  );
  assert.equal(said(older, 'Conflicted', cluster), 'absent');
  const { selected, workloads } = statusOf(newer, cluster);
  assert.equal(selected, 3);
  assert.deepEqual(
    workloads?.map(({ name, pods: of }) => [name, of]),
    [['only-newer', 1]],
  );
});

test('a policy of whose pods others profile all is not ready for that reason', () => {
  const cluster = { pods: [aPod({ labels: both })], policies: [newer, older] };

  assert.match(
    said(newer, 'Ready', cluster),
    /^False Conflicted: of 1 pods that match, others profile 1: 1 by/,
  );
});

test('the next policy takes over as soon as the first is being deleted, and says Conflicted no more', () => {
  const going = { ...older, metadata: { ...older.metadata, deletionTimestamp: '2026-01-01T12:00:00Z' } };
  const cluster = { pods: [aPod({ labels: both })], policies: [newer, going] };

  assert.equal(said(newer, 'Conflicted', cluster), 'absent');
});

test('a policy of the cluster says which pods the policies of their namespaces profile', () => {
  const ofCluster = aClusterPolicy({ spec: { podSelector: { matchLabels: { team: 'shop' } } } });
  const cluster = {
    pods: [aPod({ name: 'one', labels: both }), aPod({ name: 'two', labels: { team: 'shop' } })],
    policies: [older],
    clusterPolicies: [ofCluster],
    namespaces: [
      { name: 'shop', labels: { team: 'a' } },
      { name: 'other', labels: {} },
    ],
  };

  assert.equal(
    said(ofCluster, 'Conflicted', cluster),
    'True NamespacePolicyCounts: of 2 pods that match, others profile 1: 1 by ProfilingPolicy shop/a-first, which is of their namespace',
  );
  const { namespaces, selected, workloads } = statusOf(ofCluster, cluster);
  assert.deepEqual([namespaces, selected], [1, 2]);
  assert.deepEqual(
    workloads?.map((row) => [Object(row).namespace, row.name]),
    [['shop', 'two']],
  );
});

test('two policies of the cluster: the older by name says nothing, the other which one it is', () => {
  const first = aClusterPolicy({ name: 'a', spec: { podSelector: { matchLabels: { team: 'shop' } } } });
  const second = aClusterPolicy({ name: 'b', spec: { podSelector: { matchLabels: { team: 'shop' } } } });
  const cluster = {
    pods: [aPod({ labels: both })],
    clusterPolicies: [second, first],
    namespaces: [{ name: 'shop', labels: { team: 'a' } }],
  };

  assert.equal(said(first, 'Conflicted', cluster), 'absent');
  assert.match(said(second, 'Conflicted', cluster), /1 by ClusterProfilingPolicy a, which is older$/);
});

test('without namespaces, and without pods in them, a policy of the cluster says so', () => {
  const ofCluster = aClusterPolicy();
  const namespaces = [{ name: 'shop', labels: { team: 'a' } }];

  assert.equal(said(ofCluster, 'Ready', {}), 'False NoNamespaceSelected: no namespace matches team=a');
  assert.equal(
    said(ofCluster, 'Ready', { namespaces }),
    'False NoPodsSelected: no pod in the 1 namespaces selected matches app=orders',
  );
});

test('flags of a Deployment are those of the policy that counts for its pods: no other one adds or takes any', () => {
  const { jvm } = aPolicy().spec;
  const immediate = {
    ...jvm,
    flags: { ...jvm.flags, mode: 'Immediate' as const, acknowledgeRestarts: true },
  };
  const deployment = {
    ...aDeployment(),
    spec: { selector: {}, template: { metadata: { labels: both } } },
  };
  const wanted = (...policies: Parameters<typeof aPolicy>[0][]) => {
    const view = aView({ policies: policies.map((fields) => aPolicy(fields)) });
    const found = wantedOf(policiesIn(view, 'shop'), deployment);
    return found && { ...found, named: [...found.named] };
  };
  const never = { spec: { jvm } };
  const asks = { spec: { jvm: immediate, containers: ['app'] } };

  assert.deepEqual(wanted({ name: 'b', ...never }, { name: 'a', ...asks }), {
    named: ['app'],
    everyJvm: false,
  });
  assert.equal(wanted({ name: 'a', ...never }, { name: 'b', ...asks }), undefined);
  assert.deepEqual(wanted({ name: 'b', ...asks }, { name: 'a', spec: { jvm: immediate } }), {
    named: [],
    everyJvm: true,
  });
});

test('a policy that asks for more than the install allows says what it is given; one that asks for nothing does not', () => {
  const limits = { maxFrequencyHz: 97, maxRaisedFrequencyHz: 97, maxAgentCpu: '2%' };
  const greedy = aPolicy({
    spec: { cpu: { frequencyHz: 199, maxFrequencyHz: 199 }, budget: { agentCpu: '10%' } },
  });

  assert.equal(
    said(greedy, 'Capped', {}, limits),
    'True InstallLimit: the install allows less: cpu.frequencyHz is 97, not 199; cpu.maxFrequencyHz is 97, not 199; budget.agentCpu is 2%, not 10%',
  );
  assert.equal(said(aPolicy(), 'Capped', {}, limits), 'absent');
  assert.equal(
    said(
      greedy,
      'Capped',
      {},
      { ...limits, maxFrequencyHz: 199, maxRaisedFrequencyHz: 199, maxAgentCpu: '10%' },
    ),
    'absent',
  );
});
