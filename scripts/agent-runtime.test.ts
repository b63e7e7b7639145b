/** What the agent loads at run time, as its bundle has it: imports of types are gone by then. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { build } from 'esbuild';

const HEAVY = /node_modules\/(@kubernetes\/client-node|@dot-i|ajv|@sinclair\/typebox)\//;

test('nothing that the agent reaches loads client-node, ajv or TypeBox', async () => {
  const bundle = await build({
    entryPoints: [join(import.meta.dirname, '../src/agent/main.ts')],
    bundle: true,
    write: false,
    metafile: true,
    platform: 'node',
    format: 'esm',
    external: ['*.node'],
    logLevel: 'silent',
  });

  const loaded = Object.keys(bundle.metafile.inputs);

  assert.ok(loaded.includes('src/agent/main.ts'), loaded.join(', '));
  assert.deepEqual(
    loaded.filter((path) => HEAVY.test(path)),
    [],
  );
});
