/** A cache over watches that end as they do in the wild: expired, cut, and with what happened meanwhile unseen. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { KubeConfig, type KubernetesObject } from '@kubernetes/client-node';
import { eventually } from '../agent/jvm-fixture.ts';
import { kubeClient } from './client.ts';
import { startInformer } from './informer.ts';

const pod = (name: string) => ({ metadata: { name, namespace: 'shop', uid: name, resourceVersion: '1' } });

/** Lists what it is told to hold, and keeps every watch open until a test ends it. */
async function aPodServer(t: TestContext) {
  const held = { pods: ['a', 'b'], lists: 0, gone: false };
  const watches: ServerResponse[] = [];
  const server = createServer((request, response) => {
    response.setHeader('content-type', 'application/json');
    if (request.url?.includes('watch=true')) {
      if (held.gone) response.writeHead(410).end();
      else {
        watches.push(response);
        response.flushHeaders();
      }
      return;
    }
    held.lists += 1;
    held.gone = false;
    response.end(JSON.stringify({ metadata: { resourceVersion: '7' }, items: held.pods.map(pod) }));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromOptions({
    clusters: [{ name: 'c', server: `http://127.0.0.1:${port}`, skipTLSVerify: true }],
    users: [{ name: 'u' }],
    contexts: [{ name: 'c', cluster: 'c', user: 'u' }],
    currentContext: 'c',
  });
  return { held, watches, kubeConfig };
}

const EXPIRED = {
  type: 'ERROR',
  object: { kind: 'Status', apiVersion: 'v1', status: 'Failure', reason: 'Expired', code: 410 },
};

type Server = Awaited<ReturnType<typeof aPodServer>>;

const ENDS: readonly (readonly [string, (watch: ServerResponse, server: Server) => void])[] = [
  ['says 410 Gone and ends', (watch) => void watch.end(`${JSON.stringify(EXPIRED)}\n`)],
  [
    'is cut, and cannot go on where it was',
    (watch, { held }) => {
      held.gone = true;
      watch.destroy();
    },
  ],
];

for (const [what, end] of ENDS) {
  test(`when a watch ${what} the cache is listed anew, with what came and went unseen`, async (t) => {
    const server = await aPodServer(t);
    const { held, watches, kubeConfig } = server;
    const resource = { apiVersion: 'v1', plural: 'pods', kind: 'Pod' };
    const informer = startInformer<KubernetesObject>(kubeConfig, kubeClient(kubeConfig), resource);
    t.after(() => informer.stop());
    const names = () =>
      informer
        .list()
        .map(({ metadata }) => metadata?.name)
        .sort()
        .join();
    await eventually('the first watch', () => watches.length === 1);
    assert.equal(names(), 'a,b');

    held.pods = ['b', 'c'];
    const [first] = watches;
    assert(first);
    end(first, server);
    await eventually('a second watch', () => watches.length >= 2);

    assert.equal(names(), 'b,c');
    assert.equal(held.lists, 2);
    assert.equal(informer.synced(), true);
  });
}

test('a list stays the same one until an object of it changes, and tells of each change then', async (t) => {
  const { watches, kubeConfig } = await aPodServer(t);
  const informer = startInformer<KubernetesObject>(kubeConfig, kubeClient(kubeConfig), {
    ...{ apiVersion: 'v1', plural: 'pods', kind: 'Pod' },
  });
  t.after(() => informer.stop());
  const names = (namespace?: string) => informer.list(namespace).map(({ metadata }) => metadata?.name);
  await eventually('the first watch', () => watches.length > 0 && names().length === 2);
  const before = [informer.list(), informer.list('shop')];
  const again = [informer.list(), informer.list('shop')];

  watches[0]?.write(`${JSON.stringify({ type: 'ADDED', object: pod('c') })}\n`);
  await eventually('the pod that came', () => names().length === 3);
  watches[0]?.write(`${JSON.stringify({ type: 'DELETED', object: pod('a') })}\n`);
  await eventually('the end of the one that went', () => names('shop').length === 2);

  for (const [at, list] of before.entries()) assert.equal(again[at], list);
  assert.deepEqual([names(), names('shop'), names('other')], [['b', 'c'], ['b', 'c'], []]);
});
