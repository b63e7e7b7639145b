/** A report and what was seen of its arms, as the page that people read. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RegressionReport, RegressionReportStatus } from '../../crds/regression-report.ts';
import { API_VERSION } from '../../crds/schema.ts';
import { parseCollapsed } from '../../profile/collapsed.ts';
import type { StoredServedRow } from '../../store/stored-served.ts';
import { intervalRows } from './report-charts.ts';
import { reportPageInput } from './report-page-input.ts';
import type { ArmData } from './report-views.ts';

const START = Date.parse('2026-01-02T03:00:00Z');

const aReport = (status: RegressionReportStatus): RegressionReport => ({
  ...{ apiVersion: API_VERSION, kind: 'RegressionReport' },
  metadata: {
    ...{ name: 'orders-1', namespace: 'shop', uid: 'u', generation: 1, resourceVersion: '1' },
    creationTimestamp: '2026-01-02T03:00:00Z',
  },
  spec: {
    ...{ gate: 'orders', gateGeneration: 1, baselineHash: '7c9d', canaryHash: '85bf', attempt: 1 },
    images: { baseline: ['shop/orders:1'], canary: ['shop/orders:2'] },
  },
  status,
});

const STATUS: RegressionReportStatus = {
  ...{
    verdict: 'Failed',
    message: 'P99 grew.',
    startedAt: '2026-01-02T03:00:00Z',
    decidedAt: '2026-01-02T03:02:00Z',
  },
  checks: [
    {
      ...{ check: 'latency.p99', verdict: 'Failed', baseline: '80ms', canary: '100ms' },
      ...{ delta: '+20ms', interval: ['+9ms', '+31ms'], margin: '8ms' },
    },
    { check: 'errors', verdict: 'NotObservable', message: 'TLS inside the JVM' },
  ],
};

function anArm(cpuMs: number, stacks: string): ArmData {
  const latency = [200, 100]; // one bucket, of a hundred requests
  const windows = Array.from({ length: 12 }, (_, nth) => ({
    ...{ pod: `pod-${nth % 3}`, startMs: START + nth * 10_000, endMs: START + (nth + 1) * 10_000 },
    cpuUsec: cpuMs * 1_000,
    stacks: parseCollapsed(stacks),
    requests: {
      ...{ state: 'Seen' as const, reason: '', message: '', lost: 0 },
      routes: [
        {
          ...{ method: 'GET', route: '/orders', answers: [0, 0, 100, 0, 0, 0] as const },
          ...{ clientGone: 0, unfinished: 0, reset: 0, latency, waited: [] },
        },
      ],
    },
  }));
  const row = (route: string, speed: StoredServedRow['speed'], samples: string): StoredServedRow => ({
    ...{ method: 'GET', route, speed, requests: 50, latencyNs: 0, unreadNs: 0, stoppedNs: 0, stopsKnown: 0 },
    ...{ samples: parseCollapsed(samples), waited: [] },
  });
  return {
    windows,
    waiting: [
      { stacks: parseCollapsed('main;load;[wait: socket] 3000000000\nmain;poll;[wait: idle] 9000000000') },
    ],
    io: [],
    served: [
      {
        hz: 100,
        rows: [row('/orders', 'normal', 'main;price 200'), row('/orders', 'slow', 'main;price 60')],
      },
    ],
  };
}

const inputOf = (
  status: RegressionReportStatus,
  arms = { baseline: anArm(500, 'main;a 10'), canary: anArm(700, 'main;b 10') },
) => reportPageInput({ report: aReport(status), arms, links: [], nowMs: START + 300_000 });

test('where requests are known, every view is in milliseconds of one', () => {
  const { views } = inputOf(STATUS);

  assert.deepEqual(
    views.map(({ id, label, costs }) => [id, label, costs?.baseline.ms, costs?.canary.ms]),
    [
      ['cpu', 'CPU', 5, 7],
      ['waiting', 'Waiting', 2.5, 2.5], // 3 s of 1,200 requests, and no waiting for work
      ['route0', 'GET /orders', 26, 26],
      ['slow', 'CPU of slow requests', 12, 12],
    ],
  );
});

test('the checks have their numbers as multiples of nothing but their own margin', () => {
  assert.deepEqual(intervalRows(STATUS), [
    {
      ...{
        label: 'Latency, P99',
        verdict: 'Failed',
        levels: '80 → 100ms',
        text: '+20ms (+9 to +31ms), margin 8ms',
      },
      numbers: { change: 20, low: 9, high: 31, margin: 8 },
    },
    { label: 'Failed requests', verdict: 'NotObservable', levels: '-', text: 'TLS inside the JVM' },
  ]);
});

test('the timeline ends where the verdict fell, with the latency that failed', () => {
  const { timeline, latency } = inputOf(STATUS);

  assert.deepEqual([timeline?.decidedMs, timeline?.durationMs, timeline?.stepMs], [120_000, 120_000, 30_000]);
  assert.deepEqual(
    timeline?.series.map(({ title, baseline, canary }) => [
      title,
      baseline[0]?.toFixed(1),
      canary[0]?.toFixed(1),
    ]),
    [
      ['CPU of a request, ms', '5.0', '7.0'],
      ['Latency, P99, ms', '0.1', '0.1'],
    ],
  );
  assert.deepEqual(latency?.marks, [{ label: 'P99', baselineMs: 80, canaryMs: 100, interval: [89, 111] }]);
});

test('without samples there is no picture, and the stacks that the report kept are told', () => {
  const none: ArmData = { windows: [], waiting: [], io: [], served: [] };
  const culprit = {
    ...{
      function: 'shop.Codec.encode',
      kind: 'New' as const,
      baseline: '0%',
      canary: '5%',
      delta: '+5%',
      interval: ['+4%', '+6%'],
    },
    ...{ shareOfDelta: '90%', stack: ['shop.Codec.encode (Codec.kt:7)', 'main'] },
  };

  const {
    views,
    noViews,
    tables = [],
    timeline,
  } = inputOf({ ...STATUS, culprits: [culprit] }, { baseline: none, canary: none });

  assert.deepEqual([views.length, timeline?.series.length], [0, 0]);
  assert.match(noViews ?? '', /no longer kept/);
  assert.deepEqual(tables.find(({ title }) => title.startsWith('Commonest stack'))?.notes, [
    'at shop.Codec.encode (Codec.kt:7)',
    'at main',
  ]);
});

test('what was built is said of each arm, with a link to the changes where it is a web address', () => {
  const arms = { baseline: anArm(500, 'main;a 10'), canary: anArm(700, 'main;b 10') };
  const pageOf = (source: string) => {
    const { spec, ...report } = aReport(STATUS);
    const builtFrom = { baseline: { revision: 'v1', source }, canary: { revision: 'v2', source } };
    return reportPageInput({
      report: { ...report, spec: { ...spec, builtFrom } },
      arms,
      links: [],
      nowMs: START,
    });
  };

  const { facts = [], links } = pageOf('https://github.com/acme/shop');

  assert.match(
    facts[1]?.[1] ?? '',
    /^85bf shop\/orders:2 · built from v2 of https:\/\/github\.com\/acme\/shop/,
  );
  assert.deepEqual(links, [
    { href: 'https://github.com/acme/shop/compare/v1...v2', text: 'Changes in the source' },
  ]);
  assert.deepEqual(pageOf('git@github.com:acme/shop.git').links, []);
  assert.deepEqual(inputOf(STATUS).links, []);
});
