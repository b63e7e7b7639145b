/** The figures of bench/results/detect-real.json out of what was judged. */
import type { CanaryOutcome } from './canary-gate.ts';
import type { Judged } from './judge.ts';
import type { LiveVerdict } from './live-verdicts.ts';

type Run = CanaryOutcome | LiveVerdict;

export function summaryOf(judged: readonly Judged[]) {
  const all = <T>(of: (canaries: Judged['canaries']) => readonly T[]): T[] =>
    judged.flatMap(({ canaries }) => of(canaries));
  const restarted = all(({ restarted: runs }) => runs);
  const restartedLive = all(({ restartedLive: runs }) => runs);
  const replayed = all(({ codec }) => codec);
  const live = all(({ codecLive }) => codecLive);
  const ofTwo = all(({ codecOfTwo }) => codecOfTwo);
  return {
    placebo: judged.flatMap(({ jdk, placebo }) => placebo.map((run) => ({ jdk, ...run }))),
    restarted: { ...countsOf(restarted), live: countsOf(restartedLive) },
    codec12ms: {
      live: live.length,
      replayed: replayed.length,
      failedLive: failedOf(live).length,
      failedReplayed: failedOf(replayed).length,
      passed: [...live, ...replayed].filter(({ verdict }) => verdict === 'Passed').length,
      // Of all runs, those that never failed among them.
      medianS: failedWithin(0.5, [...live, ...replayed]),
      p95S: failedWithin(0.95, [...live, ...replayed]),
      // Of the failed ones.
      top3: partOf(failedOf([...live, ...replayed]), namesCodecIn(3)),
      top1: partOf(failedOf([...live, ...replayed]), namesCodecIn(1)),
      ofTwoPods: { ...countsOf(ofTwo), medianS: failedWithin(0.5, ofTwo), p95S: failedWithin(0.95, ofTwo) },
      runs: [...live.map(described('live')), ...replayed.map(described('replayed'))],
    },
    noise: judged.map(({ jdk, noise }) => ({ jdk, ...noise })),
    recordings: judged.map(({ jdk, release, minutes, baselinePods, about }) => ({
      ...{ jdk, release, minutes, baselinePods, about },
    })),
  };
}

const failedOf = (runs: readonly Run[]): Run[] => runs.filter(({ verdict }) => verdict === 'Failed');

const countsOf = (runs: readonly Run[]) => ({
  runs: runs.length,
  failed: failedOf(runs).length,
  passed: runs.filter(({ verdict }) => verdict === 'Passed').length,
});

const namesCodecIn =
  (places: number) =>
  ({ codecPlace }: Run): boolean =>
    codecPlace > 0 && codecPlace <= places;

const partOf = (runs: readonly Run[], has: (run: Run) => boolean): number | null =>
  runs.length === 0 ? null : runs.filter(has).length / runs.length;

/** Second by which this part of all runs had failed; null where they never were so many. */
function failedWithin(part: number, runs: readonly Run[]): number | null {
  const times = failedOf(runs)
    .flatMap(({ afterS }) => afterS ?? [])
    .sort((a, b) => a - b);
  return runs.length === 0 ? null : (times[Math.ceil(part * runs.length) - 1] ?? null);
}

const described =
  (how: 'live' | 'replayed') =>
  ({ verdict, afterS, by, codecPlace }: Run) => ({ how, verdict, afterS: afterS ?? null, by, codecPlace });
