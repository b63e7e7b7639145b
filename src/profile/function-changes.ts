/** How each function's share of CPU differs between two profiles, self and with its callees. */
import { functionCounts } from './function-counts.ts';
import { type StackCount, totalCount } from './stack-counts.ts';

/** Shares of each profile's own samples, 0…1. */
export interface FunctionChange {
  readonly name: string;
  readonly baselineSelf: number;
  readonly canarySelf: number;
  readonly baselineTotal: number;
  readonly canaryTotal: number;
}

/** Every function of either profile, the largest change of self first; equal ones by change with callees, then name. */
export function functionChanges(
  baseline: readonly StackCount[],
  canary: readonly StackCount[],
): FunctionChange[] {
  const before = functionCounts(baseline);
  const after = functionCounts(canary);
  const baselineAll = Math.max(1, totalCount(baseline));
  const canaryAll = Math.max(1, totalCount(canary));
  const changes = [...new Set([...before.keys(), ...after.keys()])].map((name) => ({
    name,
    baselineSelf: (before.get(name)?.self ?? 0) / baselineAll,
    canarySelf: (after.get(name)?.self ?? 0) / canaryAll,
    baselineTotal: (before.get(name)?.total ?? 0) / baselineAll,
    canaryTotal: (after.get(name)?.total ?? 0) / canaryAll,
  }));
  return changes.sort(
    (a, b) => selfChange(b) - selfChange(a) || totalChange(b) - totalChange(a) || (a.name < b.name ? -1 : 1),
  );
}

const selfChange = (change: FunctionChange): number => Math.abs(change.canarySelf - change.baselineSelf);
const totalChange = (change: FunctionChange): number => Math.abs(change.canaryTotal - change.baselineTotal);
