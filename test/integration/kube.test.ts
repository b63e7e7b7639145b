/** The thin layer over the API server, against a real one: answers and errors, caches, the lease, Events. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { after, before, type TestContext, test } from 'node:test';
import { KubeConfig, type V1ConfigMap, type V1Lease } from '@kubernetes/client-node';
import { type KubeClient, kubeClient } from '../../src/kube/client.ts';
import { eventRecorder } from '../../src/kube/events.ts';
import { type Informer, startInformer } from '../../src/kube/informer.ts';
import { isKubeError } from '../../src/kube/kube-error.ts';
import { type LeaseOptions, startLeaderElection } from '../../src/kube/lease.ts';
import { eventually } from '../cluster/cluster.ts';
import { client, dropNamespace, kubeConfig, makeNamespace } from './support/api-server.ts';

const NAMESPACE = `flamegate-kube-${process.pid}`;
const configMaps = { apiVersion: 'v1', plural: 'configmaps', namespace: NAMESPACE };
const leases = { apiVersion: 'coordination.k8s.io/v1', plural: 'leases', namespace: NAMESPACE };
const aConfigMap = (name: string, data: Record<string, string> = {}): V1ConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: NAMESPACE },
  data,
});

before(() => makeNamespace(NAMESPACE));
after(() => dropNamespace(NAMESPACE));

test('what is not there is undefined to read and false to delete', async () => {
  const ref = { ...configMaps, name: 'absent' };

  assert.equal(await client.get(ref), undefined);
  assert.equal(await client.delete(ref), false);
});

test('creating twice is a conflict that says AlreadyExists', async () => {
  await client.create(configMaps, aConfigMap('twice'));

  await assert.rejects(
    client.create(configMaps, aConfigMap('twice')),
    (error) => isKubeError(error, 'KUBE_CONFLICT') && error.reason === 'AlreadyExists',
  );
});

test('a refused object carries the API server’s sentence', async () => {
  await assert.rejects(
    client.create(configMaps, aConfigMap('Not A Name')),
    (error) => isKubeError(error, 'KUBE_INVALID') && error.status === 422 && /Not A Name/.test(error.message),
  );
});

test('a writer with an old resourceVersion is refused', async () => {
  const first = await client.create<V1ConfigMap>(configMaps, aConfigMap('stale'));
  const path = `/api/v1/namespaces/${NAMESPACE}/configmaps/stale`;
  await client.request('PUT', path, { ...first, data: { by: 'somebody' } });

  await assert.rejects(client.request('PUT', path, { ...first, data: { by: 'us' } }), (error) =>
    isKubeError(error, 'KUBE_CONFLICT'),
  );
});

const informConfigMaps = (changes: string[]): Informer<V1ConfigMap> =>
  startInformer<V1ConfigMap>(
    kubeConfig,
    client,
    { ...configMaps, kind: 'ConfigMap' },
    {
      trim: (object) => {
        delete object.metadata?.managedFields;
        return object;
      },
      onChange: ({ metadata }) => changes.push(metadata?.name ?? ''),
    },
  );

test('a cache is filled page by page, and knows what came while it was', async () => {
  const names = Array.from({ length: 7 }, (_, at) => `paged-${at}`);
  for (const name of names) await client.create(configMaps, aConfigMap(name));
  let pages = 0;
  const counting: KubeClient = {
    ...client,
    request: async (method, path, body, contentType) => {
      if (method === 'GET' && path.includes('limit=2')) pages += 1;
      if (pages === 2) await client.create(configMaps, aConfigMap('paged-between')).catch(() => undefined);
      return client.request(method, path, body, contentType);
    },
  };
  const informer = startInformer<V1ConfigMap>(
    kubeConfig,
    counting,
    { ...configMaps, kind: 'ConfigMap' },
    { pageSize: 2 },
  );

  await eventually('the one that came between', 20, () => informer.get('paged-between', NAMESPACE));
  const held = informer.list(NAMESPACE).map(({ metadata }) => metadata?.name);

  assert.deepEqual(
    names.filter((name) => held.includes(name)),
    names,
  );
  assert.ok(pages >= 4, `${pages} pages`);
  await informer.stop();
});

test('a cache holds what was there and follows what comes, trimmed and with its kind', async () => {
  await client.create(configMaps, aConfigMap('before'));
  const changes: string[] = [];
  const informer = informConfigMaps(changes);
  await eventually('a filled cache', 20, () => informer.synced() || undefined);

  const listed = informer.get('before', NAMESPACE);
  await client.create(configMaps, aConfigMap('later'));
  const watched = await eventually('the later one', 20, () => informer.get('later', NAMESPACE));
  await client.delete({ ...configMaps, name: 'before' });
  await eventually('the deletion', 20, () =>
    informer.get('before', NAMESPACE) === undefined ? true : undefined,
  );

  for (const object of [listed, watched]) {
    assert.deepEqual([object?.kind, object?.apiVersion], ['ConfigMap', 'v1']);
    assert.equal(object?.metadata?.managedFields, undefined);
  }
  assert.ok(changes.includes('before') && changes.includes('later'));
  await informer.stop();
});

const anElection = (identity: string, more: Partial<LeaseOptions> = {}, by = client) => {
  const seen = { acquired: 0, lost: [] as string[], errors: [] as unknown[] };
  const election = startLeaderElection(by, {
    namespace: NAMESPACE,
    name: 'leader',
    identity,
    durationMs: 3_000,
    renewDeadlineMs: 2_000,
    retryMs: 200,
    monotonicNow: () => performance.now(),
    wallNow: Date.now,
    onAcquired: () => {
      seen.acquired += 1;
    },
    onLost: (why) => seen.lost.push(why),
    onError: (error) => seen.errors.push(error),
    ...more,
  });
  return { election, seen };
};

test('one of two leads, and the other follows as soon as the lease is given back', async () => {
  const first = anElection('first');
  await eventually('a leader', 20, () => first.election.isLeader() || undefined);
  const second = anElection('second');
  const startedMs = performance.now();
  await eventually('a few tries of the second', 10, () => performance.now() - startedMs > 1_000 || undefined);

  assert.equal(second.election.isLeader(), false);
  await first.election.stop();
  await eventually('the second leads', 10, () => second.election.isLeader() || undefined);

  assert.deepEqual([first.seen.acquired, second.seen.acquired], [1, 1]);
  assert.deepEqual(first.seen.lost, []);
  await second.election.stop();
});

test('who dies without a word is followed once the lease has run out', async () => {
  await client.delete({ ...leases, name: 'leader' });
  await client.create(leases, {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { name: 'leader', namespace: NAMESPACE },
    spec: {
      holderIdentity: 'dead',
      leaseDurationSeconds: 3,
      renewTime: new Date(Date.now() + 86_400_000).toISOString().replace('Z', '000Z'), // its clock is a day ahead
    },
  });
  const startedMs = performance.now();

  const { election } = anElection('heir');
  await eventually('the heir leads', 20, () => election.isLeader() || undefined);

  assert.ok(performance.now() - startedMs >= 2_900);
  await election.stop();
});

test('a leader whose lease is taken from it is told, and leads no more', async () => {
  await client.delete({ ...leases, name: 'leader' });
  const { election, seen } = anElection('robbed');
  await eventually('a leader', 20, () => election.isLeader() || undefined);

  const robbery = async (): Promise<true> => {
    const path = `/apis/coordination.k8s.io/v1/namespaces/${NAMESPACE}/leases/leader`;
    const patch = { spec: { holderIdentity: 'robber' } };
    await client.request('PATCH', path, patch, 'application/merge-patch+json');
    return true;
  };
  await eventually('the robbery', 10, robbery);
  await eventually('the loss', 10, () => (seen.lost.length > 0 ? true : undefined));

  assert.match(seen.lost[0] ?? '', /held by robber/);
  assert.equal(election.isLeader(), false);
  await election.stop();
});

/** The API server behind a door of the test's own, whose connections of one moment it leaves open and passes nothing on of any more. */
async function behindDoor(t: TestContext) {
  const open = new Set<Socket>();
  const { hostname, port } = new URL(kubeConfig.getCurrentCluster()?.server ?? assert.fail());
  const door = createServer((inside) => {
    const outside = connect(Number(port), hostname);
    inside.pipe(outside).pipe(inside);
    for (const socket of [inside, outside]) socket.on('error', () => socket.destroy());
    open.add(inside).add(outside);
  });
  await once(door.listen(0, '127.0.0.1'), 'listening');
  t.after(() => {
    door.close();
    for (const socket of open) socket.destroy();
  });
  const config = new KubeConfig();
  config.loadFromString(kubeConfig.exportConfig());
  const { port: own } = door.address() as AddressInfo;
  config.clusters = config.clusters.map((cluster) => ({ ...cluster, server: `https://127.0.0.1:${own}` }));
  const silence = () => {
    for (const socket of open) socket.unpipe().pause();
  };
  return { config, silence };
}

