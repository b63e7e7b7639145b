/** The functions that take most of a profile's CPU, as a table for the terminal. Pure. */
import { foldingOf } from '../profile/folding.ts';
import { functionCounts } from '../profile/function-counts.ts';
import { type StackCount, totalCount } from '../profile/stack-counts.ts';
import { textTable } from './text-table.ts';
import { visible } from './visible.ts';

/** Of folded stacks, as reports have them; the largest of self first. */
export function functionsText(stacks: readonly StackCount[], mostRows: number): string {
  const folded = stacks.map(foldingOf(stacks).fold);
  const all = Math.max(1, totalCount(folded));
  const share = (count: number) => `${((100 * count) / all).toFixed(1)}%`;
  const rows = [...functionCounts(folded)]
    .sort(([a, x], [b, y]) => y.self - x.self || y.total - x.total || (a < b ? -1 : 1))
    .slice(0, mostRows)
    .map(([name, { self, total }]) => [share(self), share(total), visible(name)]);
  return `${textTable([['SELF', 'WITH CALLEES', 'FUNCTION'], ...rows]).join('\n')}\n`;
}
