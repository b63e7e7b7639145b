import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findCondition } from '../../kube/conditions.ts';
import { decide } from './decide.ts';
import type { SelectedContainer } from './gather.ts';
import { liveFlags, liveStatusOf } from './live-flags.ts';
import { aJvm, anObserved, aPolicy, aSelected, NOW_MS } from './testing/samples.ts';

type Live = NonNullable<NonNullable<SelectedContainer['state']>['window']['jvm']['live']>;

const live = (state: Live['state'], more: Partial<Live> = {}): Live => ({
  ...{ state, reason: state, message: '', ageMs: 120, atMs: NOW_MS - 60_000 },
  ...more,
});
const aPod = (pod: string, is: Live | undefined): SelectedContainer =>
  aSelected({ pod, state: aJvm(is === undefined ? {} : { live: is }) });
const said = (...pods: readonly SelectedContainer[]) => {
  const { status, reason } = liveFlags(pods);
  return `${status} ${reason}`;
};

test('a policy’s JVMs that all have the flag are told, with the oldest age', () => {
  const pods = [aPod('a', live('Set')), aPod('b', live('Set', { ageMs: 310 })), aPod('c', live('AlreadyOn'))];

  assert.equal(said(...pods), 'True LiveSet');
  assert.match(liveFlags(pods).message, /^on in 3 JVMs; set in 2, at most 310 ms old$/);
  assert.deepEqual(liveStatusOf(pods), {
    set: 2,
    alreadyOn: 1,
    maxAgeMs: 310,
    lastSetTime: new Date(NOW_MS - 60_000).toISOString(),
    tooLate: [],
    refused: [],
  });
});

test('what hinders it is told in the order of who has to act: the install, the JVM, time', () => {
  const set = aPod('a', live('Set'));
  const late = aPod('b', live('TooLate', { reason: 'JvmTooOld' }));
  const odd = aPod('c', live('Refused', { reason: 'FlagSetByUser', message: 'off by COMMAND_LINE' }));
  const denied = aPod('d', live('Refused', { reason: 'LiveNotGranted' }));

  assert.equal(said(set, late), 'False MetTooLate');
  assert.match(liveFlags([set, late]).message, /1 of 2 JVMs .*: b$/);
  assert.equal(said(set, late, odd), 'False LiveRefused');
  assert.match(liveFlags([odd]).message, /c: FlagSetByUser: off by COMMAND_LINE/);
  assert.equal(said(set, late, odd, denied), 'False LiveNotGranted');
  assert.deepEqual(liveStatusOf([set, late, odd]), {
    set: 1,
    alreadyOn: 0,
    maxAgeMs: 120,
    lastSetTime: new Date(NOW_MS - 60_000).toISOString(),
    tooLate: ['b'],
    refused: [{ pod: 'c', reason: 'FlagSetByUser', message: 'off by COMMAND_LINE' }],
  });
});

test('before an agent has met a JVM nothing is known, and without a JVM nothing ever will be', () => {
  assert.equal(said(), 'Unknown WaitingForAgents');
  assert.equal(said(aPod('a', undefined)), 'Unknown WaitingForAgents');
  assert.equal(said(aSelected({ state: aJvm({ state: 'NoJvm' }) })), 'False NoJvm');
  assert.equal(liveStatusOf([aPod('a', undefined)]), undefined);
});

test('the policy’s status has it per workload, and AgentsReady and Ready are what they were', () => {
  const containers = [aPod('a', live('Set')), aPod('b', live('TooLate', { reason: 'JvmTooOld' }))];
  const before = decide(anObserved({ containers })).status.conditions;

  const { status } = decide(anObserved({ containers, policy: aPolicy({ mode: 'Live' }) }));

  assert.deepEqual(status.workloads?.[0]?.live?.tooLate, ['b']);
  assert.equal(findCondition(status.conditions, 'FlagsInjected')?.reason, 'MetTooLate');
  for (const type of ['Ready', 'AgentsReady', 'Stalled']) {
    assert.deepEqual(findCondition(status.conditions, type), findCondition(before, type));
  }
});
