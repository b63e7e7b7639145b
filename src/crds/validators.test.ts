import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ROUTE_PATTERN } from '../requests/route-pattern.ts';
import { ProfilingPolicySpec } from './profiling-policy.ts';
import { manifestProblems, parseRegressionGate } from './validators.ts';

const storedGate = (spec: object) => ({
  apiVersion: 'flamegate.dev/v1alpha1',
  kind: 'RegressionGate',
  metadata: {
    name: 'orders',
    namespace: 'shop',
    uid: 'u',
    generation: 1,
    resourceVersion: '7',
    creationTimestamp: '2026-01-02T03:04:05Z',
  },
  spec,
});
const FULL_SPEC = {
  targetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'orders' },
  checks: {
    cpu: { function: { margin: '0.5%' }, perRequest: { margin: '10%', decides: false } },
    latency: [{ quantile: 'p99', margin: { relative: '10%', absolute: '2ms' }, required: false }],
    errors: { margin: '0.5%', required: false },
  },
  falseFailureRate: '1%',
  duration: { warmUp: '2m', min: '3m', deadline: '30m' },
  reportHistoryLimit: 10,
};

test('a defaulted gate is parsed as it stands', () => {
  const gate = storedGate(FULL_SPEC);

  assert.equal(parseRegressionGate(gate), gate);
});

test('defaults are not filled in: an object without them did not come from the API server', () => {
  const { duration: _, ...spec } = FULL_SPEC;

  assert.throws(() => parseRegressionGate(storedGate(spec)), {
    code: 'OBJECT_INVALID',
    message: "not a stored RegressionGate: spec must have required property 'duration'",
  });
});

test('a manifest may leave out what has a default', () => {
  assert.deepEqual(manifestProblems('RegressionGate', { spec: { targetRef: { name: 'orders' } } }), []);
});

test('problems name the field', () => {
  const problems = manifestProblems('RegressionGate', {
    spec: { targetRef: { kind: 'CronJob', name: 'Orders' }, falseFailureRate: 'never' },
  });

  assert.equal(problems.length, 3);
  assert.match(
    problems.join('\n'),
    /^spec\.targetRef\.kind must be equal to one of the allowed values: Deployment,StatefulSet,Rollout,Canary$/m,
  );
  assert.match(problems.join('\n'), /^spec\.targetRef\.name must match pattern/m);
  assert.match(problems.join('\n'), /^spec\.falseFailureRate must match pattern/m);
});

test('a policy takes the routes that an agent takes', () => {
  assert.equal(ProfilingPolicySpec.properties.requests.properties.routes.items.pattern, ROUTE_PATTERN);
});

test('a kind that is not ours is a problem of its own', () => {
  assert.deepEqual(manifestProblems('Pod', {}), [
    'kind Pod is none of ProfilingPolicy, ClusterProfilingPolicy, RegressionGate, RegressionReport',
  ]);
});
