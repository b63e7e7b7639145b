import assert from 'node:assert/strict';
import { test } from 'node:test';
import { problemsOf } from './problems.ts';
import { aGate, aPolicy, aState, NOW_MS } from './state-fixture.ts';
import { type StatusTextOptions, statusText } from './status-text.ts';

const PLAIN: StatusTextOptions = { nowMs: NOW_MS, columns: 80, paint: (_, text) => text };
const AT = '2026-11-26T10:00:00Z';

test('an install that works is told in a few lines, with when the open gate is decided', () => {
  assert.equal(
    statusText(aState(), [], PLAIN),
    `Nothing is wrong.

controller  1 of 1 ready; version 0.1.0; flamegate-controller-7d4b-x2x leads,
            renewed 1 s ago; answers
agents      3 of 3 nodes; 0.10% of samples lost; at most 0.80% of a core and
            61Mi each

POLICY     PROFILED  READY      ALSO
shop/jvms  4/4       Profiling  -

GATE         VERDICT     PHASE       ETA    REASON
shop/orders  Collecting  Evaluating  in 4m  Collecting
  shop/orders: a harmless canary passes at 10:14
`,
  );
});

test('what is wrong comes first, with what to do, in lines of the width of the terminal', () => {
  const message = 'the Deployment orders is not there, and no other workload of that name is either, in shop';
  const conditions = [
    { type: 'Stalled', status: 'True', reason: 'TargetNotFound', message, lastTransitionTime: AT } as const,
  ];
  const state = aState({ gates: { known: [aGate({ verdict: 'Waiting', conditions })] } });

  const text = statusText(state, problemsOf(state, NOW_MS), PLAIN);

  assert.equal(
    text.slice(0, text.indexOf('\n\n')),
    `BROKEN  gate shop/orders  TargetNotFound
        the Deployment orders is not there, and no other workload of that name
        is either, in shop
        → correct spec.targetRef of the gate, or deploy what it names`,
  );
});

test('what may not be read is said in words, the rest is shown', () => {
  const forbidden = { unknown: 'User "ann" cannot list resource "deployments" in API group "apps"' };
  const state = aState({ controller: forbidden, agents: forbidden, clusterPolicies: forbidden });

  const text = statusText(state, problemsOf(state, NOW_MS), PLAIN);

  assert.match(text, /^Nothing is wrong\.\n\ncontroller {2}not known: User "ann" cannot list/);
  assert.match(text, /shop\/jvms[^\n]*\nthose of the cluster are not known: User "ann"/);
  assert.match(text, /GATE .*\nshop\/orders/);
});

test('an empty namespace is told from all that are empty', () => {
  const empty = { policies: { known: [] }, gates: { known: [] } };

  assert.match(
    statusText(aState(empty), [], PLAIN),
    /no policies in namespace shop\n\nno gates in namespace shop\n$/,
  );
  assert.match(
    statusText({ ...aState(empty), namespace: undefined }, [], PLAIN),
    /no gates in any namespace\n$/,
  );
});

test('names and messages cannot move the cursor', () => {
  const policy = aPolicy([{ type: 'Ready', status: 'False', reason: 'NoJvm', message: '\u001b[2Jgone' }]);
  const state = aState({ policies: { known: [policy] } });

  assert.ok(!statusText(state, problemsOf(state, NOW_MS), PLAIN).includes('\u001b'));
});
