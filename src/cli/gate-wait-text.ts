/** A revision's verdict for a log: one sentence, and what a script acts on. Pure. */
import type { RevisionVerdict } from '../crds/revision-verdict.ts';
import { visible } from './visible.ts';

/** 0 passed, 1 a regression, 3 neither proven, or not decided in the time that was waited. */
export function exitCodeOf({ verdict }: RevisionVerdict, inconclusive: 'fail' | 'pass'): number {
  switch (verdict) {
    case 'Passed':
      return 0;
    case 'Failed':
      return 1;
    case 'Inconclusive':
      return inconclusive === 'pass' ? 0 : 3;
    case 'Pending':
      return 3;
  }
}

export function verdictText(
  answer: RevisionVerdict,
  { format }: { readonly format: 'text' | 'json' },
): string {
  if (format === 'json') return `${JSON.stringify(answer)}\n`;
  const { gate, canary, baseline, verdict, message, report } = answer;
  const against = baseline === undefined ? '' : ` against ${baseline}`;
  const where = report === undefined ? '' : ` (flamegate report ${gate.split('/')[0]}/${report})`;
  return `${visible(`${gate}, canary ${canary}${against}: ${verdict}: ${message}${where}`)}\n`;
}
