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

const DUE: readonly (readonly [string, boolean, Parameters<typeof layoutIsDue>])[] = [
  ['at every look while it may be starting', true, ['Auto', 'Unread', 2_000]],
  ['not soon after they failed', false, ['VmStructs', 'Failed', 59_999]],
  ['a minute after they failed', true, ['VmStructs', 'Failed', 60_000]],
  ['never again once read', false, ['Auto', 'Read', 600_000]],
  ['never where a perf map is asked for', false, ['PerfMap', 'Unread', 600_000]],
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
