import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  ON_CPU,
  type ServedTimes,
  type ServedTimesRow,
  STOPPED,
  slowTimes,
  UNKNOWN,
  UNREAD,
} from './slow-times.ts';
import { slowTimesText } from './slow-times-text.ts';

const MS = 1e6;
const HZ = 100; // ten milliseconds a sample

function aRow(facts: Partial<ServedTimesRow>): ServedTimesRow {
  return {
    ...{ method: 'GET', route: '/orders/{id}', speed: 'normal', requests: 10, latencyNs: 200 * MS },
    ...{ unreadNs: 10 * MS, stoppedNs: 20 * MS, stopsKnown: 10, samples: [], waited: [] },
    ...facts,
  };
}

const aWindow = (...rows: readonly ServedTimesRow[]): ServedTimes => ({ hz: HZ, otherSamples: 6, rows });

const SLOW = aRow({
  ...{ speed: 'slow', requests: 2, latencyNs: 200 * MS, unreadNs: 0, stoppedNs: 6 * MS, stopsKnown: 2 },
  samples: [
    { frames: ['shop.Codec.encode', 'shop.Orders.find'], count: 5 },
    { frames: ['shop.Orders.find'], count: 1 },
  ],
  waited: [{ frames: ['[wait: lock]', 'shop.Orders.find'], count: 40 * MS }],
});
const NORMAL = aRow({ samples: [{ frames: ['shop.Orders.find'], count: 4 }] });

test('a slow request’s time is told beside a normal one’s, by where it was and by function', () => {
  const { routes, knownShare } = slowTimes([aWindow(SLOW), aWindow(NORMAL)]);

  const [orders] = routes;
  assert.equal(knownShare, 10 / 22);
  assert.deepEqual(
    [orders?.route, orders?.slow.meanMs, orders?.normal.meanMs],
    ['GET /orders/{id}', 100, 20],
  );
  const parts = orders?.parts.map(({ name, slowMs, normalMs }) => [name, slowMs, normalMs]);
  assert.deepEqual(parts, [
    [UNKNOWN, 47, 13],
    [ON_CPU, 30, 4],
    ['[wait: lock]', 20, 0],
    [STOPPED, 3, 2],
    [UNREAD, 0, 1],
  ]);
  assert.deepEqual(orders?.functions, [
    { name: 'shop.Orders.find', slowMs: 30, normalMs: 4 },
    { name: 'shop.Codec.encode', slowMs: 25, normalMs: 0 },
  ]);
});

test('windows of any number of pods add up; a route of which nothing was slow is left out', () => {
  const stock = aRow({ route: '/stock' });

  const { routes } = slowTimes([aWindow(SLOW, NORMAL), aWindow(SLOW, NORMAL, stock)]);

  assert.deepEqual(
    routes.map(({ route, slow, normal }) => [route, slow.requests, normal.requests]),
    [['GET /orders/{id}', 4, 20]],
  );
});

test('how long the JVM stood still is told only where it is known of all', () => {
  const { routes } = slowTimes([aWindow(SLOW, { ...NORMAL, stopsKnown: 9 })]);

  assert(routes[0]?.parts.every(({ name }) => name !== STOPPED));
});

test('the text says of how much it knows, and names come last', () => {
  const text = slowTimesText('canary', slowTimes([aWindow(SLOW, NORMAL)]));

  assert.equal(
    text.split('\n').slice(0, 6).join('\n'),
    `slow requests against normal ones, canary: 63 % of the samples of CPU belong to requests of a known route; slow is above the route's 95th percentile

GET /orders/{id}: 2 slow, 100.00 ms; 10 normal, 20.00 ms
       SLOW   NORMAL   CHANGE  MS A REQUEST
      47.00    13.00   +34.00  elsewhere: suspended, or not known
      30.00     4.00   +26.00  on a CPU`,
  );
  assert.match(slowTimesText('baseline', slowTimes([])), /no route has slow requests/);
});
