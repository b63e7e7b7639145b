import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type AttachHistory, afterRequest, attachIsDue, maySignal, NEVER_ASKED } from './attach-schedule.ts';

const need = (nowMs: number, unnamedShare = 0, jvmAgeMs = 60_000) => ({ nowMs, unnamedShare, jvmAgeMs });
const named = (lastAskedMs: number): AttachHistory => afterRequest(NEVER_ASKED, lastAskedMs, undefined);

test('a JVM younger than ten seconds is let be', () => {
  assert.equal(attachIsDue(NEVER_ASKED, need(0, 1, 9_999)), false);
});

test('a JVM that was never asked is asked when it is old enough', () => {
  assert.equal(attachIsDue(NEVER_ASKED, need(0, 0, 10_000)), true);
});

test('a JVM with names is asked again only when more than 2 % of its samples have none', () => {
  assert.equal(attachIsDue(named(0), need(20_000, 0.02)), false);
  assert.equal(attachIsDue(named(0), need(20_000, 0.021)), true);
});

test('no JVM is asked twice within 20 s', () => {
  assert.equal(attachIsDue(named(0), need(19_999, 1)), false);
});

test('requests that follow each other closely come ever later, up to five minutes', () => {
  let history = named(0);
  const intervals: number[] = [];
  for (let nowMs = 0; intervals.length < 6; ) {
    nowMs += history.intervalMs;
    history = afterRequest(history, nowMs, undefined);
    intervals.push(history.intervalMs / 1000);
  }
  assert.deepEqual(intervals, [40, 80, 160, 300, 300, 300]);
});

test('after a quiet time the interval is short again', () => {
  const history = afterRequest({ ...named(0), intervalMs: 160_000 }, 400_000, undefined);

  assert.equal(history.intervalMs, 20_000);
});

test('a reason that lasts is looked at every five minutes only', () => {
  const history = afterRequest(NEVER_ASKED, 0, 'AttachDisabled');

  assert.equal(attachIsDue(history, need(299_999)), false);
  assert.equal(attachIsDue(history, need(300_000)), true);
});

test('after two signals without a socket there is no third', () => {
  const once = afterRequest(NEVER_ASKED, 0, 'AttachTimeout');
  const twice = afterRequest(once, 60_000, 'AttachTimeout');

  assert.deepEqual([NEVER_ASKED, once, twice].map(maySignal), [true, true, false]);
});
