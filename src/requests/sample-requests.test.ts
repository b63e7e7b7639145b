import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findRequests, NOBODY, type SampledWork } from './sample-requests.ts';

interface Request {
  readonly name: string;
  readonly process: number;
  readonly receivedNs: number;
  readonly endedNs: number;
  readonly receiver: number;
  readonly sender: number;
}

const [FIRST, SECOND] = [7, 8]; // threads

function aRequest(
  as: string,
  times: readonly [receivedNs: number, endedNs: number],
  facts: { readonly process?: number; readonly receiver?: number; readonly sender?: number } = {},
): Request {
  const [receivedNs, endedNs] = times;
  const { process = 1, receiver = FIRST, sender = receiver } = facts;
  return { name: as, process, receivedNs, endedNs, receiver, sender };
}

/** Not answered yet. */
const anOpen = (receivedNs: number, receiver = FIRST): Request => ({
  ...{ process: 1, receivedNs, endedNs: Number.POSITIVE_INFINITY, receiver },
  ...{ sender: NOBODY, name: 'open' },
});

const aSample = (atNs: number, facts: Partial<SampledWork> = {}): SampledWork => ({
  ...{ process: 1, thread: FIRST, atNs, use: 'own', isServing: false },
  ...facts,
});

/** Of each sample in order: what it is of. */
function found(
  requests: readonly Request[],
  samples: readonly SampledWork[],
  isWhole = true,
): readonly string[] {
  const told = new Map<SampledWork, string>();
  const columns = {
    length: requests.length,
    process: requests.map(({ process }) => process),
    receivedNs: requests.map(({ receivedNs }) => receivedNs),
    endedNs: requests.map(({ endedNs }) => endedNs),
    receiver: requests.map(({ receiver }) => receiver),
    sender: requests.map(({ sender }) => sender),
  };
  findRequests(columns, samples, { isWhole }, (sample, finding) => {
    const names = finding.kind === 'of' ? finding.requests.map((at) => requests[at]?.name) : [finding.kind];
    told.set(sample, names.join('|'));
  });
  return samples.map((sample) => told.get(sample) ?? 'not told');
}

test('what a thread does between reading a request and answering it is of that request', () => {
  const requests = [
    aRequest('a', [10, 20]),
    aRequest('b', [30, 40]),
    aRequest('c', [12, 38], { receiver: SECOND }),
  ];

  const samples = [5, 10, 19, 20, 25, 35].map((atNs) => aSample(atNs));

  assert.deepEqual(found(requests, samples), ['none', 'a', 'a', 'none', 'none', 'b']);
});

test('another thread, another process and a thread that carries the work of many have no request by that', () => {
  const requests = [aRequest('a', [10, 20])];

  const samples = [
    aSample(15, { thread: SECOND }),
    aSample(15, { process: 2 }),
    aSample(15, { use: 'shared' }),
  ];

  assert.deepEqual(found(requests, samples), ['none', 'none', 'none']);
});

test('a thread that had two requests at a time, or answered another than it read, is of none', () => {
  const overlapping = [aRequest('a', [10, 30]), aRequest('b', [20, 40])];
  const handedOver = [aRequest('a', [10, 30], { sender: SECOND }), aRequest('b', [40, 50])];
  const answersOthers = [
    aRequest('a', [10, 30]),
    aRequest('b', [40, 50], { receiver: SECOND, sender: FIRST }),
  ];

  for (const requests of [overlapping, handedOver, answersOthers]) {
    assert.deepEqual(found(requests, [aSample(15)]), ['none']);
  }
});

test('an event loop handles requests one at a time once it answered twenty like that', () => {
  const requests = Array.from({ length: 20 }, (_, i) => aRequest(`r${i}`, [100 * i, 100 * i + 50]));
  const sample = aSample(120, { use: 'loop' });

  assert.deepEqual(found(requests, [sample]), ['r1']);
  assert.deepEqual(found(requests.slice(1), [sample]), ['none']);
});

test('where the stack says that a request is served, it is one of all that are open, on whatever thread', () => {
  const requests = [
    aRequest('a', [10, 30]),
    aRequest('b', [20, 40], { receiver: SECOND }),
    aRequest('c', [10, 40], { process: 2, receiver: 9 }),
  ];
  const at = (atNs: number) => aSample(atNs, { thread: 99, use: 'shared', isServing: true });

  assert.deepEqual(found(requests, [at(5), at(15), at(25), at(35), at(45)]), [
    'none',
    'a',
    'a|b',
    'b',
    'none',
  ]);
  assert.deepEqual(found(requests, [at(15)], false), ['none'], 'one that was missed may be it');
});

test('a sample of a request that is not answered yet has to wait', () => {
  const requests = [aRequest('a', [10, 20]), anOpen(30)];
  const serving = aSample(35, { thread: 99, use: 'shared', isServing: true });

  assert.deepEqual(found(requests, [aSample(15), aSample(35), serving]), ['a', 'open', 'open']);
});
