import assert from 'node:assert/strict';
import { test } from 'node:test';
import { labelIn } from './flame-label.ts';

test('a name that does not fit loses its package first, and keeps the mark at its end', () => {
  assert.equal(labelIn('com.example.shop.Codec.next_[s]', 31), 'com.example.shop.Codec.next_[s]');
  assert.equal(labelIn('com.example.shop.Codec.next_[s]', 30), 'Codec.next_[s]');
  assert.equal(labelIn('com.example.shop.Codec.next_[s]', 8), 'Codec.n…');
});
