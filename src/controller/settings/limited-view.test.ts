/** What a tenant gets who asks for more than the install allows, by every way it is read. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { agentReports } from '../agent-reports-memory.ts';
import { planAssignment } from '../ingest/testing/plan-assignment.ts';
import { policiesIn } from '../profiling-policy/precedence.ts';
import { rateBounds } from '../regression-gate/sampling-rate.ts';
import {
  aClusterPolicy,
  aGate,
  aPod,
  aPolicy,
  aView,
  type Cluster,
  START_MS,
} from '../regression-gate/testing/a-cluster.ts';
import { limitedView } from './limited-view.ts';
import { parseSettings } from './parse-settings.ts';

const GREEDY = { cpu: { frequencyHz: 199, maxFrequencyHz: 199 }, budget: { agentCpu: '80%' } };

/** The view of a small cluster under settings that can be changed, as the settings of a running controller are. */
function aLimitedView(cluster: Partial<Cluster>, text: string) {
  let settings = parseSettings(text, 'settings.yaml');
  const listeners = new Set<() => void>();
  const plain = aView(cluster);
  const gate = (_: string, name: string) => plain.gates().find(({ metadata }) => metadata.name === name);
  const view = limitedView(
    { ...plain, gate },
    {
      current: () => settings,
      onChange(listener) {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    },
  );
  const change = (next: string) => {
    settings = parseSettings(next, 'settings.yaml');
    for (const listener of listeners) listener();
  };
  return { view, change };
}

test('no policy of a tenant makes a node tick faster than the install allows', () => {
  const policies = [aPolicy({ spec: GREEDY })];
  const { view, change } = aLimitedView({ pods: [aPod()], policies }, 'rates: {maxFrequencyHz: 97}');
  const hz = () => planAssignment(view, 'node-a', 'store-0001').frequencyHz;

  assert.equal(hz(), 97);
  change('rates: {maxFrequencyHz: 19}');
  assert.equal(hz(), 19);
  change('');
  assert.equal(hz(), 199);
});

test('a policy of the cluster is bound by the same limits', () => {
  const cluster = {
    pods: [aPod()],
    clusterPolicies: [aClusterPolicy({ spec: GREEDY })],
    namespaces: [{ name: 'shop', labels: { team: 'a' } }],
  };

  const { view } = aLimitedView(cluster, 'rates: {maxFrequencyHz: 97}');

  assert.equal(planAssignment(view, 'node-a', 'store-0001').frequencyHz, 97);
});

test('no policy gives an agent more of a core, or a gate a higher rate, than the install allows', () => {
  const boundsOf = (spec: Parameters<typeof aPolicy>[0], text: string) => {
    const { view } = aLimitedView({ policies: [aPolicy(spec)] }, text);
    const found = rateBounds([aPod()], policiesIn(view, 'shop'), agentReports(), START_MS);
    return [found?.mostHz, found?.agentCpu];
  };
  const settings = 'rates: {maxRaisedFrequencyHz: 97}\nbudget: {maxAgentCpu: 2%}';

  assert.deepEqual(boundsOf({ spec: GREEDY }, settings), [97, 0.02]);
  assert.deepEqual(boundsOf({}, settings), [97, 0.02]);
  assert.deepEqual(boundsOf({ spec: GREEDY }, ''), [199, 0.05]);
  assert.deepEqual(boundsOf({ spec: { budget: { agentCpu: '1%' } } }, ''), [199, 0.01]);
});

test('a rate that a gate had raised before the settings allowed less is lowered at once', () => {
  const evidence = { frequencyHz: 199, rateReason: 'Raised' as const, rateMessage: '', message: '' };
  const pods = [aPod({ labels: { app: 'orders', track: 'canary' } })];
  const cluster = { pods, policies: [aPolicy()], gates: [aGate({ status: { evidence } })] };
  const { view, change } = aLimitedView(cluster, '');
  const hz = () => planAssignment(view, 'node-a', 'store-0001').containers[0]?.frequencyHz;

  assert.equal(hz(), 199);
  change('rates: {maxRaisedFrequencyHz: 97}');
  assert.equal(hz(), 97);
});

test('no gate keeps more reports than the install allows', () => {
  const gates = [aGate({ spec: { reportHistoryLimit: 40 } })];
  const { view } = aLimitedView({ gates }, 'retention: {reportsPerGate: 5}');

  assert.equal(view.gate('shop', 'orders-cpu')?.spec.reportHistoryLimit, 5);
});

test('whoever waits for changes of the cluster is woken by those of the settings, until they stop listening', () => {
  const { view, change } = aLimitedView({}, '');
  let woken = 0;
  const stop = view.onChange(() => {
    woken += 1;
  });

  change('rates: {maxFrequencyHz: 97}');
  stop();
  change('');

  assert.equal(woken, 1);
});
