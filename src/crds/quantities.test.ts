import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  formatDuration,
  formatEvidence,
  formatLatencyRange,
  formatSharePercent,
  formatShareRange,
  parseDurationMs,
  parsePercentage,
} from './quantities.ts';

test('a duration adds its hours, minutes and seconds', () => {
  assert.equal(parseDurationMs('90s'), 90_000);
  assert.equal(parseDurationMs('3m'), 180_000);
  assert.equal(parseDurationMs('1h30m'), 5_400_000);
  assert.equal(parseDurationMs('1h1m1s'), 3_661_000);
});

test('what the schema would refuse as a duration is refused with the text in the sentence', () => {
  for (const text of ['', '10', '1.5h', '-3m', '3m1h', '1d', '10ms', ' 3m', '3m\n']) {
    assert.throws(
      () => parseDurationMs(text),
      { code: 'QUANTITY_INVALID', message: /is not a duration/ },
      text,
    );
  }
});

test('a duration survives formatting', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 9_999 * 3_600 }), (seconds) => {
      assert.equal(parseDurationMs(formatDuration(seconds * 1_000)), seconds * 1_000);
    }),
  );
});

test('a percentage is a share', () => {
  assert.equal(parsePercentage('0.5%'), 0.005);
  assert.equal(parsePercentage('100%'), 1);
  assert.equal(parsePercentage('0%'), 0);
});

test('what the schema would refuse as a percentage is refused', () => {
  for (const text of ['', '5', '101%', '100.1%', '-1%', '1e1%', '.5%', '0.00001%', '5 %', '5%\n']) {
    assert.throws(() => parsePercentage(text), { code: 'QUANTITY_INVALID' }, text);
  }
});

test('a share is written with the digits that mean something', () => {
  assert.equal(formatSharePercent(0.1234), '12.3%');
  assert.equal(formatSharePercent(0.01234), '1.23%');
  assert.equal(formatSharePercent(0.000_421), '0.042%');
  assert.equal(formatSharePercent(0.000_000_1), '0%');
  assert.equal(formatSharePercent(1), '100.0%');
  assert.equal(formatSharePercent(Number.NaN), 'n/a');
});

test('the sign of a difference is written when asked for', () => {
  assert.equal(formatSharePercent(0.123, { sign: true }), '+12.3%');
  assert.equal(formatSharePercent(-0.005, { sign: true }), '-0.5%');
  assert.equal(formatSharePercent(0, { sign: true }), '0%');
});

test('both ends of an interval have the digits of the larger one', () => {
  assert.deepEqual(formatLatencyRange([1.561, 29.94]), ['+1.6ms', '+29.9ms']);
  assert.deepEqual(formatLatencyRange([-0.0000003, 115.2]), ['0ms', '+115ms']);
  assert.deepEqual(formatShareRange([-0.0122, 0.0224]), ['-1.22%', '+2.24%']);
  assert.deepEqual(formatShareRange([-0.00049, 0.000_71]), ['-0.049%', '+0.071%']);
  assert.deepEqual(formatShareRange([Number.NaN, 0]), ['n/a', '0%']);
});

test('evidence is a number nobody has to count the digits of', () => {
  assert.equal(formatEvidence(Number.NEGATIVE_INFINITY), 'below 1');
  assert.equal(formatEvidence(Math.log(6.94)), '6.9');
  assert.equal(formatEvidence(Math.log(400)), '400');
  assert.equal(formatEvidence(700), 'over 1000000');
});
