import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BlockedCall, WaitingWindow } from '../profile/waiting-window.ts';
import { aBatch, aPodWindow } from '../store/testing/a-batch.ts';
import { agentReports } from './agent-reports-memory.ts';

const SLEEP: BlockedCall = {
  ...{ call: 'java.lang.Thread.sleep', caller: 'shop.TaxOffice.askBlocking', reason: 'sleep', ns: 3e8 },
  stack: ['java.lang.Thread.sleep', 'shop.TaxOffice.askBlocking'],
};
const LOADING: BlockedCall = {
  ...SLEEP,
  call: 'shop.Codec.<init>',
  caller: 'shop.Codec.<init>',
  reason: 'lock',
};

test('a call that blocks is told once a second window has it, and for five minutes on', () => {
  const reports = agentReports();
  const record = (sequence: number, ...blocked: readonly BlockedCall[]) => {
    const batch = aBatch({ sequence, pods: [aPodWindow({ waiting: waitingOf(blocked) })] });
    reports.record(batch, batch.endMs);
    return reports.container('uid-1', 'app')?.window.waiting?.blocked.map(({ call }) => call);
  };

  assert.deepEqual(record(0, LOADING, SLEEP), []);
  assert.deepEqual(record(1, SLEEP), [SLEEP.call]);
  assert.deepEqual(record(30), [SLEEP.call]);
  assert.deepEqual(record(32), []);
  assert.deepEqual(record(33, LOADING), [], 'what a window had long ago does not count');
});

const waitingOf = (blocked: readonly BlockedCall[]): WaitingWindow => ({
  ...{ state: 'Seen', reason: '', message: '', leastMs: 10, totals: [], reasons: [], lostNs: 0 },
  ...{ blocked, counts: [] },
});
