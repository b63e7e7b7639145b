import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type AgentSettings, parseAssignment } from '../../wire/assignment.ts';
import { aPod, aPolicy, aView } from '../regression-gate/testing/a-cluster.ts';
import { planAssignment } from './testing/plan-assignment.ts';

test('profiles of pods whose policy names sinks go there with their revision and image, and only theirs', () => {
  const labels = { app: 'orders', 'pod-template-hash': '5d9c' };
  const kind = 'Pyroscope' as const;
  const address = { name: 'cloud', kind, endpoint: 'https://profiles.example', tenant: 'team-a' };
  const authorization = { kind: 'Basic', file: 'pyroscope' } as const;
  const settings: AgentSettings = {
    spool: { maxAgeMs: 3_600_000, maxBytes: 1 << 27 },
    sinks: { profiles: [{ ...address, authorization }], metrics: [] },
  };
  const planned = (sinks?: string[]) => {
    const policies = [aPolicy({ spec: sinks === undefined ? {} : { sinks } })];
    const view = aView({ pods: [aPod({ labels, image: 'registry/orders:2' })], policies });
    return planAssignment(view, 'node-a', 'store-0001', settings);
  };

  const assignment = planned(['cloud']);

  assert.deepEqual(assignment.containers[0]?.profiles, {
    ...{ sinks: ['cloud'], revision: '5d9c', image: 'registry/orders:2' },
  });
  assert.deepEqual(parseAssignment(JSON.parse(JSON.stringify(assignment))), assignment);
  assert.equal(planned().containers[0]?.profiles, undefined);
});

test('an agent takes no file of credentials outside of their directory', () => {
  const sink = { name: 'a', endpoint: 'http://a', authorization: { kind: 'Bearer', file: '../token' } };
  const settings = { spool: { maxAgeMs: 3_600_000, maxBytes: 1 << 27 }, sinks: { profiles: [sink] } };

  assert.throws(
    () => parseAssignment({ ...planAssignment(aView(), 'node-a', 'store-0001'), settings }),
    /settings\.sinks\.profiles\[0\]\.authorization\.file is not the name of a file/,
  );
});
