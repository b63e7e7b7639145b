import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BUCKET_WIDTH } from '../../src/requests/latency-sketch.ts';
import { Beyond, logQuantileOf, normalBelow } from './latency-model.ts';
import { LogLatencies, NO_LATENCIES } from './log-latencies.ts';
import { chanceOf } from './random.ts';

const near = (actual: number, expected: number, by: number): void =>
  assert.ok(Math.abs(actual - expected) <= by, `${actual}, not ${expected}`);

test('a change of the tail is what it says: 12 ms more at P99, nothing at P90', () => {
  const p99 = logQuantileOf(0.99, {});

  near(Math.exp(p99), 80, 0.2);
  near(Math.exp(logQuantileOf(0.99, { tailMs: 12 })) - Math.exp(p99), 12, 1e-4);
  near(logQuantileOf(0.9, { tailMs: 12 }), logQuantileOf(0.9, {}), 1e-6);
});

test('the part beyond a quantile, and how much slower all must be for more of it', () => {
  const p99 = new Beyond(logQuantileOf(0.99, {}), {});

  near(p99.at(0), 0.01, 1e-6);
  near(p99.at(0.14), 1 - normalBelow(2.3263478740408408 - 0.14 / 0.72), 1e-5);
  for (const shift of [-0.3, 0, 0.05, 0.4]) near(p99.shiftFor(p99.at(shift)), shift, 1e-3);
});

test('Φ is that of tables, in the tail too', () => {
  near(normalBelow(0), 0.5, 1e-7);
  near(normalBelow(1.959963984540054), 0.975, 1e-7);
  near(normalBelow(-5) / 2.866515718791933e-7, 1, 1e-5);
});

test('draws have the mean, variance and skew of what they are called', () => {
  const chance = chanceOf(1, 2);
  const momentsOf = (draw: () => number): readonly [number, number, number] => {
    const drawn = Array.from({ length: 200_000 }, draw);
    const mean = drawn.reduce((sum, each) => sum + each, 0) / drawn.length;
    const central = (power: number): number =>
      drawn.reduce((sum, each) => sum + (each - mean) ** power, 0) / drawn.length;
    return [mean, central(2), central(3) / central(2) ** 1.5];
  };
  const expected: readonly (readonly [() => number, number, number, number])[] = [
    [() => chance.even(), 0.5, 1 / 12, 0],
    [() => chance.normal(), 0, 1, 0],
    [() => chance.poisson(2), 2, 2, Math.SQRT1_2],
    [() => chance.poisson(40), 40, 40, 1 / Math.sqrt(40)],
    [() => chance.student(6), 0, 1, 0],
  ];
  for (const [draw, mean, variance, skew] of expected) {
    const [seenMean, seenVariance, seenSkew] = momentsOf(draw);
    near(seenMean, mean, 0.015 * Math.sqrt(variance) + 1e-3);
    near(seenVariance / variance, 1, 0.04);
    near(seenSkew, skew, 0.25);
  }
});

test('a seed draws the same again, and its neighbour something else', () => {
  const first = (seed: readonly [number, number]): number[] => {
    const chance = chanceOf(...seed);
    return Array.from({ length: 5 }, () => chance.even());
  };

  assert.deepEqual(first([7, 1]), first([7, 1]));
  assert.notDeepEqual(first([7, 1]), first([7, 2]));
});

test('sketches expect as many beyond a quantile as counts do, in bursts too', () => {
  const p99 = new Beyond(logQuantileOf(0.99, {}), {});
  const partBeyond = (shift: number, burst: number): number => {
    const means = NO_LATENCIES();
    LogLatencies.of({}).expect(means, 1, shift, burst);
    near(
      means.reduce((sum, mean) => sum + mean, 0),
      1,
      1e-3,
    );
    const key = Math.ceil((p99.logMs + Math.log(1_000)) / BUCKET_WIDTH);
    return means.slice(key).reduce((sum, mean) => sum + mean, 0);
  };

  for (const shift of [0, 0.2]) near(partBeyond(shift, 0) / p99.at(shift), 1, 0.06); // a bucket is 2 %
  near(partBeyond(0, 0.05), 0.95 * p99.at(0) + 0.05 * p99.inBurst, 0.001);
});
