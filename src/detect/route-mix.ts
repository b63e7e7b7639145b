/** How the canary's requests divide among routes, beside the baseline's. */

export interface RouteMix {
  /** Part of requests that went to other routes than the baseline's did: half of the sum of absolute differences. */
  readonly moved: number;
  /** The route whose part differs most. */
  readonly route: string;
  readonly canaryPart: number;
  readonly baselinePart: number;
  /** How many times as much of its requests a route has in the canary as in the baseline: the most and the least. */
  readonly most: number;
  readonly least: number;
  /** Part of the canary's requests to routes that the baseline hardly has. */
  readonly fresh: number;
}

const FEWEST_OF_A_ROUTE = 50; // in the canary, or expected there; the ratio of fewer is chance
const FEWEST_REQUESTS = 1_000; // in each arm
const FRESH_RATIO = 10;

/** Undefined while there are too few requests. */
export function routeMixOf(
  routes: ReadonlyMap<string, { readonly canary: number; readonly baseline: number }>,
): RouteMix | undefined {
  const whole = { canary: 0, baseline: 0 };
  for (const { canary, baseline } of routes.values()) {
    whole.canary += canary;
    whole.baseline += baseline;
  }
  if (Math.min(whole.canary, whole.baseline) < FEWEST_REQUESTS) return undefined;
  let [moved, most, least, fresh] = [0, 1, 1, 0];
  let worst = { route: '', canaryPart: 0, baselinePart: 0, difference: -1 };
  for (const [route, { canary, baseline }] of routes) {
    const canaryPart = canary / whole.canary;
    const baselinePart = baseline / whole.baseline;
    const difference = Math.abs(canaryPart - baselinePart);
    moved += difference / 2;
    if (difference > worst.difference) worst = { route, canaryPart, baselinePart, difference };
    if (Math.max(canaryPart, baselinePart) * whole.canary < FEWEST_OF_A_ROUTE) continue;
    const ratio = (canary + 1) / whole.canary / ((baseline + 1) / whole.baseline);
    if (ratio > FRESH_RATIO) fresh += canaryPart;
    most = Math.max(most, ratio);
    least = Math.min(least, ratio);
  }
  const { route, canaryPart, baselinePart } = worst;
  return { moved, route, canaryPart, baselinePart, most, least, fresh };
}
