/** How Prometheus is asked: where, with what, and by what of a tenant. What it answers is tried behind gates. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type RequestListener } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { makeAuthority, makeServing } from '../controller/ingest/certificates.ts';
import { type BackendAddress, createBackendClient } from './backend-client.ts';
import { BackendError } from './backend-error.ts';
import { prometheusRequests } from './prometheus-requests.ts';

const SPAN = { fromMs: 1_000_000, toMs: 1_030_000 };

interface Asked {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly form: URLSearchParams;
}

/** A server that knows nothing, and what it was asked. */
async function aServer(t: TestContext, tls?: { key: string; cert: string }) {
  const asked: Asked[] = [];
  const listener: RequestListener = (request, response) => {
    void text(request).then((body) => {
      asked.push({ path: request.url ?? '', headers: request.headers, form: new URLSearchParams(body) });
      response.end('{"status":"success","data":{"resultType":"matrix","result":[]}}');
    });
  };
  const server = tls === undefined ? createServer(listener) : createSecureServer(tls, listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  assert(typeof address === 'object' && address !== null);
  return {
    asked,
    endpoint: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${address.port}/prometheus`,
  };
}

function aClient(t: TestContext, files: Readonly<Record<string, string>> = {}) {
  const directory = mkdtempSync(join(tmpdir(), 'flamegate-credentials-'));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(directory, name), content);
  const client = createBackendClient({ name: 'Prometheus', credentialsDirectory: directory });
  t.after(() => {
    client.close();
    rmSync(directory, { recursive: true });
  });
  return { directory, reading: (address: BackendAddress) => prometheusRequests(client, address) };
}

test('a question goes below the endpoint and names pods by their UIDs alone, whatever else is called a pod', async (t) => {
  const { asked, endpoint } = await aServer(t);
  const { reading } = aClient(t);
  const evil = ['http://evil.example/', 'a"} or vector(1) or {b="', '.*', 'a|b', ''];

  await reading({ endpoint }).windows(['11f1-a', '22f2-b', ...evil], SPAN);

  assert.deepEqual(
    asked.map(({ path }) => path),
    ['/prometheus/api/v1/query'],
  );
  const [question] = asked;
  assert.ok(question);
  const query = question.form.get('query') ?? '';
  assert.match(query, /,k8s_pod_uid=~"11f1-a\|22f2-b"\}\[65000ms\]$/);
  assert.equal(question.form.get('time'), '1030.000');
  assert.deepEqual(
    [question.headers.authorization, question.headers['x-scope-orgid']],
    [undefined, undefined],
  );
});

test('many pods and long times are asked for in parts', async (t) => {
  const { asked, endpoint } = await aServer(t);
  const pods = Array.from({ length: 10 }, (_, at) => `uid-${at}`);

  await aClient(t).reading({ endpoint }).windows(pods, { fromMs: 0, toMs: 200_000 });

  const parts = asked.map(({ form }) => `${form.get('query')?.split('|uid').length} ${form.get('time')}`);
  assert.deepEqual(parts, ['4 120.000', '4 120.000', '2 120.000', '4 200.000', '4 200.000', '2 200.000']);
});

test('credentials are of files, as they are by now, and the tenant is of the settings', async (t) => {
  const { asked, endpoint } = await aServer(t);
  const { directory, reading } = aClient(t, { token: 'first\n', user: 'me:secret' });
  const bearer = { endpoint, tenant: 'team-a', authorization: { kind: 'Bearer', file: 'token' } } as const;

  await reading(bearer).windows(['uid-1'], SPAN);
  writeFileSync(join(directory, 'token'), 'second\n');
  await reading(bearer).windows(['uid-1'], SPAN);
  await reading({ endpoint, authorization: { kind: 'Basic', file: 'user' } }).windows(['uid-1'], SPAN);

  assert.deepEqual(
    asked.map(({ headers }) => [headers.authorization, headers['x-scope-orgid']]),
    [
      ['Bearer first', 'team-a'],
      ['Bearer second', 'team-a'],
      [`Basic ${btoa('me:secret')}`, undefined],
    ],
  );
});

test('credentials that are missing, or would break out of their header, are an error that does not repeat them', async (t) => {
  const { asked, endpoint } = await aServer(t);
  const { reading } = aClient(t, { broken: 'secret\r\nhost: evil.example' });
  const askWith = (file: string) =>
    reading({ endpoint, authorization: { kind: 'Bearer', file } }).windows(['uid-1'], SPAN);

  for (const [file, says] of [
    ['missing', /^Prometheus at 127\.0\.0\.1:\d+ has no readable file missing of credentials \(ENOENT\)$/],
    ['broken', /^Prometheus at 127\.0\.0\.1:\d+ has credentials that are not one line of ASCII$/],
  ] as const) {
    await assert.rejects(askWith(file), (error) => {
      assert(error instanceof BackendError);
      assert.equal(error.code, 'BACKEND_CREDENTIALS');
      return says.test(error.message);
    });
  }
  assert.deepEqual(asked, []);
});

test('a certificate has to be of an authority that is trusted, the system’s or the one that is named', async (t) => {
  const authority = await makeAuthority(Date.now());
  const serving = await makeServing(authority, { dns: ['localhost'], ips: [] }, Date.now());
  const { asked, endpoint } = await aServer(t, { key: serving.privateKey, cert: serving.certificate });
  const { reading } = aClient(t, { 'ca.crt': authority.certificate });
  const byName = endpoint.replace('127.0.0.1', 'localhost');

  await assert.rejects(reading({ endpoint: byName }).windows(['uid-1'], SPAN), {
    code: 'BACKEND_UNREACHABLE',
  });
  await reading({ endpoint: byName, ca: 'ca.crt' }).windows(['uid-1'], SPAN);

  assert.equal(asked.length, 1);
});
