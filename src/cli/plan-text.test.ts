import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Plan, renderPlan } from './plan-text.ts';

const aPlan = (fields: Partial<Plan> = {}): Plan => ({
  summary: '0 of 220 placebos failed; sees ≥ 7.2 ms of P99 or ≥ 1.2 % of CPU in 10 min with 3 canary pods',
  holds: true,
  baselinePods: 7,
  podVarianceFactor: 1,
  falseAlarms: [],
  rows: [
    { canaryPods: 3, at: '10m', latency: '7.2ms', cpu: '1.2%', sameAfter: '10m', marginAfter: '12m30s' },
    { canaryPods: 6, at: '10m', latency: '5.1ms', cpu: '0.9%', sameAfter: '4m', marginAfter: '1m' },
    { canaryPods: 12, at: '10m' },
  ],
  ...{ warmUpMs: 120_000, minDurationMs: 180_000, deadlineMs: 1_800_000 },
  ...fields,
});

test('each number of canary pods has a row, and fewer than the baseline has a step to paste', () => {
  assert.equal(
    renderPlan(aPlan(), 'table'),
    `0 of 220 placebos failed; sees ≥ 7.2 ms of P99 or ≥ 1.2 % of CPU in 10 min with 3 canary pods

CANARY PODS  LATENCY SEEN IN 10m  CPU SEEN IN 10m  THE SAME AFTER  MARGINS AFTER
3            7.2ms                1.2%             10m             12m30s
6            5.1ms                0.9%             4m              1m
12           -                    -                not in 30m      not in 30m

# Argo Rollouts, 3 canary pods of 7: 2m warm-up and 12m30s until growth of the margins is proven
steps:
  - setWeight: 42
  - pause: {duration: 15m}

# Argo Rollouts, 6 canary pods of 7: 2m warm-up and 1m until growth of the margins is proven
steps:
  - setWeight: 85
  - pause: {duration: 5m}
`,
  );
});

test('scripts get the same, with what makes placebos fail', () => {
  const [first] = JSON.parse(renderPlan(aPlan(), 'json')).plan;
  const failing = renderPlan(aPlan({ holds: false, falseAlarms: ['shop.Job.run (9)'] }), 'table');

  assert.deepEqual([first.canaryPods, first.weight, first.pause], [3, 42, '15m']);
  assert.match(renderPlan(aPlan({ holds: false }), 'yaml'), /^certified: false$/m);
  assert.match(failing, /^false alarms: shop\.Job\.run \(9\)$/m);
});

test('where growth of the margins is never proven, the step waits for the deadline and says so', () => {
  const text = renderPlan(aPlan({ rows: [{ canaryPods: 3, at: '10m', cpu: '4%' }] }), 'table');

  assert.match(
    text,
    /3 canary pods of 7: 2m warm-up and the whole deadline: growth of the margins may stay unproven/,
  );
  assert.match(text, /pause: \{duration: 32m\}/);
});
