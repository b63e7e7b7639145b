/** Who may ask what: every endpoint, asked in every wrong way. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { Registry } from 'prom-client';
import {
  ALL_GATES_PAGE_PATH,
  ASSIGNMENT_PATH,
  BATCHES_PATH,
  FLAGGER_HOOKS,
  flaggerWebhookPath,
  gatesPagePath,
  podWindowsPath,
  reportPagePath,
  slowRequestsPath,
  verdictPath,
  windowsPath,
} from '../../wire/endpoints.ts';
import { agentReports } from '../agent-reports-memory.ts';
import { toldNodes } from '../told-nodes.ts';
import { authenticator } from './authenticate.ts';
import { ingestMetrics } from './ingest-metrics.ts';
import { podHomes } from './pod-homes.ts';
import { type Callers, routesOf } from './routes.ts';
import { aFreshBatch, aRunningIngest, type RunningIngest, TOKENS } from './testing/a-running-ingest.ts';
import { type Answer, call, gzipped, push } from './testing/https-client.ts';

async function anIngest(t: TestContext): Promise<RunningIngest> {
  const ingest = await aRunningIngest();
  t.after(() => ingest.stop());
  return ingest;
}

/** A good request for each row of the table in routes.ts, to another node's data and another namespace's. */
interface Example {
  readonly callers: Callers;
  readonly path: (of: { readonly node: string; readonly namespace: string }) => string;
}
const REPORT = 'orders-cpu-1';
const EXAMPLES: readonly Example[] = [
  { callers: 'agents', path: () => BATCHES_PATH },
  { callers: 'agents', path: ({ node }) => `${ASSIGNMENT_PATH}?node=${node}` },
  { callers: 'viewers', path: ({ namespace }) => gatesPagePath(namespace) },
  { callers: 'someViewers', path: () => ALL_GATES_PAGE_PATH },
  { callers: 'viewers', path: ({ namespace }) => reportPagePath(namespace, REPORT) },
  {
    callers: 'viewers',
    path: ({ namespace }) => `${slowRequestsPath(namespace, REPORT, 'text')}?arm=canary`,
  },
  {
    callers: 'viewers',
    path: ({ namespace }) => `${slowRequestsPath(namespace, REPORT, 'page')}?arm=canary`,
  },
  { callers: 'viewers', path: ({ namespace }) => `${windowsPath(namespace)}?selector=app%3Dorders&fromMs=0` },
  { callers: 'viewers', path: ({ namespace }) => `${podWindowsPath(namespace, 'orders-1')}?fromMs=0` },
  { callers: 'viewers', path: ({ namespace }) => `${verdictPath(namespace, 'orders-cpu')}?canary=bbb` },
  ...FLAGGER_HOOKS.map((hook): Example => ({ callers: 'anyone', path: () => flaggerWebhookPath(hook) })),
];
/** Those that look at a token. */
const GUARDED = EXAMPLES.flatMap(({ callers, path }) => (callers === 'anyone' ? [] : [{ callers, path }]));
const OF_SHOP = { node: 'node-a', namespace: 'shop' };

function asks(ingest: RunningIngest, path: string, token: string, node = 'node-a'): Promise<Answer> {
  if (path === BATCHES_PATH) {
    return push({ ...ingest, token, body: gzipped(aFreshBatch(ingest.clock.nowMs, { node })) });
  }
  return call({ ...ingest, path, headers: { authorization: `Bearer ${token}` } });
}

/** As Flagger sends it, with or without what it never sends. */
function asksAsFlagger(ingest: RunningIngest, path: string, headers: object = {}): Promise<Answer> {
  const payload = { name: 'orders', namespace: 'shop', phase: 'Progressing', checksum: '5d8f9c' };
  const body = Buffer.from(JSON.stringify(payload));
  const all = { 'content-type': 'application/json', ...headers };
  return call({ ...ingest, method: 'POST', path, headers: all, body });
}

const codeOf = (answer: Answer): string =>
  answer.status < 300 ? `${answer.status}` : `${answer.status} ${JSON.parse(answer.text).code}`;

const bodyOf = (answer: Answer): string =>
  answer.headers['content-encoding'] === 'gzip' ? gunzipSync(answer.bytes).toString() : answer.text;

test('each endpoint is in these tests, under the callers it is for', async (t) => {
  const { api, registry: _, store, view } = await anIngest(t);
  const { client } = api;
  const now = Date.now;
  const routes = routesOf({
    client,
    authenticator: authenticator({ client, agentsNamespace: 'flamegate-agents', now }),
    ...{ homes: podHomes(), reports: agentReports(), metrics: ingestMetrics(new Registry(), store) },
    ...{ view, store, told: toldNodes(store, now), now },
  });
  t.after(routes.stop);

  for (const { path, callers } of routes.all) {
    const own = EXAMPLES.filter((example) => path.test(example.path(OF_SHOP).split('?')[0] ?? ''));
    assert(own.length > 0, `${path} has no example here: add one, so that it is asked in every wrong way`);
    assert.deepEqual([...new Set(own.map((example) => example.callers))], [callers], `${path}`);
  }
});

