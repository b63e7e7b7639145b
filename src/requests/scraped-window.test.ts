import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countOf } from './latency-sketch.ts';
import { requestsIn } from './request-window.ts';
import { HTTP_SERIES, RPC_SERIES, rowOfLabels } from './scraped-labels.ts';
import { type ScrapedContainer, type ScrapedHistogram, scrapedWindows } from './scraped-window.ts';

const OK = {
  __name__: HTTP_SERIES,
  http_request_method: 'GET',
  http_route: '/orders/{}',
  http_response_status_code: '200',
};
const S = 1_000;

/** So many requests of some 100 ms, and of some 200 ms. */
function aHistogram(fast: number, slow = 0): ScrapedHistogram {
  const buckets = new Map([
    [0.1, { low: 0.098, count: fast }],
    [0.2, { low: 0.196, count: slow }],
  ]);
  return { count: fast + slow, buckets: new Map([...buckets].filter(([, { count }]) => count > 0)) };
}

interface Scraped {
  readonly at: number;
  readonly since?: number;
  readonly counted: number;
  readonly lost?: number;
  readonly series: readonly (ScrapedHistogram | undefined)[];
}

/** `series`: of all scrapes the same, in the same order. */
function aContainer(
  scrapes: readonly Scraped[],
  labels: readonly Record<string, string>[] = [OK],
): ScrapedContainer {
  return {
    countedSinceMs: scrapes.map(({ at, since = -3_600 }) => ({ atMs: at * S, value: since * S })),
    counted: new Map(scrapes.map(({ at, counted }) => [at * S, counted])),
    lost: new Map(scrapes.map(({ at, lost = 0 }) => [at * S, lost])),
    series: labels.map((each, index) => {
      const row = rowOfLabels(each);
      assert.ok(row);
      const histograms = scrapes.flatMap(({ at, series }) => {
        const histogram = series[index];
        return histogram === undefined ? [] : [[at * S, histogram] as const];
      });
      return { row, histograms: new Map(histograms) };
    }),
  };
}

/** "seconds–seconds: seen, lost (fault)" of each window. */
const windowsOf = (...of: Parameters<typeof aContainer>): string[] =>
  scrapedWindows(aContainer(...of)).map(({ startMs, endMs, fault, requests: { routes, lost } }) => {
    const why = fault === undefined ? '' : ` (${fault})`;
    return `${startMs / S}–${endMs / S}: ${requestsIn(routes)}, ${lost}${why}`;
  });

test('what came between two scrapes is a window, by route, end and latency', () => {
  const failed = { ...OK, http_response_status_code: '503', error_type: '503' };
  const gone = { ...OK, error_type: 'client_gone' };
  const scrapes = [
    { at: 0, counted: 110, series: [aHistogram(100), aHistogram(10), undefined] },
    { at: 15, counted: 135, lost: 4, series: [aHistogram(110, 5), aHistogram(12), aHistogram(8)] },
  ];
  const [window, ...more] = scrapedWindows(aContainer(scrapes, [OK, failed, gone]));

  assert.deepEqual(more, []);
  const [row, ...others] = window?.requests.routes ?? [];
  assert.ok(row && window);
  assert.deepEqual(others, []);
  assert.deepEqual([row.method, row.route, window.requests.lost], ['GET', '/orders/{}', 4]);
  assert.deepEqual([row.answers, row.clientGone], [[0, 0, 15, 0, 0, 2], 8]);
  assert.deepEqual([countOf(row.latency), countOf(row.waited)], [15, 8]);
});

