import assert from 'node:assert/strict';
import { request } from 'node:https';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { windowsPath } from '../../wire/endpoints.ts';
import { aRunningIngest, TOKENS } from './testing/a-running-ingest.ts';
import { call } from './testing/https-client.ts';

test('a reader that goes away while its token is reviewed is no failure of the controller', async (t) => {
  const ingest = await aRunningIngest();
  t.after(() => ingest.stop());
  const [arrived, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  ingest.api.beforeAnswer = () => {
    arrived.resolve();
    return released.promise;
  };
  const path = `${windowsPath('shop')}?selector=app%3Dorders&fromMs=0`;
  const headers = { authorization: `Bearer ${TOKENS.reader}` };
  const reader = request({
    host: 'localhost',
    port: ingest.port,
    ca: ingest.ca,
    path,
    headers,
    agent: false,
  });
  reader.on('error', () => undefined); // its own going
  reader.end();
  await arrived.promise;

  reader.destroy();
  await call({ ...ingest, path: '/' }); // by the answer to this the server knows that the reader went
  released.resolve();

  let code: string | undefined;
  for (const endMs = Date.now() + 20_000; code === undefined && Date.now() < endMs; await delay(20)) {
    code = /refused_total\{code="(WINDOWS_INTERRUPTED|INTERNAL)"\} 1/.exec(
      await ingest.registry.metrics(),
    )?.[1];
  }
  assert.equal(code, 'WINDOWS_INTERRUPTED');
  assert.doesNotMatch(ingest.logged(), /request failed/);
});
