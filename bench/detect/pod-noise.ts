/** How the simulated pods stray. The engine's numbers were chosen on one family of noise and are judged on others. */
import type { Chance } from './random.ts';

/**
 * `tuning`: what the prototypes drew; pods normal, one wave that is forgotten within a minute. `judging`: pods with the heavy tails of
 * Student's t, half of the wave forgotten in fifteen seconds and half after eighty; over minutes it is as large as the other.
 * `slow`: the same, but half of the wave lasts two and a half minutes: over ten minutes it is twice as large.
 */
export type Family = 'tuning' | 'judging' | 'slow';

interface Wave {
  readonly memory: number;
  readonly sd: number;
}

const WAVE_SD = 0.05; // of log latency, from one window of 10 s to others
const HALF = WAVE_SD * Math.SQRT1_2;
const WAVES: Record<Family, readonly Wave[]> = {
  tuning: [{ memory: 0.8, sd: WAVE_SD }],
  judging: [
    { memory: 0.5, sd: HALF },
    { memory: 0.88, sd: HALF },
  ],
  slow: [
    { memory: 0.6, sd: HALF },
    { memory: 0.935, sd: HALF },
  ],
};
const POD_FREEDOM = 6;

/** What all pods share from window to window: the database, the network. */
export const COMMON: Wave = { memory: 0.9, sd: 0.08 };

/** The next value of an autoregressive wave of this standard deviation. */
export const nextOf = ({ memory, sd }: Wave, value: number, chance: Chance): number =>
  memory * value + Math.sqrt(1 - memory * memory) * sd * chance.normal();

/** Log latency of one pod beside others: what it is for good, and its waves. */
export class PodShift {
  readonly #stays: number;
  readonly #waves: readonly Wave[];
  readonly #values: Float64Array;
  readonly #chance: Chance;

  /** `slower`: for good, whatever other pods are. */
  constructor(family: Family, podSd: number, chance: Chance, slower = 0) {
    this.#stays = slower + podSd * (family === 'tuning' ? chance.normal() : chance.student(POD_FREEDOM));
    this.#waves = WAVES[family];
    this.#values = Float64Array.from(this.#waves, ({ sd }) => sd * chance.normal());
    this.#chance = chance;
  }

  next(): number {
    let shift = this.#stays;
    for (let at = 0; at < this.#waves.length; at++) {
      const wave = this.#waves[at];
      if (wave === undefined) continue;
      const value = this.#values[at] ?? 0;
      shift += value;
      this.#values[at] = nextOf(wave, value, this.#chance);
    }
    return shift;
  }
}
