/** The agent as a process of its own beside servers in containers' cgroups, asked by real clients. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { get } from 'node:https';
import { type TestContext, test } from 'node:test';
import { checkBatch } from '../controller/ingest/check-batch.ts';
import { listeningIn, listens, type Peer, startedOrders } from '../native/testing/peers.ts';
import { addSketch, createHistogram, logQuantile } from '../requests/latency-histogram.ts';
import { mergeRows, type RequestWindow, type RouteWindow } from '../requests/request-window.ts';
import { openStore } from '../store/window-store.ts';
import { type Assignment, parseAssignment } from '../wire/assignment.ts';
import {
  type AgentOptions,
  aContainer,
  anAgent,
  anAssignment,
  GRANTED,
  type RunningAgent,
} from './agent-fixture.ts';
import { aController, aLaterWindow, certificates, type FixtureController } from './controller-fixture.ts';
import { aDirectory, eventually } from './jvm-fixture.ts';

const ORDERS = 40;

test('orders, asked by a client, arrives by route, with as many requests as were sent and latencies between what it waits and what the client saw', async (t) => {
  const { controller, agent, service } = await watchedOrders(t);

  const asked: number[] = [];
  for (let id = 0; id < ORDERS; id++) asked.push(await ask(service, `/orders/${id}?secret=${id}`, 200));
  for (const path of ['/orders/none', '/orders/-1']) await ask(service, path, 400);
  await ask(service, '/variant', 200);
  await eventually('all have arrived', () => countIn(controller) >= 2 * ORDERS + 3);

  const rows = routesIn(controller);
  assert.deepEqual(
    rows.map(({ method, route, answers }) => `${method} ${route} ${answers.join(' ')}`).sort(),
    [
      `GET /orders/{id} 0 0 ${ORDERS} 0 2 0`,
      `GET /stock/SKU-0 0 0 ${ORDERS} 0 0 0`, // it asks itself
      'GET /variant 0 0 1 0 0 0',
    ],
  );
  const orders = rows.find(({ route }) => route === '/orders/{id}') ?? assert.fail();
  const latencies = createHistogram();
  addSketch(latencies, orders.latency);
  const worstUs = Math.exp(logQuantile(latencies, 1));
  t.diagnostic(`the slowest: ${Math.round(worstUs)} µs, its client ${Math.round(Math.max(...asked))} µs`);
  assert(worstUs <= Math.max(...asked) * 1.02, 'nobody saw an answer before it was sent');
  assert(Math.exp(logQuantile(latencies, 0.5)) > 5_000, 'most orders wait for 10 ms and more');
  assert.equal(lostIn(controller), 0);
  assert.doesNotMatch(JSON.stringify(controller.batches), /secret/);
  assert.deepEqual(storedOf(t, controller), windowsIn(controller));
  assert.match((await agent.get('/metrics')).text, /flamegate_agent_requests_total 8[3-9]\n/);
});

test('requests are watched only while an assignment wants them', async (t) => {
  const { controller, agent, service } = await watchedOrders(t);
  await ask(service, '/variant', 200);
  await eventually('it has arrived', () => countIn(controller) > 0);

  controller.assignment = {
    ...assignmentOf(controller),
    version: '2',
    containers: withoutRequests(controller),
  };
  await eventually('nothing is watched', async () => isOpen(agent, 0));
  await ask(service, '/variant', 200);
  await aLaterWindow(controller);

  assert.equal(controller.batches.at(-1)?.pods[0]?.requests, undefined);
  assert(controller.batches.at(-1)?.pods[0]?.cpuUsec !== undefined);
});

test('a server of TLS is not observable, whatever probes it answers beside', async (t) => {
  const directory = aDirectory(t);
  certificates(directory);
  const source = `
    const { createServer } = require('node:https'), { readFileSync } = require('node:fs');
    const read = (name) => readFileSync('${directory}/' + name);
    const server = createServer({ key: read('server.key'), cert: read('server.crt') }, (_, answer) => answer.end('ok'));
    server.listen(0, '127.0.0.1', () => console.log('listening ' + server.address().port));`;
  const { controller, agent, service } = await watched(t, (cgroup) =>
    listeningIn(t, cgroup, [process.execPath, '-e', source]),
  );
  await isWatched({ controller, agent });
  await askByTls(service, readFileSync(`${directory}/ca.crt`));
  await eventually('a window says so', () =>
    windowsIn(controller).some(({ state }) => state === 'NotObservable'),
  );

  const [window] = windowsIn(controller).filter(({ state }) => state === 'NotObservable');
  assert.deepEqual([window?.reason, window?.routes], ['Tls', []]);
  assert.match(window?.message ?? '', /it was asked by TLS/);
});

for (const [situation, code, options] of [
  [
    'without the BPF object',
    'BPF_OBJECT_MISSING',
    { env: { FLAMEGATE_REQUESTS_OBJECT: '/nowhere/requests.bpf.o' } },
  ],
  ['without CAP_BPF', 'BPF_NOT_PERMITTED', { capabilities: GRANTED.filter((name) => name !== 'bpf') }],
] as const) {
  test(`an agent that cannot watch requests ${situation} goes on, and says why at the pod`, async (t) => {
    const { controller, agent } = await watched(t, (cgroup) => startedOrders(t, cgroup), options);

    await eventually('a window arrives', () => windowsIn(controller).length > 0);

    const window = windowsIn(controller).at(-1);
    assert.deepEqual([window?.state, window?.reason, window?.routes], ['NotObservable', code, []]);
    assert((controller.batches.at(-1)?.pods[0]?.cpuUsec ?? 0) > 0);
    assert.equal((await agent.get('/healthz')).status, 200);
  });
}

/** What a controller would have of them when it judges. */
function storedOf(t: TestContext, { batches }: FixtureController): readonly (RequestWindow | undefined)[] {
  const store = openStore(`${aDirectory(t)}/windows.db`, { now: Date.now });
  t.after(() => store.close());
  for (const batch of batches) store.addBatch(checkBatch(JSON.parse(JSON.stringify(batch))));
  const all = { pods: [{ podUid: 'aaaa' }], fromMs: 0, toMs: Number.MAX_SAFE_INTEGER };
  return store.windows(all).map(({ requests }) => requests);
}

