/** The figures of bench/results/detect.json out of tallies. */
import { CELLS } from './cells.ts';
import type { JudgeCost } from './judge-cost.ts';
import type { Tallies } from './progress.ts';
import { failedBy, failedWithin, type Tally } from './tally.ts';

export function summaryOf(tallies: Tallies, cost?: JudgeCost) {
  const of = (kind: string): (readonly [string, Tally])[] =>
    CELLS.filter((each) => each.kind === kind).flatMap(({ name }) => {
      const tally = tallies[name];
      return tally === undefined ? [] : [[name, tally] as const];
    });
  const looks = Object.values(tallies).reduce((sum, tally) => sum + tally.looks, 0);
  const cpuMs = Object.values(tallies).reduce((sum, tally) => sum + tally.cpuMs, 0);
  const line = (name: string) => powerOf(tallies[name]);
  return {
    noise: null, // there is none to measure: everything here is drawn from seeds
    microsPerLook: looks === 0 ? null : round((1_000 * cpuMs) / looks),
    nulls: of('null').map(harmlessLine),
    otherNulls: of('otherNull').map(harmlessLine),
    effects: of('effect').map(([name, tally]) => ({ cell: name, ...powerOf(tally) })),
    p99at1000: line('+12ms 1000/s sd=3%'),
    p99at200: line('+12ms 200/s sd=3%'),
    p99onset8min: line('+12ms from 8 min 1000/s sd=3%'),
    true2ms: line('+2ms 1000/s sd=3%'),
    improvement10: line('-10% 1000/s sd=3%'),
    fullEngine: of('full').map(([name, tally]) => ({ cell: name, ...powerOf(tally) })),
    ...{ harmless: null, renameWithRegression: null },
    functionNull: line('CPU null'),
    function1pp: within(600, tallies['CPU +1% of a function']),
    function3pp: within(180, tallies['CPU +3% of a function']),
    newPath1pp: within(180, tallies['CPU new path 1%']),
    newPath2pp: within(180, tallies['CPU new path 2%']),
    top1: markedShare('top1', of('cpu')),
    top3: markedShare('top3', of('cpu')),
    coverage: markedShare('covered', of('cpu')),
    ...{ predictedTimeRatio: null, detectableErrorShare: null },
    judgeMs: cost === undefined ? null : round(cost.judgeMs),
    rssMb: cost === undefined ? null : round(cost.rssMb),
    judgeHourMs: cost === undefined ? null : round(cost.hourMs),
  };
}

const harmlessLine = ([cell, { runs, failed, passed, by }]: readonly [string, Tally]) => ({
  ...{ cell, runs, failed, passed, by },
});

/** With the part of gates that had failed by a second of the gate. */
function within(second: number, tally: Tally | undefined) {
  if (tally === undefined) return null;
  return { ...powerOf(tally), withinS: second, powerWithin: round(failedBy(second, tally)) };
}

/** Of the canaries with a costlier function that were failed. */
function markedShare(mark: string, tallies: readonly (readonly [string, Tally])[]): number | null {
  const changed = tallies.filter(([name]) => name !== 'CPU null').map(([, tally]) => tally);
  const failed = changed.reduce((sum, tally) => sum + tally.failed, 0);
  const marked = changed.reduce((sum, { marks }) => sum + (marks[mark] ?? 0), 0);
  return failed === 0 ? null : round(marked / failed);
}

function powerOf(tally: Tally | undefined) {
  if (tally === undefined) return null;
  const { runs, failed, passed } = tally;
  return {
    runs,
    failed,
    power: round(failed / runs),
    medianS: failedWithin(0.5, tally),
    p95S: failedWithin(0.95, tally),
    passedShare: round(passed / runs),
  };
}

const round = (value: number): number => Number(value.toFixed(4));
