import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SinkReport } from '../../wire/sinks.ts';
import { sinksReady } from './sinks-ready.ts';
import { anObserved, aPolicy } from './testing/samples.ts';

const report = (more: Partial<SinkReport> = {}): SinkReport => ({
  ...{ name: 'pyroscope', sent: 10, refused: 1, lost: 2 },
  ...more,
});

function said(asked: readonly string[], ofNodes: readonly (readonly SinkReport[])[] = []): string {
  const base = anObserved();
  const [agent] = base.agents;
  assert(agent);
  const policy = { ...aPolicy(), spec: { ...aPolicy().spec, sinks: [...asked] } };
  const agents = ofNodes.map((sinks, at) => ({ ...agent, node: `n${at + 1}`, sinks }));
  const found = sinksReady({ ...base, policy, agents, sinks: ['pyroscope', 'cloud'] });
  return found === undefined ? 'absent' : `${found.status} ${found.reason}: ${found.message}`;
}

test('a policy says what became of its profiles, sink by sink', () => {
  assert.equal(said([]), 'absent');
  assert.equal(
    said(['pyroscope', 'grafana']),
    'False SinkUnknown: the install has no sink grafana for profiles (sinks.profiles of its settings)',
  );
  assert.equal(said(['pyroscope']), 'Unknown WaitingForAgents: no agent has told of pyroscope yet');
  assert.equal(
    said(['pyroscope'], [[report()], [report({ sent: 5 }), report({ name: 'cloud', lost: 9 })]]),
    'True Delivering: 15 profiles sent by 2 agents since they began, 2 refused, 4 lost',
  );
  assert.equal(
    said(['pyroscope'], [[report()], [report({ failing: 'HTTP401' })], [report({ failing: 'Timeout' })]]),
    'False SinkFailing: pyroscope does not take profiles from node n2 and 1 more (HTTP401); 30 profiles sent by 3 agents since they began, 3 refused, 6 lost',
  );
});
