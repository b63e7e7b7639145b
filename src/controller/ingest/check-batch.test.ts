import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RequestWindow } from '../../requests/request-window.ts';
import { aRequestWindow, aRoute } from '../../requests/testing/a-request-window.ts';
import { aBatch, aPodWindow } from '../../store/testing/a-batch.ts';
import { checkBatch } from './check-batch.ts';
import { Refusal } from './refusal.ts';

function checkedRequests(requests: unknown): string {
  const batch = aBatch();
  const json = { ...batch, pods: [{ ...aPodWindow(), requests }] };
  try {
    const taken = checkBatch(JSON.parse(JSON.stringify(json)));
    assert.deepEqual(taken.pods[0]?.requests, requests);
    return 'taken';
  } catch (error) {
    return error instanceof Refusal ? error.code : String(error);
  }
}

function checked(environment: readonly string[] | undefined): string {
  const { environment: _, ...jvm } = aPodWindow().jvm;
  return outcomeOf({ ...aBatch(), pods: [{ ...aPodWindow(), jvm: { ...jvm, environment } }] });
}

const withPlaces = (places: unknown): string => outcomeOf({ ...aBatch(), places });

function outcomeOf(json: unknown): string {
  try {
    checkBatch(JSON.parse(JSON.stringify(json)));
    return 'taken';
  } catch (error) {
    return error instanceof Refusal ? error.code : 'no refusal';
  }
}

test('a batch without the variables of a JVM, as agents before sent it, is taken', () => {
  assert.equal(checked(undefined), 'taken');
});

test('of a JVM’s variables only the names are taken', () => {
  assert.equal(checked([]), 'taken');
  assert.equal(checked(['JAVA_TOOL_OPTIONS', 'JDK_JAVA_OPTIONS']), 'taken');
  assert.equal(checked(['JAVA_TOOL_OPTIONS=-Xmx1g']), 'BATCH_INVALID');
});

test('requests are taken as they are, and a batch without them as before', () => {
  const why = { reason: 'Tls', message: 'TLS in the JVM' };
  const unseen: RequestWindow = { state: 'NotObservable', ...why, lost: 0, routes: [] };

  for (const requests of [undefined, aRequestWindow(), unseen]) {
    assert.equal(checkedRequests(requests), 'taken');
  }
});

test('requests out of bounds are refused', () => {
  const many = Array.from({ length: 257 }, (_, at) => aRoute({ route: `/r${at}` }));

  for (const requests of [
    { ...aRequestWindow(), state: 'Maybe' },
    aRequestWindow({ routes: many }),
    aRequestWindow({ routes: [aRoute({ route: 'x'.repeat(513) })] }),
    aRequestWindow({ routes: [aRoute({ clientGone: -1 })] }),
    aRequestWindow({ routes: [aRoute({ latency: [1.5, 10] })] }),
    aRequestWindow({ routes: [{ ...aRoute(), answers: [1, 2] as never }] }),
  ]) {
    assert.equal(checkedRequests(requests), 'BATCH_INVALID');
  }
});

test('requests that contradict themselves are refused', () => {
  for (const requests of [
    aRequestWindow({ routes: [aRoute(), aRoute()] }),
    aRequestWindow({ routes: [aRoute({ latency: [426, 10, 0, 1] })] }),
    aRequestWindow({ routes: [aRoute({ latency: [1_102, 10] })] }),
    aRequestWindow({ routes: [aRoute({ answers: [0, 0, 11, 0, 0, 0] })] }),
    aRequestWindow({ routes: [aRoute({ unfinished: 1 })] }),
    aRequestWindow({ state: 'NotObservable' }),
  ]) {
    assert.equal(checkedRequests(requests), 'BATCH_INCONSISTENT');
  }
});

test('places are as many as the stacks, each empty or as long as its stack, of strings that are there', () => {
  assert.equal(withPlaces(undefined), 'taken');
  assert.equal(withPlaces([[3, 0, 1], []]), 'taken');
  assert.equal(withPlaces([[3, 0, 1]]), 'BATCH_INCONSISTENT');
  assert.equal(withPlaces([[3, 0], []]), 'BATCH_INCONSISTENT');
  assert.equal(withPlaces([[4, 0, 0], []]), 'BATCH_INCONSISTENT');
  assert.equal(withPlaces([[-1, 0, 0], []]), 'BATCH_INVALID');
  assert.equal(withPlaces([['Codec.kt:87', 0, 0], []]), 'BATCH_INVALID');
});
