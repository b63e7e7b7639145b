import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MOST_MEMBERS } from '../../crds/regression-report.ts';
import { membersOf, refsIn, unionOf } from './members.ts';
import { aPod, aReport } from './testing/a-cluster.ts';

const ref = (podUid: string, container = 'app') => ({ podUid, container });

test('a report names each pod of both arms with its node and its containers', () => {
  const pods = [aPod({ name: 'orders-1', node: 'node-a' }), aPod({ name: 'orders-2', node: 'node-b' })];
  const refs = {
    baseline: [ref('uid-orders-1', 'worker'), ref('uid-orders-1')],
    canary: [ref('uid-orders-2')],
  };

  const members = membersOf({ refs, pods });

  assert.deepEqual(members, [
    { arm: 'baseline', uid: 'uid-orders-1', node: 'node-a', containers: ['app', 'worker'] },
    { arm: 'canary', uid: 'uid-orders-2', node: 'node-b', containers: ['app'] },
  ]);
  const report = aReport({ status: { members: [...members] } });
  assert.deepEqual(refsIn(report, 'baseline'), [ref('uid-orders-1'), ref('uid-orders-1', 'worker')]);
  assert.deepEqual(refsIn(report, 'canary'), [ref('uid-orders-2')]);
});

test('a pod that has gone keeps the node that the report had', () => {
  const gone = { arm: 'canary', uid: 'uid-gone', node: 'node-c', containers: ['app'] } as const;
  const before = [{ ...gone, containers: [...gone.containers] }];
  const refs = { baseline: [], canary: [ref('uid-gone')] };

  assert.deepEqual(membersOf({ refs, pods: [], before }), [gone]);
});

test('of a pod that ran on nobody knows which node nothing can be asked for', () => {
  assert.deepEqual(membersOf({ refs: { baseline: [ref('uid-x')], canary: [] }, pods: [] }), []);
});

test('of more pods than a report holds those that have gone stay', () => {
  const names = Array.from({ length: MOST_MEMBERS + 5 }, (_, index) => `orders-${index}`);
  const pods = names.map((name, index) => aPod({ name, terminating: index >= MOST_MEMBERS }));
  const refs = { baseline: names.map((name) => ref(`uid-${name}`)), canary: [] };

  const uids = membersOf({ refs, pods }).map(({ uid }) => uid);

  assert.equal(uids.length, MOST_MEMBERS);
  for (const name of names.slice(MOST_MEMBERS)) assert.ok(uids.includes(`uid-${name}`));
});

test('containers that several know of are one each, the first first', () => {
  const all = unionOf([ref('a'), ref('b')], [ref('b'), ref('c')], [ref('a', 'worker')]);

  assert.deepEqual(all, [ref('a'), ref('b'), ref('c'), ref('a', 'worker')]);
});
