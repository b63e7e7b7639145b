import { normalQuantile } from './quantiles.ts';

const HALVINGS = 50; // of [0, alpha]: far below any digit that matters

/**
 * By how many standard errors an estimate may stray, on one side with probability `alpha`, at any of the
 * looks while its information grows `growth`-fold. Crossing of a constant bound by standardised Brownian
 * motion (Siegmund, Sequential Analysis, 1985, ch. IV): 1 − Φ(c) + φ(c)(c − 1/c)·ln(growth)/2. A bound for
 * every look for ever would be wider, but nobody is passed before the minimum duration or past the deadline.
 */
export function boundFactor(alpha: number, growth: number): number {
  const logGrowth = Math.log(Math.max(1, growth));
  // Searched over the tail 1 − Φ(c), of which the quantile gives c: no distribution function is needed.
  let low = 0;
  let high = alpha;
  for (let step = 0; step < HALVINGS; step++) {
    const tail = (low + high) / 2;
    const bound = normalQuantile(1 - tail);
    const density = Math.exp((-bound * bound) / 2) / Math.sqrt(2 * Math.PI);
    if (tail + (density * (bound - 1 / bound) * logGrowth) / 2 > alpha) high = tail;
    else low = tail;
  }
  return normalQuantile(1 - (low + high) / 2);
}
