import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderDiffPage } from '../../profile/diff-page.ts';
import { aReport } from '../regression-gate/testing/a-cluster.ts';
import { type LinkTemplates, type OutsideLinksInput, outsideLinks } from './outside-links.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const NOW_MS = Date.parse('2026-11-26T10:30:00Z');
const TEMPLATES: LinkTemplates = {
  profiles: 'https://pyroscope.example/?query={query}&from={from}&until={until}',
  traces: 'https://tempo.example/trace/{traceId}',
};

const linksOf = (templates: LinkTemplates, more: Partial<OutsideLinksInput> = {}) =>
  outsideLinks({
    ...{ templates, nowMs: NOW_MS, traced: { baseline: [], canary: [] } },
    report: aReport({
      ...{ baselineHash: 'aaa', canaryHash: 'bbb.ccc' },
      status: { startedAt: '2026-11-26T10:00:00Z', decidedAt: '2026-11-26T10:10:00Z' },
    }),
    ...more,
  });

test('an install that names no address has no links', () => {
  assert.deepEqual(linksOf({}), []);
});

test('each arm leads to its profiles of the time of the evaluation, by its labels', () => {
  const links = linksOf(TEMPLATES);

  const [baseline, canary] = links.map(({ href }) => new URL(href).searchParams);
  assert.deepEqual(
    links.map(({ text }) => text),
    ['Profiles of the baseline', 'Profiles of the canary'],
  );
  assert.deepEqual(
    [baseline?.get('query'), baseline?.get('from'), baseline?.get('until')],
    [
      'process_cpu:cpu:nanoseconds:cpu:nanoseconds{namespace="shop",revision="aaa"}',
      '1795687200',
      '1795687800',
    ],
  );
  assert.match(canary?.get('query') ?? '', /\{namespace="shop",revision=~"bbb\|ccc"\}$/);
});

test('the time of an evaluation that is open ends now, in milliseconds where a template asks for them', () => {
  const report = aReport({ status: { startedAt: '2026-11-26T10:00:00Z' } });

  const [link] = linksOf({ profiles: 'http://grafana/explore?q={query}&to={untilMs}' }, { report });

  assert.equal(new URL(link?.href ?? '').searchParams.get('to'), String(NOW_MS));
});

test('of each arm the slowest requests of three routes lead to their traces, one of a route', () => {
  const row = (route: string, ms: number, traceId = TRACE) => ({
    ...{ method: 'GET', route, slowest: { traceId, latencyNs: ms * 1e6 } },
  });
  const canary = [
    row('/a', 10),
    row('/b', 1_234),
    row('/a', 30),
    row('/c', 5),
    row('/d', 7),
    { method: 'GET', route: '/e' },
  ];

  const links = linksOf({ traces: TEMPLATES.traces ?? '' }, { traced: { baseline: [row('/a', 3)], canary } });

  assert.deepEqual(
    links.map(({ text }) => text),
    [
      'Trace of GET /a, baseline, 3 ms',
      'Trace of GET /b, canary, 1,234 ms',
      'Trace of GET /a, canary, 30 ms',
      'Trace of GET /d, canary, 7 ms',
    ],
  );
  assert.equal(links[0]?.href, `https://tempo.example/trace/${TRACE}`);
});

test('whatever a report says stays behind the host, in its quotes, and in the attribute', () => {
  const report = aReport({ baselineHash: 'a"},{x="&y=1#"><script>', canaryHash: 'b\\' });
  const traced = {
    baseline: [{ method: 'GET', route: '"><script>', slowest: { traceId: '../../evil', latencyNs: 1 } }],
    canary: [],
  };

  const links = linksOf(TEMPLATES, { report, traced });
  const page = renderDiffPage({ title: 't', subtitle: 's', views: [], links });

  const [baseline, canary] = links.map(({ href }) => new URL(href));
  assert.ok(baseline);
  assert.equal(baseline.host, 'pyroscope.example');
  assert.match(baseline.searchParams.get('query') ?? '', /revision="a\\"\},\{x=\\"&y=1#\\"><script>"\}$/);
  assert.match(canary?.searchParams.get('query') ?? '', /revision="b\\\\"\}$/);
  assert.equal(links[2]?.href, 'https://tempo.example/trace/..%2F..%2Fevil');
  assert.doesNotMatch(page.slice(0, page.indexOf('<script type="application/json"')), /<script>/);
});

test('on the page they tell nobody where they come from, and load nothing', () => {
  const page = renderDiffPage({ title: 't', subtitle: 's', views: [], links: linksOf(TEMPLATES) });

  const [, nav = ''] = /<nav aria-label="Elsewhere">(.*?)<\/nav>/.exec(page) ?? [];
  assert.equal(nav.match(/<a /g)?.length, 2);
  assert.equal(nav.match(/ target="_blank" rel="noopener noreferrer">/g)?.length, 2);
  assert.match(page, /default-src 'none'/);
});
