import type { StackIndex } from './stack-index.ts';
import type { ArmTally } from './tally.ts';
import type { GroupShare } from './verdict.ts';

const MOST_GROUPS = 10;

/** Self time of code that is no function of the service, as a share of all samples, the largest first. */
export function groupShares(
  index: StackIndex,
  arms: { readonly canary: ArmTally; readonly baseline: ArmTally },
): GroupShare[] {
  const sums = new Map<string, { canary: number; baseline: number }>();
  for (const { id, group } of index.stacks) {
    if (group === undefined) continue;
    const sum = sums.get(group) ?? { canary: 0, baseline: 0 };
    sums.set(group, sum);
    sum.canary += arms.canary.stackCounts[id] ?? 0;
    sum.baseline += arms.baseline.stackCounts[id] ?? 0;
  }
  const shares = [...sums].map(([group, sum]) => ({
    group,
    baselineShare: sum.baseline / Math.max(1, arms.baseline.allSamples),
    canaryShare: sum.canary / Math.max(1, arms.canary.allSamples),
  }));
  return shares
    .sort((a, b) => b.canaryShare - a.canaryShare || (a.group < b.group ? -1 : 1))
    .slice(0, MOST_GROUPS);
}
