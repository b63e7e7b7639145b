import assert from 'node:assert/strict';
import { test } from 'node:test';
import { replaceBetweenMarkers } from './marked-text.ts';

test('what stands between the markers is replaced, and only that', () => {
  const page = 'before\n<!-- noise:begin -->\nold\n<!-- noise:end -->\nafter\n';

  const once = replaceBetweenMarkers(page, 'noise', 'new\n');

  assert.equal(once, 'before\n<!-- noise:begin -->\n\nnew\n\n<!-- noise:end -->\nafter\n');
  assert.equal(replaceBetweenMarkers(once, 'noise', 'new\n'), once);
});

test('a page without markers is left alone', () => {
  assert.throws(() => replaceBetweenMarkers('<!-- noise:end --><!-- noise:begin -->\n', 'noise', 'new'));
  assert.throws(() => replaceBetweenMarkers('nothing', 'noise', 'new'));
});
