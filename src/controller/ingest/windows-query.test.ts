import assert from 'node:assert/strict';
import { test } from 'node:test';
import { selects } from '../../kube/label-selector.ts';
import { parseWindowsQuery } from './windows-query.ts';

const LABELS = { app: 'orders', 'app.kubernetes.io/part-of': 'shop', arm: 'left' };

const finds = (selector: string, labels: Readonly<Record<string, string>> = LABELS): boolean =>
  selects(parseWindowsQuery(new URLSearchParams({ selector, fromMs: '0' })).selector, labels);

test('selectors mean what kubectl means by them', () => {
  assert.equal(finds('app=orders'), true);
  assert.equal(finds('app == orders, arm = left'), true);
  assert.equal(finds('app=orders,arm=right'), false);
  assert.equal(finds('arm!=right'), true);
  assert.equal(finds('track!=canary'), true);
  assert.equal(finds('app.kubernetes.io/part-of=shop,arm in (right, left)'), true);
  assert.equal(finds('arm notin (right,left),app'), false);
  assert.equal(finds('app,!track'), true);
  assert.equal(finds('!app'), false);
  assert.equal(finds('empty=', { empty: '' }), true);
});

const refusalOf = (query: Record<string, string>): string => {
  try {
    parseWindowsQuery(new URLSearchParams(query));
    return 'taken';
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : 'another error';
  }
};

test('what is no selector or no time is refused, and never selects everything', () => {
  const selectors = [
    '',
    ',',
    'app=orders,',
    'app in (a',
    'app in a,b)',
    'a b',
    '=x',
    'app=or"ders',
    'a,'.repeat(600),
  ];

  assert.deepEqual(
    selectors.map((selector) => refusalOf({ selector, fromMs: '0' })),
    selectors.map(() => 'WINDOWS_QUERY_INVALID'),
  );
  assert.deepEqual(
    ['', '-1', '1e3', '0x10', '1.5', '99999999999999999'].map((fromMs) =>
      refusalOf({ selector: 'app', fromMs }),
    ),
    new Array(6).fill('WINDOWS_QUERY_INVALID'),
  );
  assert.equal(refusalOf({ selector: 'app' }), 'WINDOWS_QUERY_INVALID');
});
