/** Every function's samples in both profiles, its own and with its callees: the table beside the picture. */
import type { Numbering } from './diff.ts';
import { functionCounts } from './function-counts.ts';
import { type StackCount, totalCount } from './stack-counts.ts';

/** Columns of equal length; `name` is an index into the page's names. */
export interface FunctionTable {
  readonly name: readonly number[];
  readonly baselineSelf: readonly number[];
  readonly canarySelf: readonly number[];
  readonly baselineTotal: readonly number[];
  readonly canaryTotal: readonly number[];
  /** Functions that are left out: none of them changed by as much, or takes as much, as those that are there. */
  readonly others: number;
}

const MOST_BY_EACH = 200;

interface Row {
  readonly name: string;
  readonly counts: readonly [number, number, number, number];
  readonly selfChange: number;
  readonly totalChange: number;
  readonly size: number;
}

/** Those that changed or take most, by share, the largest change of self first. */
export function functionTable(
  baseline: readonly StackCount[],
  canary: readonly StackCount[],
  names: Numbering,
): FunctionTable {
  const rows = rowsOf(baseline, canary);
  const chosen = new Set(
    (['selfChange', 'totalChange', 'size'] as const).flatMap((by) =>
      rows.toSorted((a, b) => b[by] - a[by] || (a.name < b.name ? -1 : 1)).slice(0, MOST_BY_EACH),
    ),
  );
  const shown = [...chosen].sort(
    (a, b) => b.selfChange - a.selfChange || b.totalChange - a.totalChange || (a.name < b.name ? -1 : 1),
  );
  return {
    name: shown.map(({ name }) => names.of(name)),
    baselineSelf: shown.map(({ counts }) => counts[0]),
    canarySelf: shown.map(({ counts }) => counts[1]),
    baselineTotal: shown.map(({ counts }) => counts[2]),
    canaryTotal: shown.map(({ counts }) => counts[3]),
    others: rows.length - shown.length,
  };
}

function rowsOf(baseline: readonly StackCount[], canary: readonly StackCount[]): readonly Row[] {
  const before = functionCounts(baseline);
  const after = functionCounts(canary);
  const all = [Math.max(1, totalCount(baseline)), Math.max(1, totalCount(canary))] as const;
  return [...new Set([...before.keys(), ...after.keys()])].map((name) => {
    const [was, is] = [before.get(name), after.get(name)];
    const counts = [was?.self ?? 0, is?.self ?? 0, was?.total ?? 0, is?.total ?? 0] as const;
    const [selfBefore, selfAfter] = [counts[0] / all[0], counts[1] / all[1]];
    const [totalBefore, totalAfter] = [counts[2] / all[0], counts[3] / all[1]];
    return {
      ...{ name, counts },
      selfChange: Math.abs(selfAfter - selfBefore),
      totalChange: Math.abs(totalAfter - totalBefore),
      size: Math.max(totalBefore, totalAfter),
    };
  });
}
