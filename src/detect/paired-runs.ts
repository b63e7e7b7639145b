/**
 * Two builds on one machine, started in turn round by round: which functions of the canary take more CPU, beyond what starts of one
 * build differ by. Judged after each round; the chance that two equal builds are ever called Failed is spent over all looks, half of it
 * at the last one, which knows the most.
 */
import { callersOf, deepestExplaining, nameInStacks, type StackDeltas } from './attribution.ts';
import { studentQuantile } from './quantiles.ts';
import {
  type CountedPair,
  type CountedRun,
  type CountedRuns,
  countRuns,
  type RunPair,
} from './run-counts.ts';
import { mean, type RunSpread, runSpreads, varianceOf } from './run-spread.ts';
import { functionOf, nodeIsTotal, totalNode } from './stack-index.ts';

export interface RunGrowth {
  readonly name: string;
  /** Who calls it on its commonest stack, nearest first. */
  readonly callers: readonly string[];
  /** Mean shares of named code, with callees, 0 to 1. */
  readonly baseline: number;
  readonly canary: number;
  /** Of the difference; `least` for all functions and all looks together. */
  readonly least: number;
  readonly most: number;
}

export interface RunsJudgement {
  readonly verdict: 'Passed' | 'Failed' | 'Inconclusive';
  readonly rounds: number;
  /** The deepest functions that hold a proven growth beyond the margin, the largest first. */
  readonly grown: readonly RunGrowth[];
  /** What a function could have grown by at most, and which. 1 while there are too few rounds. */
  readonly most: { readonly growth: number; readonly name: string };
  /** Samples of named code. */
  readonly samples: { readonly baseline: number; readonly canary: number };
}

export interface RunsOptions {
  /** Growth of a function that is a regression: a share of named code. */
  readonly margin: number;
  /** Chance that two equal builds are ever called Failed. */
  readonly falseFailures: number;
  /** There is no time for another round. It must not be known from what the rounds before found. */
  readonly isLast: boolean;
}

/** With fewer, two starts that happened to compile alike would pass for a build. */
export const LEAST_ROUNDS = 4;
/** Chance that a function which has grown by the margin is passed. */
const MISSED = 0.05;
const LEAST_SAMPLES = 10; // of a function, all runs together: below it nothing can be proven
const MOST_CALLERS = 3;

/** `pairs` in the order they were run. */
export function judgeRuns(
  pairs: readonly RunPair[],
  { margin, falseFailures, isLast }: RunsOptions,
): RunsJudgement {
  const runs = countRuns(pairs);
  const samples = { baseline: namedOf(runs, 'baseline'), canary: namedOf(runs, 'canary') };
  const look = pairs.length - LEAST_ROUNDS + 1;
  const isEmpty = runs.pairs.some(({ baseline, canary }) => baseline.named === 0 || canary.named === 0);
  const open = { rounds: pairs.length, grown: [], samples, most: { growth: 1, name: '' } };
  if (look < 1 || isEmpty) return { verdict: 'Inconclusive', ...open };

  const totals = [...new Set(runs.pairs.flatMap(nodesOf))].filter(nodeIsTotal);
  const spreads = runSpreads(runs.pairs, totals);
  const part = spentPart(look, isLast);
  const evidence = { runs, spreads, spent: falseFailures * part, margin };
  const grown = named(evidence, grownNodes(evidence));
  const most = mostGrowth(evidence, MISSED * part);
  const verdict = grown.length > 0 ? 'Failed' : most.growth < margin ? 'Passed' : 'Inconclusive';
  return { verdict, rounds: pairs.length, grown, most, samples };
}

/**
 * What a look, counted from 1, may spend of an error. One half goes over all looks that may come (1/2 + 1/6 + 1/12 + … of it). The last
 * look has the other, and what was kept of the first for looks that will not be.
 */
const spentPart = (look: number, isLast: boolean): number =>
  isLast ? 0.5 + 0.5 / look : 0.5 / (look * (look + 1));

interface Evidence {
  readonly runs: CountedRuns;
  readonly spreads: readonly RunSpread[];
  readonly spent: number;
  readonly margin: number;
}

const nodesOf = ({ baseline, canary }: CountedPair): readonly number[] => [
  ...baseline.counts.keys(),
  ...canary.counts.keys(),
];

const namedOf = ({ pairs }: CountedRuns, arm: 'baseline' | 'canary'): number =>
  pairs.reduce((sum, pair) => sum + pair[arm].named, 0);

/**
 * Proven, by Student's t for each function and Bonferroni over them: they share stacks, so nothing sharper is safe. Who may be
 * among them is chosen by both builds together, which says nothing of their difference; functions on just the same stacks
 * are one question.
 */
