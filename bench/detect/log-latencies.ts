/** Latencies of latency-model.ts drawn as sketches: how many requests of a mean number fall into each bucket. */
import { BUCKET_WIDTH, type PackedSketch } from '../../src/requests/latency-sketch.ts';
import { type Change, LOG_SD, normalBelow } from './latency-model.ts';
import type { Chance } from './random.ts';

export type { Change } from './latency-model.ts';

const STEPS = 8; // of the table, a bucket: shifts are rounded to an eighth of 2 %
const LOG_MEDIAN_US = Math.log(15_000);
const KEYS = 1_000; // up to e^20 microseconds
const LEAST_PART = 1e-8;

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
