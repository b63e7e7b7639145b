import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { UNWIND_FIELDS } from './unwind-layout.ts';

test('the addon declares the same fields in the same order', () => {
  const header = readFileSync(new URL('../../native/hotspot_layout.h', import.meta.url), 'utf8');

  const declared = [...header.matchAll(/^\s*FIELD\([\s\\]*(\w+)\)/gm)].map(([, name]) => name);

  assert.deepEqual(declared, [...UNWIND_FIELDS]);
});
