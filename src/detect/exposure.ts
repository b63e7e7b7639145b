/**
 * How often the arms were sampled. Counts stay as they were taken, so a minute at four times the rate weighs four times as much in
 * a sum: alike in both arms, as long as both had that rate at that time.
 */
import type { Block } from './looks.ts';
import type { PodWindow } from './pod-window.ts';
import { seededRandom, seedOf } from './seeded-random.ts';

export interface Exposure {
  /** Looks that both arms had windows in. */
  looks: number;
  /** Σ over looks of the canary's rate. */
  hzLooks: number;
  /** Of the canary, at the last look. */
  hz: number;
  /** The canary's rate over the baseline's when the evaluation began; undefined before. */
  ratio: number | undefined;
  /** Looks at which the arms' rates were in another ratio. */
  unequal: number;
}

export const createExposure = (): Exposure => ({
  ...{ looks: 0, hzLooks: 0, hz: 0, unequal: 0 },
  ratio: undefined,
});

/** Rates are whole numbers from 1 to 199, so that what differs differs by more than this or does not matter. */
const SAME_RATE = 1.02;

/**
 * Counts a block, and gives it back as if both arms had been sampled in the ratio of the first: an agent hears of another rate
 * some seconds later than others, and what a service does at a time must not weigh more in one arm. Samples too many are
 * left out at random, by a seed of their own: whoever judges again leaves out the same.
 */
export function exposed(exposure: Exposure, block: Block): Block {
  const canaryHz = rateOf(block.canary);
  const baselineHz = rateOf(block.baseline);
  exposure.looks += 1;
  exposure.hz = canaryHz;
  exposure.ratio ??= canaryHz / baselineHz;
  const excess = canaryHz / baselineHz / exposure.ratio;
  exposure.hzLooks += excess > SAME_RATE ? canaryHz / excess : canaryHz;
  if (excess > SAME_RATE) {
    exposure.unequal += 1;
    return { ...block, canary: block.canary.map((window) => thinned(window, 1 / excess)) };
  }
  if (excess * SAME_RATE < 1) {
    exposure.unequal += 1;
    return { ...block, baseline: block.baseline.map((window) => thinned(window, excess)) };
  }
  return block;
}

/** Of windows, at least one, by how long they are. */
function rateOf(windows: readonly PodWindow[]): number {
  let ms = 0;
  let ticks = 0;
  for (const { startMs, endMs, hz } of windows) {
    ms += endMs - startMs;
    ticks += (endMs - startMs) * hz;
  }
  return ticks / ms;
}

function thinned(window: PodWindow, part: number): PodWindow {
  const random = seededRandom(seedOf(`${window.pod} ${window.startMs}`));
  const stacks = [...window.stacks].flatMap((stack) => {
    let count = 0;
    for (let sample = 0; sample < stack.count; sample++) if (random() < part) count += 1;
    return count === 0 ? [] : [{ ...stack, count }];
  });
  return { ...window, stacks };
}
