/** Samples and waits of one window with their moments, as requests are found for them. */
import type { SampleMoment, SampleRow } from '../native/sample-rows.ts';
import { isServing, threadUseOf } from '../profile/serving.ts';
import type { TimedSample } from './container-served.ts';
import type { NamedFrame } from './window-names.ts';

/** What a row says, named; undefined where it is of no interest. */
export type NamedRow = (row: SampleRow) => readonly NamedFrame[] | undefined;

/** By target: whose they are is known by that. */
export function momentsByTarget(
  moments: readonly SampleMoment[] | undefined,
): ReadonlyMap<bigint, readonly SampleMoment[]> {
  return Map.groupBy(moments ?? [], ({ row }) => row.target);
}

export function timedSamples(
  moments: readonly SampleMoment[],
  kind: TimedSample['kind'],
  nameOf: NamedRow,
): readonly TimedSample[] {
  const known = new Map<SampleRow, Pick<TimedSample, 'frames' | 'use' | 'isServing'> | undefined>();
  const told = (row: SampleRow) => {
    if (known.has(row)) return known.get(row);
    const frames = nameOf(row);
    const names = frames?.map(({ name }) => name);
    const facts = frames && names && { frames, use: threadUseOf(names), isServing: isServing(names) };
    known.set(row, facts);
    return facts;
  };
  return moments.flatMap(({ row, thread, atNs, weight }) => {
    const facts = told(row);
    if (!facts) return [];
    return [{ process: row.pid, thread, atNs, kind, weight: kind === 'samples' ? 1 : weight, ...facts }];
  });
}
