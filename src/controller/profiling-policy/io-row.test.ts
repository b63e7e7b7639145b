import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { IoFunction, IoTotal } from '../../profile/io-window.ts';
import { ioOf } from './io-row.ts';
import { aJvm, aSelected } from './testing/samples.ts';

const SEEN = { state: 'Seen', reason: '', message: '' } as const;
const STACK = [
  'fdatasync [libc.so.6]',
  'sun.nio.ch.UnixFileDispatcherImpl.force0',
  'sun.nio.ch.FileChannelImpl.force',
  'shop.Ledger$record$2.invokeSuspend',
  'kotlin.coroutines.jvm.internal.BaseContinuationImpl.resumeWith',
  'kotlinx.coroutines.DispatchedTask.run',
  'kotlinx.coroutines.scheduling.CoroutineScheduler.runSafely',
  'kotlinx.coroutines.scheduling.CoroutineScheduler$Worker.run',
];
const RECORD: IoFunction = {
  call: 'sun.nio.ch.FileChannelImpl.force',
  caller: 'shop.Ledger$record$2.invokeSuspend',
  kind: 'fileSync',
  calls: 1240,
  ns: 3.1e9,
  stack: STACK,
};
const LOG: IoFunction = {
  ...RECORD,
  call: 'a',
  caller: 'shop.Logs.write',
  kind: 'fileWrite',
  calls: 2,
  ns: 4e9,
  stack: [],
};
const SYNCED: IoTotal = {
  kind: 'fileSync',
  calls: 1000,
  failed: 5,
  bytes: 0,
  ns: 3e9,
  latency: [0, 990, 0, 10],
};

function aPodWith(pod: string, totals: readonly IoTotal[], functions: readonly IoFunction[]) {
  const { window, ...seen } = aJvm();
  const io = { ...SEEN, totals, functions, windowMs: 10_000 };
  return aSelected({ pod, state: { ...seen, window: { ...window, io } } });
}

test('a row names the functions that are slow at it by their names in the source, over all pods, the longest first', () => {
  const { io, slowIo } = ioOf([
    aPodWith('orders-1', [], [RECORD]),
    aPodWith('orders-2', [], [LOG, { ...RECORD, calls: 60, ns: 1.9e9, stack: [] }]),
  ]);

  const [longest] = slowIo ?? [];
  assert.equal(io, 'Seen');
  assert.deepEqual(
    slowIo?.map(
      ({ kind, calls, time, pods, function: name }) => `${kind} ${name} ${calls} ${time} in ${pods}`,
    ),
    ['FileSync suspend shop.Ledger.record 1300 5s in 2', 'FileWrite shop.Logs.write 2 4s in 1'],
  );
  assert.deepEqual(longest?.stack, [
    'sun.nio.ch.FileChannelImpl.force',
    'suspend shop.Ledger.record',
    '[coroutines: Default]',
  ]);
});

test('a row has the calls and bytes a second of all pods, and how long calls took at most', () => {
  const written: IoTotal = { kind: 'fileWrite', calls: 10, failed: 0, bytes: 12_345, ns: 1, latency: [10] };
  const { ioTotals, slowIo } = ioOf([
    aPodWith('orders-1', [SYNCED, written], []),
    aPodWith('orders-2', [SYNCED], []),
  ]);

  assert.deepEqual(ioTotals, [
    {
      kind: 'FileWrite',
      callsPerSecond: 1,
      failedPerSecond: 0,
      bytesPerSecond: 1235,
      p50: '1.02us',
      p99: '1.02us',
    },
    {
      kind: 'FileSync',
      callsPerSecond: 200,
      failedPerSecond: 1,
      bytesPerSecond: 0,
      p50: '2.05us',
      p99: '2.05us',
    },
  ]);
  assert.equal(slowIo, undefined);
});

test('a row tells why it cannot be seen, and says nothing where nobody asks', () => {
  const { window, ...seen } = aJvm();
  const why = { state: 'Unsupported', reason: 'IO_ATTACH_FAILED', message: 'no tracefs' } as const;
  const blind = { ...why, totals: [], functions: [], windowMs: 10_000 };
  const pods = [
    aPodWith('orders-1', [], []),
    aSelected({ pod: 'orders-2', state: { ...seen, window: { ...window, io: blind } } }),
  ];

  assert.deepEqual(ioOf(pods), {
    io: 'Unsupported',
    ioReason: 'IO_ATTACH_FAILED',
    ioMessage: 'orders-2: no tracefs',
  });
  assert.deepEqual(ioOf([aSelected({ state: aJvm() })]), {});
});
