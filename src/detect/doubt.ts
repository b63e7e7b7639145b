/**
 * Growth that something else than the version explains. Evidence rests on the pods and windows that nothing is the matter with:
 * what is proven there too is no doubt.
 */

/** What may be the matter with a window. */
export type WindowTrouble = 'Throttled' | 'WarmUp' | 'UnequalLoad' | 'SlowerCpu' | 'SamplesLost';

/** Each is also a flag of the report, and the reason of a gate that ends undecided by it. */
export type DoubtKind =
  | WindowTrouble
  | 'OnePod'
  | 'NoisyNode'
  | 'AgeDrift'
  | 'RouteMixShifted'
  | 'ProfilingFlagsDiffer';

export interface Doubt {
  readonly kind: DoubtKind;
  /** What else explains it, in a clause with the numbers. */
  readonly message: string;
  /** It ends with what pods serve, whatever that shows: what was proven meanwhile need not be proven anew. */
  readonly endsInTime?: true;
}

/** What would settle it. */
export const ADVICE: Readonly<Record<DoubtKind, string>> = {
  OnePod: '; replace that pod or add others',
  NoisyNode: '; other nodes, or pods of both arms on that one, would settle it',
  SlowerCpu: '; pods of both arms on one model of CPU would settle it',
  Throttled: '; a higher CPU limit would settle it',
  WarmUp: '; a longer warmUp would settle it',
  AgeDrift: '; baseline pods restarted with the canary would settle it',
  UnequalLoad: '; as many requests a pod in both arms would settle it',
  RouteMixShifted: '; the same mix of routes in both arms would settle it',
  ProfilingFlagsDiffer: '; the same flags in both arms would settle it',
  SamplesLost: '; agents with more room would settle it',
};

/** Whether a reason is one of these. */
export const isDoubt = (reason: string): reason is DoubtKind => Object.hasOwn(ADVICE, reason);
