/** How often the pods of gates are to be sampled that ask for more than their policies say. Pure. */
import type { V1Pod } from '@kubernetes/client-node';
import type { RegressionGate } from '../../crds/regression-gate.ts';

const LONGEST_CHAIN = 32; // two gates share a baseline, or one's canary is the next one's baseline

export interface GatePods {
  readonly gate: RegressionGate;
  readonly pods: readonly V1Pod[];
}

/**
 * By pod's uid. All pods of a gate have one rate: what is sampled more often pays for it, and would be compared with what does not.
 * So gates that share a pod, two canaries beside one baseline, have the highest of theirs.
 */
export function raisedRates(gates: readonly GatePods[]): ReadonlyMap<string, number> {
  const rates = new Map<string, number>();
  const asking = gates.map(({ gate, pods }) => ({
    hz: gate.status?.evidence?.frequencyHz ?? 0,
    uids: pods.map(({ metadata }) => metadata?.uid ?? ''),
  }));
  if (asking.every(({ hz }) => hz === 0)) return rates;
  // Each round carries a rate on to the gates beside; a chain of gates that share pods is no longer than this.
  for (let round = 0; round < LONGEST_CHAIN; round++) {
    let isRaised = false;
    for (const each of asking) if (shareRate(each, rates)) isRaised = true;
    if (!isRaised) break;
  }
  return rates;
}

/** Whether one of the gate's pods has a higher rate now. */
function shareRate(
  { hz, uids }: { readonly hz: number; readonly uids: readonly string[] },
  rates: Map<string, number>,
): boolean {
  const highest = uids.reduce((most, uid) => Math.max(most, rates.get(uid) ?? 0), hz);
  if (highest === 0 || uids.every((uid) => rates.get(uid) === highest)) return false;
  for (const uid of uids) rates.set(uid, highest);
  return true;
}
