/** A check of requests in its own units: its name and its numbers. */
import type { EffectEvidence } from './effect-evidence.ts';
import type { CheckKind, RequestCheckState } from './request-check.ts';
import { COST, ERRORS, latencyCheckName } from './request-settings.ts';
import { BLOCK_MS } from './request-spread.ts';
import type { EffectNumbers } from './verdict.ts';

export function requestCheckName({ of }: Pick<RequestCheckState, 'of'>): string {
  switch (of.kind) {
    case 'latency':
      return latencyCheckName(of.settings);
    case 'errors':
      return ERRORS;
    case 'cost':
      return COST;
  }
}

export function numbersOf(kind: CheckKind['kind'], evidence: EffectEvidence): EffectNumbers {
  const { baseline, margin, onset } = evidence;
  const { effect, half } = onset ?? evidence;
  if (kind === 'errors') {
    const interval = [effect - half, effect + half] as const;
    return { unit: 'share', baseline, canary: evidence.canary, delta: effect, interval, margin };
  }
  const ms = (logGrowth: number): number => baseline * Math.expm1(logGrowth);
  return {
    unit: 'ms',
    baseline,
    canary: onset === undefined ? evidence.canary : baseline + ms(effect),
    delta: ms(effect),
    interval: [ms(effect - half), ms(effect + half)],
    margin: ms(margin),
    ...(onset && { sinceMs: onset.block * BLOCK_MS }),
  };
}

/** In the unit that is shown; a search for failures, so only for who reads it. */
export const detectableOf = (kind: CheckKind['kind'], { baseline, detectable }: EffectEvidence): number =>
  kind === 'errors' ? detectable : baseline * Math.expm1(detectable);
