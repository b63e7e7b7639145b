/** The figures of bench/results/detect.json out of tallies. */
import { CELLS } from './cells.ts';
import type { JudgeCost } from './judge-cost.ts';
import type { Tallies } from './progress.ts';
import { failedBy, failedWithin, foretoldRatio, type Tally } from './tally.ts';

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
    numbers: of('numbers').map(numbersLine),
    p99at1000: line('+12ms 1000/s sd=3%'),
    p99at200: line('+12ms 200/s sd=3%'),
    p99onset8min: line('+12ms from 8 min 1000/s sd=3%'),
    true2ms: line('+2ms 1000/s sd=3%'),
    improvement10: line('-10% 1000/s sd=3%'),
    fullEngine: of('full').map(([name, tally]) => ({ cell: name, ...powerOf(tally) })),
    harmless: of('harmless').map(([kind, tally]) => ({
      kind: kind.replace(/^harmless: /, ''),
      runs: tally.runs,
      falseFailedShare: round(tally.failed / tally.runs),
      labelledShare: round((tally.marks['labelled'] ?? 0) / tally.runs),
    })),
    renameWithRegression: of('renameWithRegression').map(([cell, tally]) => ({ cell, ...powerOf(tally) })),
    functionNull: line('CPU null'),
    function1pp: within(600, tallies['CPU +1% of a function']),
    function3pp: within(180, tallies['CPU +3% of a function']),
    newPath1pp: within(180, tallies['CPU new path 1%']),
    newPath2pp: within(180, tallies['CPU new path 2%']),
    top1: markedShare('top1', of('cpu')),
    top3: markedShare('top3', of('cpu')),
    coverage: markedShare('covered', of('cpu')),
    predictedTimes: predictedTimes(tallies),
    predictedTimeRatio: worst(predictedTimes(tallies).map(({ ratio }) => ratio)),
    detectableErrorShare: errorShare(of('foretold')),
    judgeMs: cost === undefined ? null : round(cost.judgeMs),
    rssMb: cost === undefined ? null : round(cost.rssMb),
    judgeHourMs: cost === undefined ? null : round(cost.hourMs),
  };
}

const harmlessLine = ([cell, { runs, failed, passed, by }]: readonly [string, Tally]) => ({
  ...{ cell, runs, failed, passed, by },
});

/** Of latency: how often intervals held the truth, at all looks that may pass and at the last; what was said to be seen, and how much was. */
function numbersLine([cell, { runs, marks, detectable }]: readonly [string, Tally]) {
  const part = (mark: string): number => round((marks[mark] ?? 0) / runs);
  return {
    ...{ cell, runs, covered: part('covered'), coveredAtEnd: part('coveredAtEnd') },
    ...{ detectable: round(Math.expm1(detectable / runs)), provenBy600s: part('proven') },
  };
}

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

/** Of canaries that are asked early: by how much the median time they foretell is off that of their verdicts. */
function predictedTimes(tallies: Tallies) {
  return CELLS.flatMap((cell) => {
    const tally = tallies[cell.name];
    if (cell.kind !== 'foretold' || cell.ends === undefined || tally === undefined) return [];
    const ratio = foretoldRatio(tally, cell.ends);
    return [{ cell: cell.name, runs: tally.runs, ratio: ratio === null ? null : round(ratio) }];
  });
}

const worst = (ratios: readonly (number | null)[]): number | null =>
  ratios.length === 0 || ratios.includes(null) ? null : Math.max(...ratios.map(Number));

/** Part of the gates that came to their deadline with another detectable growth than foretold, by more than 30 %. */
function errorShare(tallies: readonly (readonly [string, Tally])[]): number | null {
  const sum = (mark: string): number => tallies.reduce((all, [, { marks }]) => all + (marks[mark] ?? 0), 0);
  const foretold = sum('foretoldDetectable');
  return foretold === 0 ? null : round(1 - sum('closeDetectable') / foretold);
}

const round = (value: number): number => Number(value.toFixed(4));
