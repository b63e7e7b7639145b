/** The pages of the HTTPS API: for whoever may read gates in the namespace. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { gatesPagePath, reportPagePath } from '../../wire/endpoints.ts';
import { metadata } from '../regression-gate/testing/a-cluster.ts';
import { aRunningIngest, type RunningIngest, TOKENS } from './testing/a-running-ingest.ts';
import { type Answer, call } from './testing/https-client.ts';

async function anIngest(t: TestContext): Promise<RunningIngest> {
  const ingest = await aRunningIngest();
  t.after(() => ingest.stop());
  return ingest;
}

const asks = (ingest: RunningIngest, path: string, token: string = TOKENS.reader): Promise<Answer> =>
  call({ ...ingest, path, headers: { authorization: `Bearer ${token}` } });
const codeOf = (answer: Answer): string => `${answer.status} ${JSON.parse(answer.text).code}`;
const REPORT = reportPagePath('shop', 'orders-cpu-1');

test('a report is shown with what was seen of its arms, to whoever may read gates there, and to nobody else', async (t) => {
  const ingest = await anIngest(t);
  const [report] = ingest.view.reports('shop');
  assert.ok(report);
  ingest.view.change({
    reports: [
      {
        ...report,
        status: {
          ...report.status,
          routes: [{ check: 'errors', route: 'GET /<b>', requests: 1_234, grown: true }],
          checks: [{ check: 'errors', verdict: 'Failed' }],
        },
      },
    ],
  });

  const page = await asks(ingest, REPORT);

  assert.equal(page.status, 200);
  assert.match(page.headers['content-type'] ?? '', /^text\/html/);
  assert.match(page.text, /<canvas id="canvas"/);
  assert.match(page.text, /secretOfShop/);
  assert.match(
    page.text,
    /<th scope="row">Failed requests<\/th>\s*<td><span class="badge failed">Failed<\/span>/,
  );
  assert.match(page.text, /<td>1,234<\/td>.*<td>GET \/&lt;b&gt;<\/td>/);
  assert.doesNotMatch(page.text, /<nav/, 'a page that is saved leads nowhere');
  assert.match((await asks(ingest, `${REPORT}?nav=1`)).text, /<a href="\/gates\/v1\/shop">/);
  assert.equal(codeOf(await asks(ingest, REPORT, '')), '401 TOKEN_MISSING');
  assert.equal(codeOf(await asks(ingest, REPORT, 'token-nobody-ever-issued')), '401 TOKEN_REJECTED');
  assert.equal(codeOf(await asks(ingest, REPORT, TOKENS.tenant)), '403 VIEWER_NOT_ALLOWED');
});

test('a report leads to profiles and traces where the settings say so, with what the agents saw', async (t) => {
  const ingest = await anIngest(t);
  ingest.settings.links = {
    profiles: 'https://pyroscope.example/?query={query}',
    traces: 'https://tempo.example/trace/{traceId}',
  };

  const { text } = await asks(ingest, REPORT);

  const [, nav = ''] = /<nav aria-label="Elsewhere">(.*?)<\/nav>/.exec(text) ?? [];
  assert.deepEqual(
    [...nav.matchAll(/href="([^"?]+)[^>]*>([^<]+)</g)].map(([, href, name]) => [href, name]),
    [
      ['https://pyroscope.example/', 'Profiles of the baseline'],
      ['https://pyroscope.example/', 'Profiles of the canary'],
      [
        'https://tempo.example/trace/0af7651916cd43dd8448eb211c80319c',
        'Trace of GET /orders, baseline, 30 ms',
      ],
      ['https://tempo.example/trace/0af7651916cd43dd8448eb211c80319c', 'Trace of GET /orders, canary, 30 ms'],
    ],
  );
});

test('a report that is not there is 404; one whose windows are gone is told without a picture', async (t) => {
  const ingest = await anIngest(t);
  assert.equal(codeOf(await asks(ingest, reportPagePath('shop', 'nobody'))), '404 REPORT_NOT_FOUND');
  const [report] = ingest.view.reports('shop');
  assert.ok(report);
  ingest.view.change({ reports: [{ ...report, metadata: metadata('older') }] });

  const page = await asks(ingest, reportPagePath('shop', 'older'));

  assert.equal(page.status, 200);
  assert.match(page.text, /no longer kept/);
  assert.match(page.text, /secretOfShop takes more CPU/);
  assert.doesNotMatch(page.text, /<canvas/);
});

test('the gates of a namespace and their history are a page without a script', async (t) => {
  const ingest = await anIngest(t);

  const page = await asks(ingest, gatesPagePath('shop'));

  assert.equal(page.status, 200);
  assert.match(page.text, /<h2>orders-cpu<\/h2>/);
  assert.match(
    page.text,
    /<a href="\/reports\/v1\/shop\/orders-cpu-1\/flamegraph\?nav=1">bbb, attempt 1<\/a>/,
  );
  assert.doesNotMatch(page.text, /<script/);
});