test('who is allowed is answered, so that what follows is refused for the reason it says', async (t) => {
  const ingest = await anIngest(t);

  for (const { callers, path } of GUARDED) {
    const answer = await asks(ingest, path(OF_SHOP), callers === 'agents' ? TOKENS.agentA : TOKENS.reader);
    assert.equal(answer.status, 200, `${path(OF_SHOP)}: ${answer.text}`);
    if (callers !== 'agents') assert.match(bodyOf(answer), /secretOfShop/);
  }
});

test('no endpoint answers without a token, by one nobody issued, or by one for another audience', async (t) => {
  const ingest = await anIngest(t);
  ingest.api.tokens.set('token-of-an-agent-for-the-api-server', {
    ...{ username: 'system:serviceaccount:flamegate-agents:flamegate-agent', node: 'node-a' },
  });
  const wrong = {
    agents: ['token-of-an-agent-for-the-api-server', TOKENS.reader],
    viewers: [TOKENS.agentA],
    someViewers: [TOKENS.agentA],
  };

  for (const { callers, path } of GUARDED) {
    const at = path(OF_SHOP);
    assert.equal(codeOf(await asks(ingest, at, '')), '401 TOKEN_MISSING', at);
    assert.equal(codeOf(await asks(ingest, at, 'token-nobody-ever-issued')), '401 TOKEN_REJECTED', at);
    for (const token of wrong[callers]) {
      assert.equal(codeOf(await asks(ingest, at, token)), '401 TOKEN_REJECTED', `${at} by ${token}`);
    }
  }
});

test('a token that has expired is refused within a minute by every endpoint', async (t) => {
  const ingest = await anIngest(t);
  for (const token of [TOKENS.agentA, TOKENS.reader])
    ingest.api.tokens.set(`${token}-old`, must(ingest, token));
  const reader = `${TOKENS.reader}-old`;
  const old = { agents: `${TOKENS.agentA}-old`, viewers: reader, someViewers: reader };
  for (const { callers, path } of GUARDED) {
    assert.equal((await asks(ingest, path(OF_SHOP), old[callers])).status, 200);
  }

  for (const token of Object.values(old)) ingest.api.tokens.delete(token);
  ingest.clock.nowMs += 60_000;

  for (const { callers, path } of GUARDED) {
    assert.equal(codeOf(await asks(ingest, path(OF_SHOP), old[callers])), '401 TOKEN_REJECTED');
  }
});

test('what anybody may ask is nothing at all unless the settings say so, and then tells nothing of a profile', async (t) => {
  const ingest = await anIngest(t);
  const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

  for (const path of FLAGGER_HOOKS.map(flaggerWebhookPath)) {
    ingest.settings.flaggerWebhooks = false;
    assert.equal(codeOf(await asksAsFlagger(ingest, path, bearer(TOKENS.reader))), '404 NOT_FOUND');
    assert.equal(codeOf(await call({ ...ingest, path })), '404 NOT_FOUND', 'as a path that is none');
    ingest.settings.flaggerWebhooks = true;
    const bare = await asksAsFlagger(ingest, path);
    assert([200, 409].includes(bare.status), bare.text);
    for (const token of [...Object.values(TOKENS), 'token-nobody-ever-issued']) {
      const answer = await asksAsFlagger(ingest, path, bearer(token));
      assert.equal(answer.text, bare.text);
      assert.doesNotMatch(answer.text, /secretOfShop|orders-cpu|bbb/);
    }
    assert.equal(codeOf(await call({ ...ingest, path })), '405 METHOD_NOT_ALLOWED');
  }
  assert.equal(ingest.api.tokenReviews, 0);
});

const must = ({ api }: RunningIngest, token: string) => api.tokens.get(token) ?? assert.fail(token);

test('an agent gets and gives nothing for another node than its token’s', async (t) => {
  const ingest = await anIngest(t);
  const before = ingest.store.stats().windows;

  for (const { path } of EXAMPLES.filter(({ callers }) => callers === 'agents')) {
    const answer = await asks(ingest, path(OF_SHOP), TOKENS.agentB, 'node-a');
    assert.equal(codeOf(answer), '403 FOREIGN_NODE', path(OF_SHOP));
  }
  // It says it is node-b, as it is, and speaks of a pod of node-a.
  assert.equal(codeOf(await asks(ingest, BATCHES_PATH, TOKENS.agentB, 'node-b')), '403 FOREIGN_POD');
  assert.equal(ingest.store.stats().windows, before);
});

test('a tenant reads nothing of another namespace, by any endpoint and any way to write its path', async (t) => {
  const ingest = await anIngest(t);
  const disguises = [
    (path: string) => path,
    (path: string) => path.replace('/shop', '/elsewhere/../shop'),
    (path: string) => path.replace('/shop', '/elsewhere/%2e%2e/shop'),
    (path: string) => path.replace('/shop', '/elsewhere%2f..%2fshop'),
    (path: string) => path.replace('/shop', '//shop'),
    (path: string) => path.replace('/shop', '/elsewhere\\..\\shop'),
    (path: string) => `//elsewhere${path}`,
    (path: string) => `https://elsewhere${path}`,
    (path: string) => path.replace('/shop', '/SHOP'),
    (path: string) => `${path}&namespace=elsewhere`,
  ];

  for (const { path } of EXAMPLES.filter(({ callers }) => callers === 'viewers')) {
    for (const disguise of disguises) {
      const at = disguise(path(OF_SHOP));
      const answer = await asks(ingest, at, TOKENS.tenant);
      assert([400, 403, 404].includes(answer.status), `${at}: ${answer.status}`);
      assert.doesNotMatch(bodyOf(answer), /secretOfShop/, at);
    }
  }
});

