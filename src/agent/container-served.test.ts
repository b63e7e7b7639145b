import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NOWHERE } from '../profile/place.ts';
import type { EndedRequest } from '../requests/request-log.ts';
import type { ServedWindow, Speed } from '../requests/served-window.ts';
import { createBatchStacks } from './batch-stacks.ts';
import { ContainerServed, type TimedSample } from './container-served.ts';

const MS = 1e6;
const THREAD = 7;
const as = (route: string) => ({ method: 'GET', label: { route, byPattern: false } });
const labelOf = (counted: ReturnType<typeof as>) => counted;

/** Arrived half a millisecond before it was received. */
const aRequest = (
  receivedAtMs: number,
  latencyMs: number,
  facts: Partial<EndedRequest> = {},
): EndedRequest => ({
  ...{ process: 1, receiver: THREAD, sender: THREAD, status: 200, outcome: 'Completed', stoppedNs: 0.1 * MS },
  ...{ receivedAtNs: receivedAtMs * MS, startedAtNs: (receivedAtMs - 0.5) * MS, latencyNs: latencyMs * MS },
  ...facts,
});

const aSample = (atMs: number, facts: Partial<TimedSample> = {}): TimedSample => ({
  ...{ process: 1, thread: THREAD, atNs: atMs * MS, use: 'own', isServing: false },
  ...{ frames: [{ name: 'shop.Orders.find', place: NOWHERE }], kind: 'samples', weight: 1 },
  ...facts,
});

/** Forty of a millisecond, then one of fifty, all answered by one thread. */
function aDay(served: ContainerServed): void {
  for (let i = 0; i < 40; i++) served.log.add(aRequest(10 * i, 1), as('/orders'));
  served.log.add(aRequest(1000, 50), as('/orders'));
}

function fold(served: ContainerServed, samples: readonly TimedSample[], open: readonly EndedRequest[] = []) {
  return served.fold(samples, { open, labelOf }, { stacks: createBatchStacks(), unseen: 0 });
}

const rowOf = ({ rows }: ServedWindow, speed: Speed, route = '/orders') =>
  rows.find((row) => row.speed === speed && row.route === route) ?? assert.fail(`no ${speed} of ${route}`);

test('what is slower than the 95th percentile of its route is slow, and its samples and waits are beside those of the others', () => {
  const served = new ContainerServed();
  aDay(served);

  const window = fold(served, [
    aSample(10.2),
    aSample(1010),
    aSample(1020),
    aSample(1005, { kind: 'waited', weight: 7 * MS }),
    aSample(995),
    aSample(995, { kind: 'waited', weight: 3 * MS }),
  ]);

  const [slow, normal] = [rowOf(window, 'slow'), rowOf(window, 'normal')];
  assert.deepEqual([slow.requests, slow.latencyNs, slow.unreadNs], [1, 50 * MS, 0.5 * MS]);
  assert.deepEqual([slow.samples, slow.waited], [[[0, 2]], [[0, 7 * MS]]]);
  assert.deepEqual([normal.requests, normal.latencyNs, normal.samples], [40, 40 * MS, [[0, 1]]]);
  assert.deepEqual([normal.stoppedNs, normal.stopsKnown], [4 * MS, 40]);
  assert.deepEqual([window.otherSamples, window.otherWaitedNs], [1, 3 * MS]);
});

test('failed requests, and those of a route with few answers, are neither slow nor normal', () => {
  const served = new ContainerServed();
  aDay(served);
  served.log.add(aRequest(2000, 50, { status: 500 }), as('/orders'));
  served.log.add(aRequest(3000, 1, { stoppedNs: undefined }), as('/rare'));

  const window = fold(served, [aSample(2001), aSample(3000.2)]);

  assert.deepEqual(rowOf(window, 'unrated').samples, [[0, 1]]);
  const rare = rowOf(window, 'unrated', '/rare');
  assert.deepEqual([rare.samples, rare.stopsKnown], [[[0, 1]], 0]);
});

test('a sample whose request ends in the next window counts there', () => {
  const served = new ContainerServed();
  aDay(served);

  const before = fold(served, [aSample(2001)], [aRequest(2000, 0)]);
  served.log.add(aRequest(2000, 50), as('/orders'));
  const after = fold(served, [aSample(2040)]);

  assert.equal(before.otherSamples, 0);
  assert(before.rows.every(({ samples }) => samples.length === 0));
  assert.deepEqual(rowOf(after, 'slow').samples, [[0, 2]]);
});

test('of requests that count as different routes a sample is of neither; of one route, it is of that, and not rated', () => {
  const served = new ContainerServed();
  fold(served, []); // requests from before the first window may have been open in it
  aDay(served);
  served.log.add(aRequest(1002, 1, { receiver: 8, sender: 8 }), as('/orders'));
  served.log.add(aRequest(1010, 1, { receiver: 9, sender: 9 }), as('/stock'));
  const serving = { thread: 99, use: 'shared', isServing: true } as const;

  const window = fold(served, [aSample(1002.2, serving), aSample(1010.2, serving), aSample(1030, serving)]);

  assert.deepEqual(rowOf(window, 'slow').samples, [[0, 1]]);
  assert.deepEqual(rowOf(window, 'unrated').samples, [[0, 1]]);
  assert.equal(window.otherSamples, 1);
});

test('what was discarded is of no window, and makes the next one less than whole', () => {
  const served = new ContainerServed();
  aDay(served);

  served.forget({ open: [], labelOf });
  const window = fold(served, [aSample(1010), aSample(1010, { use: 'shared', isServing: true })]);

  assert.deepEqual(window, { otherSamples: 2, otherWaitedNs: 0, rows: [] });
});

test('of slow requests the slowest that its caller’s trace knows is told with them, of normal ones none', () => {
  const served = new ContainerServed();
  const traceParent = (digit: string, flags = '01') => `00-${digit.repeat(32)}-${'b'.repeat(16)}-${flags}`;
  aDay(served);
  served.log.add(aRequest(1100, 60, { traceParent: traceParent('1') }), as('/orders'));
  served.log.add(aRequest(1200, 90, { traceParent: traceParent('2', '00') }), as('/orders'));
  served.log.add(aRequest(1300, 70, { traceParent: traceParent('3') }), as('/orders'));
  served.log.add(aRequest(1400, 65, { traceParent: traceParent('4') }), as('/orders'));
  served.log.add(aRequest(1500, 1, { traceParent: traceParent('5') }), as('/orders'));
  served.log.add(aRequest(1600, 500, { traceParent: traceParent('6') }), as('/few'));

  const window = fold(served, []);
  aDay(served);
  served.log.add(aRequest(2000, 400), as('/orders'));
  const next = fold(served, []);

  assert.deepEqual(rowOf(window, 'slow').slowest, { traceId: '3'.repeat(32), latencyNs: 70 * MS });
  assert.equal(rowOf(window, 'normal').slowest, undefined);
  assert.equal(rowOf(window, 'unrated', '/few').slowest, undefined);
  assert.equal(rowOf(next, 'slow').slowest, undefined, 'each window tells its own');
});
