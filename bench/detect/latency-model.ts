/** The latencies that are simulated, as parts of requests beyond thresholds: lognormal, of median 15 and P99 80 ms. */
import { normalQuantile } from '../../src/detect/quantiles.ts';

const LOG_MEDIAN_MS = Math.log(15);
export const LOG_SD = 0.72;
export const BURST_MS = 150; // what requests of a burst take more, exponentially

/** What a version does to latencies. */
export interface Change {
  /** Milliseconds more at P99, none below P90, in between and beyond by the rank. */
  readonly tailMs?: number;
  /** All latencies times this. */
  readonly factor?: number;
}

/** Φ of Numerical Recipes' erfc: relative error below 1.2e-7, in the tail too. */
export function normalBelow(z: number): number {
  const x = Math.abs(z) / Math.SQRT2;
  const t = 1 / (1 + 0.5 * x);
  const series = [
    -1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806, 0.27886807, -1.13520398, 1.48851587,
    -0.82215223, 0.17087277,
  ];
  const sum = series.reduceRight((inner, each) => inner * t + each, 0);
  const tail = 0.5 * t * Math.exp(-x * x + sum);
  return z > 0 ? 1 - tail : tail;
}

/** Log latency (ms) of the request of normal score `z`. */
function logLatency(z: number, { tailMs = 0, factor = 1 }: Change): number {
  const ramp = Math.max(0, normalBelow(z) - 0.9) / 0.09;
  return Math.log(Math.exp(LOG_MEDIAN_MS + LOG_SD * z) * factor + tailMs * ramp);
}

export const logQuantileOf = (quantile: number, change: Change): number =>
  logLatency(normalQuantile(quantile), change);

const HALVINGS = 50;

function partBeyond(logMs: number, change: Change): number {
  let low = -9;
  let high = 9;
  for (let step = 0; step < HALVINGS; step++) {
    const z = (low + high) / 2;
    if (logLatency(z, change) < logMs) low = z;
    else high = z;
  }
  return normalBelow(-high);
}

const LARGEST_SHIFT = 1.5;
const STEPS_PER_UNIT = 256;

/** Part of requests beyond one threshold when all of them are slower by a shift of log latency. */
export class Beyond {
  readonly logMs: number;
  /** Of requests that a burst hit. */
  readonly inBurst: number;
  readonly #table: Float64Array;

  constructor(logMs: number, change: Change) {
    this.logMs = logMs;
    this.#table = Float64Array.from({ length: 2 * LARGEST_SHIFT * STEPS_PER_UNIT + 1 }, (_, at) =>
      partBeyond(logMs - (at / STEPS_PER_UNIT - LARGEST_SHIFT), change),
    );
    this.inBurst = burstBeyond(Math.exp(logMs));
  }

  at(shift: number): number {
    const table = this.#table;
    const position = Math.min(table.length - 1.001, Math.max(0, (shift + LARGEST_SHIFT) * STEPS_PER_UNIT));
    const step = Math.floor(position);
    const low = table[step] ?? 0;
    return low + (position - step) * ((table[step + 1] ?? low) - low);
  }

  /** The shift at which this part is beyond. */
  shiftFor(part: number): number {
    const table = this.#table;
    let low = 0;
    let high = table.length - 1;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((table[middle] ?? 0) < part) low = middle;
      else high = middle;
    }
    const from = table[low] ?? 0;
    const to = table[high] ?? from;
    const inside = to > from ? Math.min(1, Math.max(0, (part - from) / (to - from))) : 0;
    return (low + inside) / STEPS_PER_UNIT - LARGEST_SHIFT;
  }
}

function burstBeyond(ms: number): number {
  let beyond = 0;
  const step = 1 / 32;
  for (let z = -6; z <= 6; z += step) {
    const density = (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) * step;
    const left = ms - Math.exp(LOG_MEDIAN_MS + LOG_SD * z);
    beyond += density * (left <= 0 ? 1 : Math.exp(-left / BURST_MS));
  }
  return Math.min(1, beyond);
}
