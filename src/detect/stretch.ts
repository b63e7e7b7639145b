import type { RouteWindow } from '../requests/request-window.ts';
import type { Counted } from './pod-counts.ts';
import type { Stratum } from './request-arms.ts';
import type { Stretch } from './restarts.ts';

/** What of these rows a check counts. */
export type Counter = (rows: readonly RouteWindow[]) => Counted;

/** Both arms in these strata, the baseline weighted to the canary. `tell`: of each route, the canary's count beyond what is expected. */
export function stretchOf(
  strata: readonly Stratum[],
  countOf: Counter,
  tell?: (key: string, excess: number) => void,
): Stretch {
  const stretch = { requests: 0, counted: 0, expected: 0, squares: 0, looks: strata.length > 0 ? 1 : 0 };
  for (const { key, canary, baseline } of strata) {
    const ofCanary = countOf([canary]);
    const ofBaseline = countOf([baseline]);
    if (ofBaseline.requests === 0) continue;
    const weight = ofCanary.requests / ofBaseline.requests;
    const expected = weight * ofBaseline.counted;
    tell?.(key, ofCanary.counted - expected);
    stretch.requests += ofCanary.requests;
    stretch.counted += ofCanary.counted;
    stretch.expected += expected;
    stretch.squares += weight * ofCanary.requests;
  }
  return stretch;
}
