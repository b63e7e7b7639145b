/**
 * Two profiles, nothing else: which functions take a larger share of the CPU in the second one, beyond what the number of
 * samples leaves to chance. Of how runs of one build differ two profiles cannot tell; gates compare pods, and can.
 */
import { functionCounts } from '../profile/function-counts.ts';
import { type StackCount, totalCount } from '../profile/stack-counts.ts';
import { normalQuantile } from './quantiles.ts';

export interface ProfileGrowth {
  readonly name: string;
  /** Shares of all samples, with callees, 0 to 1. */
  readonly baseline: number;
  readonly canary: number;
  /** Of the difference, for all functions together at the given level. */
  readonly least: number;
  readonly most: number;
}

export interface GrowthJudgement {
  /** Failed: a function's growth is proven and beyond the margin. Passed: none can be. Else there are too few samples. */
  readonly verdict: 'Passed' | 'Failed' | 'Inconclusive';
  /** Proven and beyond the margin; the deepest are not told from their callers. The largest growth first. */
  readonly grown: readonly ProfileGrowth[];
  /** What a function could have grown by at most, unseen ones included. */
  readonly most: number;
}

/** `margin`: share of all CPU. `level`: chance that an equal pair is ever called Failed. */
export function judgeGrowth(
  baseline: readonly StackCount[],
  canary: readonly StackCount[],
  { margin, level }: { readonly margin: number; readonly level: number },
): GrowthJudgement {
  const [n, m] = [totalCount(baseline), totalCount(canary)];
  if (n === 0 || m === 0) return { verdict: 'Inconclusive', grown: [], most: 1 };
  const [before, after] = [functionCounts(baseline), functionCounts(canary)];
  const names = [...new Set([...before.keys(), ...after.keys()])];
  const z = normalQuantile(1 - level / Math.max(1, names.length)); // Bonferroni: functions of one stack depend on each other
  const all = names.map((name): ProfileGrowth => {
    const [x, y] = [before.get(name)?.total ?? 0, after.get(name)?.total ?? 0];
    return { name, baseline: x / n, canary: y / m, ...differenceOf({ x, n, y, m, z }) };
  });
  const grown = all
    .filter((each) => each.least > 0 && each.canary - each.baseline > margin)
    .sort((a, b) => b.canary - b.baseline - (a.canary - a.baseline));
  const unseen = differenceOf({ x: 0, n, y: 0, m, z }).most;
  const most = all.reduce((largest, each) => Math.max(largest, each.most), unseen);
  return { verdict: grown.length > 0 ? 'Failed' : most < margin ? 'Passed' : 'Inconclusive', grown, most };
}

/** Newcombe's interval of a difference of proportions, from Wilson's of each (Statistics in Medicine 17, 1998, method 10). */
function differenceOf(of: { x: number; n: number; y: number; m: number; z: number }) {
  const a = wilson(of.x, of.n, of.z);
  const b = wilson(of.y, of.m, of.z);
  const difference = b.share - a.share;
  return {
    least: difference - Math.hypot(b.share - b.least, a.most - a.share),
    most: difference + Math.hypot(b.most - b.share, a.share - a.least),
  };
}

function wilson(count: number, of: number, z: number) {
  const share = count / of;
  const middle = share + z ** 2 / (2 * of);
  const half = z * Math.sqrt((share * (1 - share)) / of + z ** 2 / (4 * of ** 2));
  const scale = 1 + z ** 2 / of;
  return { share, least: Math.max(0, (middle - half) / scale), most: Math.min(1, (middle + half) / scale) };
}
