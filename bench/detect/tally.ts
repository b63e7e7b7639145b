/** What became of a cell's gates; sums only, so that runs may be put together. */
import type { GateOutcome } from './gate-outcome.ts';

export interface Tally {
  runs: number;
  failed: number;
  passed: number;
  /** By the check that failed the gate. */
  readonly by: Record<string, number>;
  /** Gates by the second of the gate at which they failed. */
  readonly failedAtS: Record<string, number>;
  /** Gates by what else was seen of them. */
  readonly marks: Record<string, number>;
  /** Sum of the growths that gates said they would have seen. */
  detectable: number;
  cpuMs: number;
  looks: number;
  /** Gates by the second of the gate at which they passed; and by what they had foretold. */
  readonly passedAtS: Record<string, number>;
  readonly provesS: Record<string, number>;
  readonly passesS: Record<string, number>;
}

export const emptyTally = (): Tally => ({
  ...{ runs: 0, failed: 0, passed: 0, detectable: 0, cpuMs: 0, looks: 0 },
  by: {},
  failedAtS: {},
  marks: {},
  ...{ passedAtS: {}, provesS: {}, passesS: {} },
});

export function addOutcome(
  tally: Tally,
  { failedAtS, passedAtS, by, marks, detectable, looks, foretoldS }: GateOutcome,
): void {
  tally.runs += 1;
  tally.looks += looks;
  tally.detectable += detectable ?? 0;
  for (const mark of marks ?? []) raise(tally.marks, mark, 1);
  if (foretoldS !== undefined) raise(tally.provesS, String(foretoldS.proves), 1);
  if (foretoldS !== undefined) raise(tally.passesS, String(foretoldS.passes), 1);
  if (passedAtS !== undefined) {
    tally.passed += 1;
    raise(tally.passedAtS, String(passedAtS), 1);
  }
  if (failedAtS === undefined) return;
  tally.failed += 1;
  raise(tally.failedAtS, String(failedAtS), 1);
  raise(tally.by, by ?? '', 1);
}

export function addTally(sum: Tally, part: Tally): void {
  sum.runs += part.runs;
  sum.failed += part.failed;
  sum.passed += part.passed;
  sum.detectable += part.detectable;
  sum.cpuMs += part.cpuMs;
  sum.looks += part.looks;
  for (const [key, count] of Object.entries(part.by)) raise(sum.by, key, count);
  for (const [key, count] of Object.entries(part.marks)) raise(sum.marks, key, count);
  for (const times of ['failedAtS', 'passedAtS', 'provesS', 'passesS'] as const) {
    for (const [key, count] of Object.entries(part[times])) raise(sum[times], key, count);
  }
}

function raise(counts: Record<string, number>, key: string, by: number): void {
  counts[key] = (counts[key] ?? 0) + by;
}

/** Second by which this part of ALL gates had failed, those that never did among them; null where they never were so many. */
export const failedWithin = (part: number, { runs, failedAtS }: Tally): number | null =>
  quantileOf(part, failedAtS, runs);

/** By how much the median time foretold is off, as a factor of at least 1; null where half were never decided so. */
export function foretoldRatio({ runs, ...tally }: Tally, what: 'failedAtS' | 'passedAtS'): number | null {
  const seen = quantileOf(0.5, tally[what], runs);
  const foretold = quantileOf(0.5, what === 'failedAtS' ? tally.provesS : tally.passesS, runs);
  return seen === null || foretold === null ? null : Math.max(seen / foretold, foretold / seen);
}

function quantileOf(part: number, counts: Readonly<Record<string, number>>, runs: number): number | null {
  const times = Object.entries(counts).sort(([a], [b]) => Number(a) - Number(b));
  let before = 0;
  for (const [second, count] of times) {
    before += count;
    if (before >= part * runs) return Number(second);
  }
  return null;
}

/** Part of all gates that had failed by this second. */
export function failedBy(second: number, { runs, failedAtS }: Tally): number {
  const early = Object.entries(failedAtS).filter(([at]) => Number(at) <= second);
  return early.reduce((sum, [, count]) => sum + count, 0) / runs;
}
