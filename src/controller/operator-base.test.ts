/** Why the stock class of @dot-i/k8s-operator is not used as it is: each of these runs it unchanged, in a process of its own. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

/** The stock class, watching one kind; `body` sees it as `operator`. */
const stock = (body: string): string => `
  import dot from '@dot-i/k8s-operator';
  class Stock extends dot.default {
    async init() { await this.watchResource('flamegate.dev', 'v1alpha1', 'regressiongates', async () => {}); }
  }
  const operator = new Stock();
  const gate = { apiVersion: 'flamegate.dev/v1alpha1', kind: 'RegressionGate', metadata: { name: 'g', namespace: 'n', resourceVersion: '1' } };
  await operator.start();
  ${body}
`;

let server: Server;
let directory: string;
const open = new Set<ServerResponse>();

before(async () => {
  server = createServer((request, response) => {
    const watch = request.url?.includes('watch=true') === true;
    response.writeHead(watch ? 200 : 409, { 'content-type': 'application/json' });
    if (watch) {
      response.flushHeaders();
      open.add(response);
    } else {
      response.end('{"kind":"Status","code":409,"reason":"Conflict"}');
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  directory = mkdtempSync(join(tmpdir(), 'flamegate-stock-'));
  const kubeConfig = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      { name: 'c', cluster: { server: `http://127.0.0.1:${port}`, 'insecure-skip-tls-verify': true } },
    ],
    users: [{ name: 'u', user: { token: 't' } }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'x',
  };
  writeFileSync(join(directory, 'kubeconfig'), JSON.stringify(kubeConfig));
});

after(() => {
  server.closeAllConnections();
  server.close();
  rmSync(directory, { recursive: true });
});

/** Exit code and standard output of the stock class under `body`. */
function run(body: string): Promise<{ readonly code: number | null; readonly out: string }> {
  const child = spawn(process.execPath, ['--input-type=module', '--eval', stock(body)], {
    cwd: import.meta.dirname,
    env: { ...process.env, KUBECONFIG: join(directory, 'kubeconfig') },
    timeout: 60_000,
  });
  let out = '';
  child.stdout.on('data', (text: Buffer) => {
    out += text.toString();
  });
  return new Promise((resolve) => child.on('exit', (code) => resolve({ code, out })));
}

test('the stock class ends the process with 1 when it is asked to stop', async () => {
  const { code } = await run(`
    process.on('exit', (code) => console.log('exit', code));
    setTimeout(() => operator.stop(), 300);
    setTimeout(() => process.exit(0), 5_000);
  `);

  assert.equal(code, 1);
});

test('the stock class reports a refused status write as null, and throws nothing', async () => {
  const { out } = await run(`
    const meta = dot.ResourceMetaImpl.createWithPlural('regressiongates', gate);
    console.log('answer', await operator.patchResourceStatus(meta, { verdict: 'Passed' }));
    process.exit(0);
  `);

  assert.match(out, /answer null/);
});

test('the stock class says that a finalizer is done which was never written', async () => {
  const { out } = await run(`
    const meta = dot.ResourceMetaImpl.createWithPlural('regressiongates', gate);
    const event = { meta, object: gate, type: dot.ResourceEventType.Added };
    console.log('handled', await operator.handleResourceFinalizer(event, 'flamegate.dev/uninject', async () => {}));
    process.exit(0);
  `);

  assert.match(out, /handled true/);
});

test('the stock class ends the process when a watch is quiet for 30 s', { timeout: 60_000 }, async () => {
  const started = performance.now();

  const { code } = await run('setTimeout(() => process.exit(0), 45_000);');

  assert.equal(code, 1);
  assert.ok(performance.now() - started >= 29_000);
});
