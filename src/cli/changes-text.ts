/** The functions whose share of CPU differs most between two profiles, as a table for the terminal. Pure. */
import { functionChanges } from '../profile/function-changes.ts';
import type { StackCount } from '../profile/stack-counts.ts';
import { textTable } from './text-table.ts';
import { visible } from './visible.ts';

const MOST_ROWS = 10;

/** "" where no function differs. Names come last: they are long and never cut. */
export function changesText(profiles: {
  readonly baseline: readonly StackCount[];
  readonly canary: readonly StackCount[];
}): string {
  const rows = functionChanges(profiles.baseline, profiles.canary)
    .slice(0, MOST_ROWS)
    .map(({ name, baselineSelf, canarySelf, baselineTotal, canaryTotal }) => [
      percent(baselineSelf),
      percent(canarySelf),
      points(canarySelf - baselineSelf),
      points(canaryTotal - baselineTotal),
      visible(name),
    ])
    .filter(([, , self, total]) => self !== NOTHING || total !== NOTHING);
  if (rows.length === 0) return '';
  const header = ['SELF, BASELINE', 'SELF, CANARY', 'CHANGE', 'WITH CALLEES', 'FUNCTION'];
  return `\n${textTable([header, ...rows]).join('\n')}\n`;
}

const NOTHING = '0.00';

export const percent = (share: number): string => `${(share * 100).toFixed(2)}%`;

/** In percentage points. */
function points(delta: number): string {
  const digits = (delta * 100).toFixed(2);
  return Number(digits) === 0 ? NOTHING : `${delta > 0 ? '+' : ''}${digits}`;
}