function grownNodes(evidence: Evidence): readonly RunSpread[] {
  const { runs, spreads, spent, margin } = evidence;
  const asked = spreads.filter(
    ({ node, share }) => share >= margin / 2 && countOf(runs, node) >= LEAST_SAMPLES,
  );
  const questions = new Set(asked.map(({ node }) => countsText(runs.pairs, node))).size;
  return asked.filter((each) => {
    const least = each.difference - halfWidth(each, runs.pairs.length, spent / Math.max(1, questions));
    return least > 0 && each.difference > margin && costsMore(each, evidence);
  });
}

const halfWidth = ({ variance, degreesOfFreedom }: RunSpread, rounds: number, level: number): number =>
  studentQuantile(1 - level, degreesOfFreedom) * Math.sqrt(variance / rounds);

const countOf = ({ pairs }: CountedRuns, node: number): number =>
  pairs.reduce(
    (sum, { baseline, canary }) => sum + (baseline.counts.get(node) ?? 0) + (canary.counts.get(node) ?? 0),
    0,
  );

const countsText = (pairs: readonly CountedPair[], node: number): string =>
  pairs.map(({ baseline, canary }) => `${baseline.counts.get(node)} ${canary.counts.get(node)}`).join();

/**
 * A share also grows when the rest shrinks: the canary may have become cheaper elsewhere. So its samples a second have to have grown
 * too, beyond what the whole process strays by from round to round. At a constant load they are what it costs.
 */
function costsMore(spread: RunSpread, { runs: { pairs }, spent }: Evidence): boolean {
  const rateOf = ({ counts, seconds }: CountedRun) => (counts.get(spread.node) ?? 0) / seconds;
  const rates = pairs.map(({ baseline, canary }) => ({ before: rateOf(baseline), after: rateOf(canary) }));
  const growth = mean(rates.map(({ before, after }) => after - before));
  const rate = mean(rates.flatMap(({ before, after }) => [before, after]));
  const sampling = mean(
    pairs.map(
      ({ baseline, canary }) => rateOf(baseline) / baseline.seconds + rateOf(canary) / canary.seconds,
    ),
  );
  const speeds = pairs.map(({ baseline, canary }) =>
    Math.log((canary.named / canary.seconds) * (baseline.seconds / baseline.named)),
  );
  const variance = sampling + rate ** 2 * (varianceOf(speeds) + 2 * spread.relativeVariance);
  return growth > studentQuantile(1 - spent, pairs.length - 1) * Math.sqrt(variance / pairs.length);
}

/** A function passes wrongly only if its own bound is wrong: no correction for their number. */
function mostGrowth({ runs, spreads }: Evidence, level: number): RunsJudgement['most'] {
  const rounds = runs.pairs.length;
  const unseen = -Math.log(level) / Math.min(namedOf(runs, 'baseline'), namedOf(runs, 'canary'));
  let found = { growth: unseen, node: -1 };
  for (const spread of spreads) {
    const growth = spread.difference + halfWidth(spread, rounds, level);
    if (growth > found.growth) found = { growth, node: spread.node };
  }
  const name = found.node < 0 ? '' : (runs.index.functions[functionOf(found.node)] ?? '');
  return { growth: found.growth, name };
}

/** Each growth by the deepest function that holds it; what callers gain from the same one is not told again. */
function named(evidence: Evidence, grown: readonly RunSpread[]): readonly RunGrowth[] {
  const { runs, spreads, spent } = evidence;
  const { index, pairs } = runs;
  const deltas = stackDeltasOf(runs);
  const found = new Map<number, RunGrowth>();
  for (const { node } of [...grown].sort((a, b) => b.difference - a.difference)) {
    const functionId = functionOf(deepestExplaining(node, deltas));
    const total = totalNode(functionId);
    const spread = spreads.find((each) => each.node === total);
    if (spread === undefined || found.has(functionId)) continue;
    const half = halfWidth(spread, pairs.length, spent / grown.length);
    const callers = callersOf(total, index, deltas.canaryCounts).slice(0, MOST_CALLERS);
    found.set(functionId, {
      name: nameInStacks(total, index, deltas.canaryCounts),
      callers: callers.map((id) => index.functions[id] ?? ''),
      baseline: spread.share - spread.difference / 2,
      canary: spread.share + spread.difference / 2,
      least: spread.difference - half,
      most: spread.difference + half,
    });
  }
  return [...found.values()].sort((a, b) => b.canary - b.baseline - (a.canary - a.baseline));
}

function stackDeltasOf({ index, pairs }: CountedRuns): StackDeltas {
  const deltas = new Float64Array(index.stacks.length);
  const canaryCounts = new Float64Array(index.stacks.length);
  const add = ({ stackCounts, named }: CountedRun, sign: number) => {
    for (const [id, count] of stackCounts) {
      deltas[id] = (deltas[id] ?? 0) + (sign * count) / named / pairs.length;
      if (sign > 0) canaryCounts[id] = (canaryCounts[id] ?? 0) + count;
    }
  };
  for (const { baseline, canary } of pairs) {
    add(baseline, -1);
    add(canary, 1);
  }
  return { index, deltas, canaryCounts };
}
