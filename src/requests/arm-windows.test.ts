import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type ArmWindow,
  byStep,
  latenciesOf,
  latencyChartOf,
  latencyQuantile,
  requestCost,
} from './arm-windows.ts';
import { LatencySketch } from './latency-sketch.ts';

function aWindow(fields: {
  readonly pod?: string;
  readonly startMs?: number;
  readonly cpuMs: number;
  readonly latenciesMs: readonly number[];
}): ArmWindow {
  const sketch = new LatencySketch();
  for (const ms of fields.latenciesMs) sketch.add(ms * 1_000);
  const { pod = 'a', startMs = 0, cpuMs, latenciesMs } = fields;
  return {
    ...{ pod, startMs, endMs: startMs + 10_000, cpuUsec: cpuMs * 1_000 },
    requests: {
      ...{ state: 'Seen', reason: '', message: '', lost: 0 },
      routes: [
        {
          ...{ method: 'GET', route: '/orders', answers: [0, 0, latenciesMs.length, 0, 0, 0] },
          ...{ clientGone: 0, unfinished: 0, reset: 0, latency: sketch.pack(), waited: [] },
        },
      ],
    },
  };
}
const many = (ms: number, count: number): number[] => Array.from({ length: count }, () => ms);

test('what a request costs is the CPU of the windows in which requests were seen', () => {
  const unseen: ArmWindow = { pod: 'a', startMs: 0, endMs: 10_000, cpuUsec: 9e9 };
  const cost = requestCost([
    aWindow({ pod: 'a', cpuMs: 400, latenciesMs: many(5, 100) }),
    aWindow({ pod: 'b', cpuMs: 600, latenciesMs: many(5, 100) }),
    unseen,
  ]);

  assert.ok(cost);
  assert.equal(cost.ms, 5);
  // Pods of 4 and 6 ms: a standard deviation of √2, a standard error of 1 of 5; and that of 200 requests.
  assert.equal(cost.relativeError.toFixed(6), Math.hypot(0.2, 1 / Math.sqrt(200)).toFixed(6));
});

test('of too few requests nothing is said', () => {
  assert.equal(requestCost([aWindow({ cpuMs: 100, latenciesMs: many(5, 29) })]), undefined);
  assert.equal(requestCost([]), undefined);
});

test('quantiles and outlines come from the sketches, within a bucket', () => {
  const baseline = latenciesOf([aWindow({ cpuMs: 1, latenciesMs: [...many(10, 98), 100, 100] })]);
  const canary = latenciesOf([aWindow({ cpuMs: 1, latenciesMs: many(20, 100) })]);

  assert.ok(Math.abs((latencyQuantile(baseline, 0.5) ?? 0) - 10) < 0.2);
  assert.ok(Math.abs((latencyQuantile(baseline, 0.99) ?? 0) - 100) < 2);
  const chart = latencyChartOf({ baseline, canary }, []);
  assert.ok(chart);
  assert.ok(chart.fromMs < 10 && chart.toMs > 100);
  const peakMs = (bins: readonly number[]) => {
    const bin = bins.indexOf(Math.max(...bins));
    return chart.fromMs * (chart.toMs / chart.fromMs) ** ((bin + 0.5) / bins.length);
  };
  assert.ok(Math.abs(Math.log(peakMs(chart.baseline) / 10)) < 0.1);
  assert.ok(Math.abs(Math.log(peakMs(chart.canary) / 20)) < 0.1);
  assert.equal(latencyChartOf({ baseline, canary: latenciesOf([]) }, []), undefined);
});

test('windows go to the step that their middle is in', () => {
  const at = (startMs: number) => ({ startMs, endMs: startMs + 10_000 });

  const steps = byStep([at(0), at(20_000), at(26_000), at(90_000)], { fromMs: 0, stepMs: 30_000, steps: 2 });

  assert.deepEqual(
    steps.map((windows) => windows.map(({ startMs }) => startMs)),
    [[0, 20_000], [26_000]],
  );
});
