import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findCondition, removeCondition, setCondition, transitions } from './conditions.ts';

const at = Date.UTC(2026, 0, 1, 12, 0, 0, 250);
const ready = { type: 'Ready', status: 'True', reason: 'Profiling', message: '1 of 1' } as const;

test('a new condition gets the time of now, in whole seconds', () => {
  const [condition] = setCondition([], ready, at);

  assert.deepEqual(condition, { ...ready, lastTransitionTime: '2026-01-01T12:00:00Z' });
});

test('lastTransitionTime stays while the status stays, whatever the reason says', () => {
  const before = setCondition([], ready, at);
  const after = setCondition(before, { ...ready, reason: 'Other', message: '2 of 2' }, at + 60_000);

  assert.equal(findCondition(after, 'Ready')?.lastTransitionTime, '2026-01-01T12:00:00Z');
  assert.equal(findCondition(after, 'Ready')?.message, '2 of 2');
});

test('lastTransitionTime moves when the status turns', () => {
  const before = setCondition([], ready, at);
  const after = setCondition(before, { ...ready, status: 'False' }, at + 60_000);

  assert.equal(findCondition(after, 'Ready')?.lastTransitionTime, '2026-01-01T12:01:00Z');
});

test('other conditions stay as they are, and in their place', () => {
  const before = setCondition(setCondition([], ready, at), { ...ready, type: 'AgentsReady' }, at);
  const after = setCondition(before, { ...ready, status: 'False' }, at + 1_000);

  assert.deepEqual(
    after.map(({ type }) => type),
    ['Ready', 'AgentsReady'],
  );
  assert.equal(after[1], before[1]);
});

test('an abnormal condition that no longer holds is taken away', () => {
  const before = setCondition([], { ...ready, type: 'Stalled' }, at);

  assert.deepEqual(removeCondition(before, 'Stalled'), []);
});

test('a message longer than the schema allows is cut', () => {
  const [condition] = setCondition([], { ...ready, message: 'x'.repeat(5_000) }, at);

  assert.equal(condition?.message.length, 2048);
});

test('transitions are changes of status or reason, not of message', () => {
  const before = setCondition([], ready, at);

  assert.deepEqual(transitions(before, setCondition(before, { ...ready, message: 'more' }, at)), []);
  assert.equal(transitions(before, setCondition(before, { ...ready, reason: 'Other' }, at)).length, 1);
  assert.equal(transitions(undefined, before).length, 1);
});
