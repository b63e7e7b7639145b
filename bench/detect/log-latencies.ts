/** Latencies of latency-model.ts drawn as sketches: how many requests of a mean number fall into each bucket. */
import { normalQuantile } from '../../src/detect/quantiles.ts';
import { BUCKET_WIDTH, type PackedSketch } from '../../src/requests/latency-sketch.ts';
import { BURST_MS, type Change, LOG_SD, normalBelow } from './latency-model.ts';
import type { Chance } from './random.ts';

export type { Change } from './latency-model.ts';

const STEPS = 8; // of the table, a bucket: shifts are rounded to an eighth of 2 %
const LOG_MEDIAN_US = Math.log(15_000);
const KEYS = 1_000; // up to e^20 microseconds
const LEAST_PART = 1e-8;
const LEAST_MEAN = 1e-6; // of requests in a bucket
const RANKS = 400;

const known = new Map<string, LogLatencies>();

export class LogLatencies {
  /** Part of requests up to each step of log latency. */
  readonly #below: Float64Array;

  static of(change: Change): LogLatencies {
    const key = JSON.stringify(change);
    const made = known.get(key) ?? new LogLatencies(change);
    known.set(key, made);
    return made;
  }

  private constructor({ tailMs = 0, factor = 1 }: Change) {
    const below = new Float64Array(KEYS * STEPS + 1);
    let at = 0;
    for (let z = -8; z <= 8; z += 1 / 512) {
      const rank = normalBelow(z);
      const ramp = Math.max(0, rank - 0.9) / 0.09;
      const latencyUs = Math.exp(LOG_MEDIAN_US + LOG_SD * z) * factor + tailMs * 1_000 * ramp;
      const step = Math.min(below.length - 1, Math.floor((Math.log(latencyUs) / BUCKET_WIDTH) * STEPS));
      for (; at <= step; at++) below[at] = rank;
    }
    below.fill(1, at);
    this.#below = below;
  }

  /** Adds to the mean number in each bucket what `mean` requests bring; a `burst` part of them takes longer, exponentially. */
  expect(into: Float64Array, mean: number, shift: number, burst = 0): void {
    const below = this.#below;
    const steps = Math.round((shift / BUCKET_WIDTH) * STEPS);
    const slow = burst > 0 ? burstBelow() : undefined;
    let before = 0;
    let slowBefore = 0;
    for (let key = 1; key < KEYS; key++) {
      const upTo = below[Math.min(below.length - 1, Math.max(0, key * STEPS - steps))] ?? 1;
      const slowUpTo = slow?.[key] ?? 0;
      const part = (1 - burst) * (upTo - before) + burst * (slowUpTo - slowBefore);
      if (part > 0) into[key] = (into[key] ?? 0) + mean * part;
      before = upTo;
      slowBefore = slowUpTo;
    }
  }

  /** `mean`: of requests; `shift`: of their log latency. */
  draw(mean: number, shift: number, chance: Chance): { latency: PackedSketch; answered: number } {
    const below = this.#below;
    const steps = Math.round((shift / BUCKET_WIDTH) * STEPS);
    const latency: number[] = [];
    let answered = 0;
    let last = 0;
    let before = 0;
    for (let key = 1; key < KEYS && before < 1 - LEAST_PART; key++) {
      const upTo = below[Math.min(below.length - 1, Math.max(0, key * STEPS - steps))] ?? 1;
      const count = upTo - before > LEAST_PART ? chance.poisson(mean * (upTo - before)) : 0;
      before = upTo;
      if (count === 0) continue;
      latency.push(key - last, count);
      last = key;
      answered += count;
    }
    return { latency, answered };
  }
}

export const NO_LATENCIES = (): Float64Array => new Float64Array(KEYS);

/** Of a mean number in each bucket. */
export function drawSketch(means: Float64Array, chance: Chance): { latency: PackedSketch; answered: number } {
  const latency: number[] = [];
  let answered = 0;
  let last = 0;
  for (let key = 1; key < means.length; key++) {
    const mean = means[key] ?? 0;
    const count = mean > LEAST_MEAN ? chance.poisson(mean) : 0;
    if (count === 0) continue;
    latency.push(key - last, count);
    last = key;
    answered += count;
  }
  return { latency, answered };
}

let knownBurst: Float64Array | undefined;

/** Part of a burst's requests up to each bucket: the usual latency and BURST_MS more, exponentially. */
function burstBelow(): Float64Array {
  knownBurst ??= Float64Array.from({ length: KEYS }, (_, key) => {
    const upToMs = Math.exp(key * BUCKET_WIDTH) / 1_000;
    let below = 0;
    for (let rank = 0.5 / RANKS; rank < 1; rank += 1 / RANKS) {
      const leftMs = upToMs - Math.exp(LOG_MEDIAN_US + LOG_SD * normalQuantile(rank)) / 1_000;
      if (leftMs > 0) below += (1 - Math.exp(-leftMs / BURST_MS)) / RANKS;
    }
    return below;
  });
  return knownBurst;
}
