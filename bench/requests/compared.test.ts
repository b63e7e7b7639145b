import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exactnessOf, inAppTimerOf } from './compared.ts';
import type { Asked } from './pace.ts';
import { numbered } from './timed.ts';

const MS = 1e6;
const timed = (id: string, latencyMs: number, route = '/a') => ({ route, id, latencyNs: latencyMs * MS });
const asked = (id: string, appMs: number | undefined, tookMs: number): Asked => ({
  ...timed(id, tookMs + 5),
  tookNs: tookMs * MS,
  appNs: appMs === undefined ? undefined : appMs * MS,
});

test('what was seen is compared with what was captured of the same requests, by route', () => {
  const rows = exactnessOf({
    stack: 'peer',
    asked: [asked('1', undefined, 30)],
    captured: [timed('1', 10), timed('2', 20), timed('4', 1, '/b')],
    seen: [timed('3', 500), timed('2', 19), timed('1', 10.1)],
  });

  assert.deepEqual(rows, [
    {
      ...{ stack: 'peer', route: '/a', requests: 2, countedShare: 1, uncaptured: 1 },
      ...{ p50ErrorMs: 0.1, p99ErrorMs: -1, p50ErrorPercent: 1, p99ErrorPercent: -5 },
      ...{ p50Ms: 10, p99Ms: 20, clientP99Ms: 35, eachWithinShare: 0.5 },
    },
    {
      ...{ stack: 'peer', route: '/b', requests: 1, countedShare: 0, uncaptured: 0 },
      ...{ p50ErrorMs: Number.NaN, p99ErrorMs: Number.NaN },
      ...{ p50ErrorPercent: Number.NaN, p99ErrorPercent: Number.NaN },
      ...{ p50Ms: 1, p99Ms: 1, clientP99Ms: Number.NaN, eachWithinShare: 0 },
    },
  ]);
});

test('what was seen has to lie between the timers of the application and of the client, request by request', () => {
  const seen = [timed('1', 5), timed('2', 5), timed('3', 5), timed('4', 5)];
  const all = [asked('1', 4, 6), asked('2', 5.5, 6), asked('3', 4, 4.5), asked('4', undefined, 6)];

  const timer = inAppTimerOf({ stack: 'peer', asked: [...all, asked('5', 1, 2)], seen });

  assert.ok(timer);
  assert.deepEqual([timer.requests, timer.holdsShare], [3, 1 / 3]);
  assert.deepEqual([timer.notBelowAppShare, timer.notAboveClientShare], [2 / 3, 2 / 3]);
  assert.deepEqual([timer.appP50Ms, timer.seenP50Ms, timer.clientP50Ms], [4, 5, 6]);
  assert.equal(inAppTimerOf({ stack: 'peer', asked: [asked('1', undefined, 6)], seen }), undefined);
});

test('requests without an id are numbered by route', () => {
  const ids = numbered([{ route: '/a' }, { route: '/b' }, { route: '/a' }]).map(({ id }) => id);

  assert.deepEqual(ids, ['/a 1', '/b 1', '/a 2']);
});
