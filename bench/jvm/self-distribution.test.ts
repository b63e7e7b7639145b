import assert from 'node:assert/strict';
import { test } from 'node:test';
import { distance, selfOfCollapsed } from './self-distribution.ts';

test('of collapsed stacks the leafmost Java frame counts, under the name we give it', () => {
  const self = selfOfCollapsed(
    [
      'start_thread;shop/Main.run_[j];shop/Codec.decode_[i];memcpy 5',
      'start_thread;shop/Main.run_[0] 2',
      'start_thread;shop/Main$$Lambda.0x00007f00.run_[1];shop/Codec.decode_[1];sys_read_[k] 1',
      'start_thread;GCTaskThread 9',
    ].join('\n'),
  );

  assert.deepEqual(
    self,
    new Map([
      ['shop.Codec.decode', 6],
      ['shop.Main.run', 2],
    ]),
  );
});

test('the distance is that of shares, not of counts', () => {
  const one = new Map([
    ['a', 30],
    ['b', 10],
  ]);
  const other = new Map([
    ['a', 2],
    ['c', 2],
  ]);

  assert.equal(distance(one, one), 0);
  assert.equal(distance(one, other), 0.5);
  assert.equal(distance(one, new Map()), null);
});
