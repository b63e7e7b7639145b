/** Nodes that go while a gate is open, with their agents and their pods. What they told until then counts, and the rest decides. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { measureNodeGone } from '../bare/node-gone.ts';

test('a node goes amid an evaluation: its windows count, and the gate is decided by them and by the rest', async () => {
  const { report, ...gone } = await measureNodeGone({ nodes: 3, deadline: '15m', going: [2] });
  console.log(JSON.stringify({ ...gone, message: report.status?.message }));

  assert.match(`${report.status?.verdict} ${report.status?.reason}`, /^Failed FunctionGrew$/);
  assert.equal(gone.membersThatWent, 3);
  assert.equal(gone.sameVerdict, true);
});

test('every node goes that ran the gate’s pods, and it says at its deadline that there are none to compare', async () => {
  const { report, ...gone } = await measureNodeGone({ nodes: 2, deadline: '3m', going: [0, 1] });
  console.log(JSON.stringify({ ...gone, message: report.status?.message }));

  assert.match(`${report.status?.verdict} ${report.status?.reason}`, /^Inconclusive NoBaselinePods$/);
  assert.match(report.status?.message ?? '', /no running pod in namespace shop matches baseline/);
});