async function watchedOrders(t: TestContext) {
  const scene = await watched(t, (cgroup) => startedOrders(t, cgroup));
  await listens(scene.service);
  await isWatched(scene);
  return scene;
}

async function watched(t: TestContext, start: (cgroup: string) => Promise<Peer>, options: AgentOptions = {}) {
  const controller = await aController(t);
  const container = aContainer(t);
  const service = await start(container.directory);
  const { containers, ...rest } = anAssignment(container.id);
  const wanted = containers.map((each) => ({ ...each, requests: { routes: ['/orders/{id}'] } }));
  controller.assignment = parseAssignment({ ...rest, windowMs: 2_000, containers: wanted });
  const agent = anAgent(t, controller, options);
  return { controller, agent, service };
}

/** What came before the first whole window belongs to none. */
async function isWatched(scene: { controller: FixtureController; agent: RunningAgent }): Promise<void> {
  await eventually('requests are watched', async () => isOpen(scene.agent, 1));
  await aLaterWindow(scene.controller);
}

/** Microseconds until the answer was read. */
async function ask({ port }: Peer, path: string, status: number): Promise<number> {
  const started = process.hrtime.bigint();
  const answer = await fetch(`http://127.0.0.1:${port}${path}`);
  await answer.text();
  assert.equal(answer.status, status);
  return Number(process.hrtime.bigint() - started) / 1_000;
}

const askByTls = ({ port }: Peer, ca: Buffer): Promise<void> =>
  new Promise((done, failed) => {
    get({ port, host: 'localhost', ca, agent: false }, (answer) => answer.resume().on('end', done)).on(
      'error',
      failed,
    );
  });

async function isOpen(agent: RunningAgent, value: 0 | 1): Promise<boolean> {
  return (await agent.get('/metrics')).text.includes(`flamegate_agent_requests_open ${value}\n`);
}

const windowsIn = ({ batches }: FixtureController): readonly RequestWindow[] =>
  batches.flatMap(({ pods }) => pods.flatMap(({ requests }) => requests ?? []));

function routesIn(controller: FixtureController): readonly RouteWindow[] {
  const routes = new Map<string, RouteWindow>();
  for (const row of windowsIn(controller).flatMap((window) => window.routes)) {
    const key = `${row.method} ${row.route}`;
    const same = routes.get(key);
    routes.set(key, same ? mergeRows(same, row) : row);
  }
  return [...routes.values()];
}

const countIn = (controller: FixtureController): number =>
  routesIn(controller).reduce((sum, { answers }) => sum + answers.reduce((a, b) => a + b, 0), 0);

const lostIn = (controller: FixtureController): number =>
  windowsIn(controller).reduce((sum, { lost }) => sum + lost, 0);

const assignmentOf = ({ assignment }: FixtureController): Assignment => assignment ?? assert.fail('none');

const withoutRequests = (controller: FixtureController) =>
  assignmentOf(controller).containers.map(({ requests: _, ...container }) => container);