test('each situation is a window, or a loss that is counted', () => {
  const first = { at: 0, counted: 100, series: [aHistogram(100)] };
  const cases: readonly (readonly [string, readonly Scraped[], readonly string[]])[] = [
    ['nobody asked', [first, { ...first, at: 15 }], ['0–15: 0, 0']],
    [
      'a scrape is missing',
      [first, { at: 60, counted: 160, series: [aHistogram(160)] }],
      ['0–60: 0, 60 (Gap)'],
    ],
    [
      'counters began anew',
      [first, { at: 15, since: 5, counted: 20, series: [aHistogram(20)] }],
      ['0–5: 0, 10 (Restarted)', '5–15: 20, 0'],
    ],
    [
      'they began anew by a clock that is ahead',
      [first, { at: 15, since: 99, counted: 20, series: [aHistogram(20)] }],
      ['0–15: 0, 20 (Restarted)'],
    ],
    ['the first scrape is of a young one', [{ ...first, at: 15, since: 5 }], ['5–15: 100, 0']],
    ['the first scrape is of an old one', [first], []],
    ['a series fell', [first, { at: 15, counted: 120, series: [aHistogram(90)] }], ['0–15: 0, 20 (Uneven)']],
    ['a series is missing', [first, { at: 15, counted: 120, series: [undefined] }], ['0–15: 0, 20 (Uneven)']],
    [
      'a series was missing',
      [
        { ...first, series: [] },
        { at: 15, counted: 120, series: [aHistogram(120)] },
      ],
      ['0–15: 0, 20 (Uneven)'],
    ],
    [
      'a series has more than was counted',
      [first, { at: 15, counted: 120, series: [aHistogram(150)] }],
      ['0–15: 0, 20 (Uneven)'],
    ],
    [
      'the page was read while it grew',
      [first, { at: 15, counted: 200, series: [aHistogram(198)] }],
      ['0–15: 98, 2'],
    ],
    [
      'buckets are others',
      [
        first,
        {
          at: 15,
          counted: 120,
          series: [{ count: 120, buckets: new Map([[0.11, { low: 0.1, count: 120 }]]) }],
        },
      ],
      ['0–15: 0, 20 (Uneven)'],
    ],
  ];
  for (const [what, scrapes, expected] of cases) assert.deepEqual(windowsOf(scrapes), expected, what);
});

test('routes that became one hold what was counted before: lost once, and right from then on', () => {
  const [a, b, both] = ['/a', '/b', '/*'].map((route) => ({ ...OK, http_route: route }));
  assert.ok(a && b && both);
  const scrapes = [
    { at: 0, counted: 100, series: [aHistogram(60), aHistogram(40), undefined] },
    { at: 15, counted: 130, series: [undefined, undefined, aHistogram(130)] },
    { at: 30, counted: 160, series: [undefined, undefined, aHistogram(160)] },
  ];

  assert.deepEqual(windowsOf(scrapes, [a, b, both]), ['0–15: 0, 30 (Uneven)', '15–30: 30, 0']);
});

test('labels are read back as agents write them', () => {
  const call = { __name__: RPC_SERIES, rpc_system: 'grpc', rpc_service: 'shop.Orders', rpc_method: 'Get' };
  const rowOf = (labels: Record<string, string>) => {
    const row = rowOfLabels(labels);
    return row && `${row.method} ${row.route}${row.byPattern ? ' by pattern' : ''} ${row.end}`;
  };

  assert.equal(rowOf(OK), 'GET /orders/{} 2');
  assert.equal(rowOf({ ...OK, http_route: '/orders/{id}' }), 'GET /orders/{id} by pattern 2');
  assert.equal(
    rowOf({ __name__: HTTP_SERIES, http_request_method: '_OTHER', error_type: 'reset' }),
    'other other reset',
  );
  assert.equal(rowOf({ ...call, rpc_grpc_status_code: '0' }), 'rpc /shop.Orders/Get by pattern 2');
  assert.equal(rowOf({ ...call, rpc_grpc_status_code: '5' }), 'rpc /shop.Orders/Get by pattern 4');
  assert.equal(
    rowOf({ ...call, rpc_grpc_status_code: '14', error_type: '14' }),
    'rpc /shop.Orders/Get by pattern 5',
  );
  assert.equal(rowOf({ ...call, error_type: '503' }), 'rpc /shop.Orders/Get by pattern 5');
  assert.equal(rowOf({ ...OK, http_route: 'x'.repeat(513) }), undefined);
});