test('a connection that dies without a word does not cost the lease', async (t) => {
  await client.delete({ ...leases, name: 'leader' });
  const { config, silence } = await behindDoor(t);
  const times = { durationMs: 15_000, renewDeadlineMs: 12_000 };
  const { election, seen } = anElection('patient', times, kubeClient(config, { timeoutMs: 1_000 }));
  await eventually('a leader', 20, () => election.isLeader() || undefined);

  silence();
  await eventually('a try without an answer', 20, () => (seen.errors.length > 0 ? true : undefined));
  const renewed = async () => (await client.get<V1Lease>({ ...leases, name: 'leader' }))?.spec?.renewTime;
  const before = await renewed();
  await eventually('the lease is renewed again', 20, async () =>
    (await renewed()) === before ? undefined : true,
  );

  assert.match(String(seen.errors[0]), /no answer/);
  assert.deepEqual(seen.lost, []);
  await election.stop();
});

test('Events are written once for the same reason, and cut to what the API server takes', async () => {
  const errors: unknown[] = [];
  const recorder = eventRecorder(client, {
    controller: 'flamegate.dev/test',
    instance: 'test',
    now: Date.now,
    onError: (error) => errors.push(error),
  });
  const map = await client.create<V1ConfigMap>(configMaps, aConfigMap('regarded'));
  const regarding = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    namespace: NAMESPACE,
    name: 'regarded',
    uid: map.metadata?.uid ?? '',
  };
  const event = {
    regarding,
    type: 'Warning',
    reason: 'Tested',
    note: 'é'.repeat(2_000),
    action: 'Test',
  } as const;

  recorder.record(event);
  recorder.record(event);
  await recorder.stop();

  const { items } = await client.request<{ items: { reason: string; note: string }[] }>(
    'GET',
    `/apis/events.k8s.io/v1/namespaces/${NAMESPACE}/events`,
  );
  const ours = items.filter(({ reason }) => reason === 'Tested');
  assert.deepEqual(errors, []);
  assert.equal(ours.length, 1);
  assert.ok(Buffer.byteLength(ours[0]?.note ?? '') <= 1024);
});
