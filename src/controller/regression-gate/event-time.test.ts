import assert from 'node:assert/strict';
import { test } from 'node:test';
import { closedBlocks } from '../../detect/looks.ts';
import { eventTimeMs } from './event-time.ts';

const MINUTE_MS = 60_000;
const deadlineAtMs = 10 * MINUTE_MS;
const plan = { startedAtMs: 0, deadlineMs: deadlineAtMs, warmUpMs: 0 };
const closedAt = (nowMs: number, toldToMs: number) =>
  closedBlocks(plan, eventTimeMs({ nowMs, toldToMs, deadlineAtMs }));

test('a look closes when it has been told, and not before its windows had time to come', () => {
  assert.equal(closedAt(4 * MINUTE_MS, 4 * MINUTE_MS - 20_000), 7);
  assert.equal(closedAt(4 * MINUTE_MS, 2 * MINUTE_MS), 4);
  assert.equal(closedAt(4 * MINUTE_MS, 0), 0);
  assert.equal(closedAt(4 * MINUTE_MS, Number.POSITIVE_INFINITY), 7);
});

test('the deadline is over when its last window has been told, or had its time', () => {
  const at = (nowMs: number, toldToMs: number) => eventTimeMs({ nowMs, toldToMs, deadlineAtMs });

  assert.ok(at(deadlineAtMs, deadlineAtMs) < deadlineAtMs);
  assert.ok(at(deadlineAtMs + MINUTE_MS, deadlineAtMs - 1) < deadlineAtMs);
  assert.ok(at(deadlineAtMs + MINUTE_MS, deadlineAtMs) >= deadlineAtMs);
  assert.ok(at(deadlineAtMs + 15_000, Number.POSITIVE_INFINITY) >= deadlineAtMs);
});

test('a clock that is set ahead decides nothing', () => {
  const at = eventTimeMs({ nowMs: 100 * MINUTE_MS, toldToMs: 3 * MINUTE_MS, deadlineAtMs });

  assert.equal(closedBlocks(plan, at), 6);
});
