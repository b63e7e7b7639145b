import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RevisionVerdict } from '../crds/revision-verdict.ts';
import { exitCodeOf, verdictText } from './gate-wait-text.ts';

const anAnswer = (verdict: RevisionVerdict['verdict']): RevisionVerdict => ({
  ...{ gate: 'shop/orders', canary: 'bbb', baseline: 'aaa', verdict, open: false, reason: 'Why' },
  ...{ message: 'because\u001b[2J', report: 'orders-1' },
});

test('only Passed is 0, unless Inconclusive is taken for it; what is Pending never is', () => {
  const codes = (inconclusive: 'fail' | 'pass') =>
    (['Passed', 'Failed', 'Inconclusive', 'Pending'] as const).map((verdict) =>
      exitCodeOf(anAnswer(verdict), inconclusive),
    );

  assert.deepEqual(codes('fail'), [0, 1, 3, 3]);
  assert.deepEqual(codes('pass'), [0, 1, 0, 3]);
});

test('the sentence names the pair and the report, and moves no cursor', () => {
  assert.equal(
    verdictText(anAnswer('Failed'), { format: 'text' }),
    'shop/orders, canary bbb against aaa: Failed: because\\u{1b}[2J (flamegate report shop/orders-1)\n',
  );
  assert.deepEqual(JSON.parse(verdictText(anAnswer('Failed'), { format: 'json' })), anAnswer('Failed'));
});
