import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import * as client from '@kubernetes/client-node';
import * as named from './named-by-operator.ts';

test("the base class is bundled with all that it names of client-node's, and no more", () => {
  const path = createRequire(import.meta.url).resolve('@dot-i/k8s-operator');

  const mentioned = readFileSync(path, 'utf8').matchAll(/\b(?:k8s|client_node_1)\.(\w+)/g);
  const names = new Set(Array.from(mentioned, ([, name = '']) => name).filter((name) => name in client));

  assert.deepEqual(Object.keys(named).sort(), [...names].sort());
});
