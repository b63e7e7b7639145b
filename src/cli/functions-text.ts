/** The functions that take most of a profile's CPU, for the terminal and for scripts. Pure. */
import { foldingOf } from '../profile/folding.ts';
import { functionCounts } from '../profile/function-counts.ts';
import { type StackCount, totalCount } from '../profile/stack-counts.ts';
import { textTable } from './text-table.ts';
import { visible } from './visible.ts';

export interface FunctionRow {
  readonly function: string;
  /** Of all samples. */
  readonly selfPercent: number;
  readonly withCalleesPercent: number;
}

/** Of folded stacks, as reports have them; the largest of self first. */
export function functionRows(stacks: readonly StackCount[], mostRows: number): readonly FunctionRow[] {
  const folded = stacks.map(foldingOf(stacks).fold);
  const all = Math.max(1, totalCount(folded));
  const percent = (count: number) => Number(((100 * count) / all).toFixed(1));
  return [...functionCounts(folded)]
    .sort(([a, x], [b, y]) => y.self - x.self || y.total - x.total || (a < b ? -1 : 1))
    .slice(0, mostRows)
    .map(([name, { self, total }]) => ({
      ...{ function: name, selfPercent: percent(self), withCalleesPercent: percent(total) },
    }));
}

export function functionsText(stacks: readonly StackCount[], mostRows: number): string {
  const rows = functionRows(stacks, mostRows).map(({ function: name, selfPercent, withCalleesPercent }) => [
    `${selfPercent.toFixed(1)}%`,
    `${withCalleesPercent.toFixed(1)}%`,
    visible(name),
  ]);
  return `${textTable([['SELF', 'WITH CALLEES', 'FUNCTION'], ...rows]).join('\n')}\n`;
}
