import assert from 'node:assert/strict';
import { test } from 'node:test';
import { labelIn } from './flame-label.ts';

test('a name that does not fit loses its package first, and keeps the mark at its end', () => {
  assert.equal(labelIn('com.example.shop.Codec.next_[s]', 31), 'com.example.shop.Codec.next_[s]');
  assert.equal(labelIn('com.example.shop.Codec.next_[s]', 30), 'Codec.next_[s]');
  assert.equal(labelIn('com.example.shop.Codec.next_[s]', 8), 'Codec.n…');
});

test('where a name still does not fit, it loses what its function can be told without', () => {
  assert.equal(labelIn('suspend shop.Orders.find', 19), 'suspend Orders.find');
  assert.equal(labelIn('suspend shop.Orders.find', 18), 'Orders.find');
  assert.equal(labelIn('suspend shop.Orders.find', 8), 'Orders.…');
  assert.equal(labelIn('Parse::do_call [libjvm.so]', 20), 'Parse::do_call');
  assert.equal(labelIn('[libc.so.6]', 6), '[libc…');
});
