import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SymbolMode } from '../wire/assignment.ts';
import {
  afterLayoutFailure,
  type LayoutKnowledge,
  layoutIsDue,
  type SymbolSource,
  symbolSource,
} from './symbol-source.ts';

const ROWS: readonly (readonly [SymbolMode, LayoutKnowledge, SymbolSource])[] = [
  ['PerfMap', 'Unread', 'PerfMap'],
  ['PerfMap', 'Read', 'PerfMap'],
  ['PerfMap', 'Failed', 'PerfMap'],
  ['Auto', 'Unread', 'Pending'],
  ['Auto', 'Read', 'VmStructs'],
  ['Auto', 'Failed', 'PerfMap'],
  ['VmStructs', 'Unread', 'Pending'],
  ['VmStructs', 'Read', 'VmStructs'],
  ['VmStructs', 'Failed', 'None'],
];

for (const [mode, layout, source] of ROWS) {
  test(`asked for ${mode}, with tables ${layout}, names come from ${source}`, () => {
    assert.equal(symbolSource(mode, layout), source);
  });
}

const NOW_MS = 1_000_000;
const old = { nowMs: NOW_MS, jvmAgeMs: 60_000 };

const DUE: readonly (readonly [string, boolean, Parameters<typeof layoutIsDue>])[] = [
  ['at first sight', true, ['Auto', 'Unread', { ...old, triedMs: undefined }]],
  [
    'again while the JVM is young',
    true,
    ['Auto', 'Unread', { nowMs: NOW_MS, jvmAgeMs: 500, triedMs: NOW_MS - 100 }],
  ],
  ['not again at once when it is not', false, ['VmStructs', 'Failed', { ...old, triedMs: NOW_MS - 30_000 }]],
  ['again after a minute', true, ['VmStructs', 'Failed', { ...old, triedMs: NOW_MS - 60_000 }]],
  ['never again once read', false, ['Auto', 'Read', { ...old, triedMs: NOW_MS - 600_000 }]],
  ['never where a perf map is asked for', false, ['PerfMap', 'Unread', { ...old, triedMs: undefined }]],
];

for (const [when, due, facts] of DUE) {
  test(`a JVM's tables are read: ${when}`, () => {
    assert.equal(layoutIsDue(...facts), due);
  });
}

test('a young JVM that cannot be read may only be starting: nobody asks it for a perf map yet', () => {
  assert.equal(symbolSource('Auto', afterLayoutFailure(9_000)), 'Pending');
  assert.equal(symbolSource('Auto', afterLayoutFailure(10_000)), 'PerfMap');
});
