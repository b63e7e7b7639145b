import { functionIdentity } from './function-identity.ts';
import type { Culprit } from './verdict.ts';

/** Samples that belong to requests of one method and route, as src/store keeps them. */
export interface RoutedSamples {
  readonly method: string;
  readonly route: string;
  readonly samples: readonly { readonly frames: readonly string[]; readonly count: number }[];
}

const MOST = 0.5; // of the samples that belong to any request

/** Culprits with the route that most of their samples belong to. Most samples belong to nobody's request for certain: they say nothing. */
export function withRoutes(culprits: readonly Culprit[], routed: Iterable<RoutedSamples>): Culprit[] {
  const identities = culprits.map((culprit) => functionIdentity(culprit.function));
  const counts = identities.map(() => new Map<string, number>());
  for (const { method, route, samples } of routed) {
    for (const { frames, count } of samples) {
      const names = new Set(frames.map(functionIdentity));
      const isIn = (_: unknown, at: number): boolean => names.has(identities[at] ?? '');
      for (const ofCulprit of counts.filter(isIn)) {
        ofCulprit.set(`${method} ${route}`, (ofCulprit.get(`${method} ${route}`) ?? 0) + count);
      }
    }
  }
  return culprits.map((culprit, at) => {
    const route = commonest(counts[at] ?? new Map());
    return route === undefined ? culprit : { ...culprit, route };
  });
}

function commonest(counts: ReadonlyMap<string, number>): string | undefined {
  const whole = [...counts.values()].reduce((sum, count) => sum + count, 0);
  return [...counts].find(([, count]) => count > MOST * whole)?.[0];
}