test('in its own namespace a tenant finds nothing of another, whatever names and labels it gives', async (t) => {
  const ingest = await anIngest(t);

  for (const { path } of EXAMPLES.filter(({ callers }) => callers === 'viewers')) {
    const answer = await asks(ingest, path({ ...OF_SHOP, namespace: 'elsewhere' }), TOKENS.tenant);
    assert([200, 404].includes(answer.status), answer.text);
    const said = bodyOf(answer).replaceAll('elsewhere/orders-1', ''); // what it asked for
    assert.doesNotMatch(said, /secretOfShop|orders-1/);
  }
});

test('gates of all namespaces are those that the caller may read, and of others not even the names', async (t) => {
  const ingest = await anIngest(t);
  const [ofShop] = ingest.view.gates();
  assert.ok(ofShop);
  const elsewhere = { ...ofShop, metadata: { ...ofShop.metadata, namespace: 'elsewhere', name: 'basket' } };
  ingest.view.change({ gates: [ofShop, elsewhere] });
  const stranger = 'token-of-somebody-who-may-read-nothing';
  const operator = 'token-of-somebody-who-may-read-everything';
  ingest.api.tokens.set(stranger, { username: 'mallory' });
  ingest.api.tokens.set(operator, { username: 'op', mayRead: [''] });
  const page = (token: string) => asks(ingest, ALL_GATES_PAGE_PATH, token);

  const [own, tenants, nobodys, all] = await Promise.all([
    page(TOKENS.reader),
    page(TOKENS.tenant),
    page(stranger),
    page(operator),
  ]);

  const namesIn = ({ text }: Answer) =>
    [...text.matchAll(/<h2>(?:<a[^>]*>)?([^<]+)/g)].map(([, name]) => name);
  assert.deepEqual(namesIn(own), ['shop', 'orders-cpu']);
  assert.deepEqual(namesIn(tenants), ['elsewhere', 'basket']);
  assert.doesNotMatch(tenants.text, /secretOfShop|shop/);
  assert.equal(codeOf(nobodys), '403 VIEWER_NOT_ALLOWED');
  assert.doesNotMatch(nobodys.text, /shop|elsewhere/);
  assert.deepEqual(namesIn(all), ['elsewhere', 'basket', 'shop', 'orders-cpu']);
});

test('headers that name somebody else change nothing', async (t) => {
  const ingest = await anIngest(t);
  const authorization = `Bearer ${TOKENS.tenant}`;
  const others = { 'impersonate-user': 'ann', 'x-remote-user': 'ann', 'x-forwarded-user': 'ann' };

  const path = reportPagePath('shop', REPORT);
  const answer = await call({ ...ingest, path, headers: { authorization, ...others } });

  assert.equal(codeOf(answer), '403 VIEWER_NOT_ALLOWED');
});

test('who asks too often is told to wait, and others are not', async (t) => {
  const ingest = await anIngest(t);
  const at = reportPagePath('elsewhere', 'no-such-report');
  const viewer = { username: 'bob', mayRead: ['elsewhere'] };
  ingest.api.tokens.set('token-of-bob-who-reads-elsewhere', viewer);
  const answers = await Promise.all(Array.from({ length: 61 }, () => asks(ingest, at, TOKENS.tenant)));

  const refused = answers.filter(({ status }) => status === 429);
  assert.deepEqual(refused.map(codeOf), ['429 TOO_MANY_REQUESTS']);
  assert.equal(refused[0]?.headers['retry-after'], '1');
  assert.equal((await asks(ingest, at, 'token-of-bob-who-reads-elsewhere')).status, 404);
  ingest.clock.nowMs += 1_000;
  assert.equal((await asks(ingest, at, TOKENS.tenant)).status, 404);
});

test('who tries tokens is soon refused without the API server, and known tokens go on', async (t) => {
  const ingest = await anIngest(t);
  assert.equal((await asks(ingest, EXAMPLES[1]?.path(OF_SHOP) ?? '', TOKENS.agentA)).status, 200);
  const guess = (i: number) => asks(ingest, reportPagePath('shop', REPORT), `token-that-is-a-guess-${i}`);
  for (let i = 0; i < 30; i++) assert.equal((await guess(i)).status, 401);
  const reviews = ingest.api.tokenReviews;

  assert.equal(codeOf(await guess(30)), '429 TOO_MANY_REQUESTS');
  assert.equal(ingest.api.tokenReviews, reviews);
  assert.equal((await asks(ingest, EXAMPLES[1]?.path(OF_SHOP) ?? '', TOKENS.agentA)).status, 200);
});
