/** What whoever runs the bench may change. */

export interface Knobs {
  readonly rounds: number;
  readonly windowSeconds: number;
  /** Load before each window, in which nothing is measured. */
  readonly leadSeconds: number;
  /** Load on each service before the first round. */
  readonly warmSeconds: number;
  /** Requests per second. */
  readonly rate: number;
  /** Variants to measure; undefined: all. */
  readonly only: readonly string[] | undefined;
  readonly seed: number;
}

/** Windows and lead hold a whole agent window and a whole upload of the Pyroscope agent, 10 s each. */
const DEFAULTS = { ROUNDS: 10, WINDOW_SECONDS: 10, LEAD_SECONDS: 15, WARM_SECONDS: 60, RATE: 100, SEED: 1 };
const MAX = 100_000;

/** Throws with the name of the variable. */
export function readKnobs(
  env: Readonly<Record<string, string | undefined>>,
  names: readonly string[],
): Knobs {
  const whole = (name: keyof typeof DEFAULTS) => {
    const value = Number(env[name] ?? DEFAULTS[name]);
    if (Number.isInteger(value) && value >= 1 && value <= MAX) return value;
    throw new Error(`${name}=${env[name]}: a whole number from 1 to ${MAX}`);
  };
  const only = env['ONLY']?.split(',').filter((name) => name !== '');
  for (const name of only ?? []) {
    if (!names.includes(name))
      throw new Error(`ONLY=${env['ONLY']}: there is no ${name}; ${names.join(', ')}`);
  }
  return {
    rounds: whole('ROUNDS'),
    windowSeconds: whole('WINDOW_SECONDS'),
    leadSeconds: whole('LEAD_SECONDS'),
    warmSeconds: whole('WARM_SECONDS'),
    rate: whole('RATE'),
    seed: whole('SEED'),
    only: only?.length ? only : undefined,
  };
}
