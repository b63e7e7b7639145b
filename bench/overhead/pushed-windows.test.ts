import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Batch, JvmState } from '../../src/wire/batch-schema.ts';
import { addBatch, NOTHING_PUSHED } from './pushed-windows.ts';

function aBatch(state: JvmState, counts: readonly [number, number][]): Batch {
  const samples = counts.reduce((sum, [, count]) => sum + count, 0);
  const losses = { ringFull: 1, tableFull: 2, noUserStack: 0, truncated: 0, unnamed: 0 };
  const identity = {
    namespace: 'n',
    pod: 'p',
    podUid: 'u',
    container: 'c',
    containerId: 'i',
    startedAtMs: 0,
  };
  return {
    ...{ version: 1, node: 'n', boot: 'b'.repeat(8), sequence: 0, startMs: 0, endMs: 10_000 },
    agent: { version: 'dev', cpuUsec: 0, rssBytes: 0, bpfRunNs: 0, windowsDropped: 0 },
    strings: ['[unknown]', 'shop.Orders.price', 'libc.so.6'],
    stacks: [[2, 0], [2, 1], [0]],
    pods: [
      {
        ...{ ...identity, hz: 49, cpuUsec: 0, throttledUsec: 0, samples, losses },
        jvm: { state, reason: '', message: '', jdk: '25', flags: [] },
        counts: [...counts],
      },
    ],
  };
}

test('samples are named when any frame of their stack is of the service', () => {
  const pushed = addBatch(
    addBatch(NOTHING_PUSHED, aBatch('Starting', [[2, 4]])),
    aBatch('Profiled', [
      [0, 1],
      [1, 5],
    ]),
  );

  assert.deepEqual(
    { ...pushed, jvm: pushed.jvm?.state },
    { windows: 2, profiled: 1, samples: 10, lost: 6, named: 5, jvm: 'Profiled' },
  );
});

test('a window in which nothing ran is none', () => {
  assert.equal(addBatch(NOTHING_PUSHED, aBatch('Profiled', [])).windows, 0);
});
