import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RegressionReportStatus } from '../../crds/regression-report.ts';
import { boundedStatus, MOST_BYTES } from './report-size.ts';

const aStatus = (culprits: number, frames: number, frame: string): RegressionReportStatus => ({
  verdict: 'Failed',
  culprits: Array.from({ length: culprits }, (_, number) => ({
    ...({
      function: `${frame}${number}`,
      kind: 'Grown',
      baseline: '1%',
      canary: '6%',
      delta: '+5%',
    } as const),
    interval: ['+4%', '+6%'],
    shareOfDelta: '100%',
    stack: Array.from({ length: frames }, () => frame),
  })),
});

const bytesOf = (status: RegressionReportStatus): number => Buffer.byteLength(JSON.stringify(status));

test('a report of usual size is left as it is', () => {
  const status = aStatus(10, 64, 'shop.Orders.find (Orders.kt:29)');

  assert.equal(boundedStatus(status), status);
});

test('long stacks lose their callers, all culprits keep their leaves, and the report says so', () => {
  const bounded = boundedStatus(aStatus(10, 64, 'm'.repeat(512)));

  assert.ok(bytesOf(bounded) <= MOST_BYTES);
  assert.deepEqual(bounded.folded, ['stacks end after 8 frames']);
  assert.deepEqual(
    bounded.culprits?.map(({ stack }) => stack.length),
    Array.from({ length: 10 }, () => 8),
  );
});

test('where shorter stacks are not enough the last culprits are left out', () => {
  const bounded = boundedStatus(aStatus(10, 64, 'é'.repeat(1_000)));

  assert.ok(bytesOf(bounded) <= MOST_BYTES);
  assert.ok((bounded.culprits?.length ?? 0) < 10);
  assert.match(bounded.folded?.[0] ?? '', /^[1-9] of 10 functions that grew are not listed$/);
});
