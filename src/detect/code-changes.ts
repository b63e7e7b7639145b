/** What changed in the code, or in how much is collected, without costing more: each a flag with a sentence. */
import { collectsMore } from './collector-cost.ts';
import type { Finding } from './culprits.ts';
import type { LookContext } from './node-evidence.ts';
import { isRenumbered } from './renumbered.ts';
import type { StackIndex } from './stack-index.ts';
import type { Arms } from './tally.ts';
import type { CodeChange, DataFlag } from './verdict.ts';

const SENTENCES: Readonly<Record<Exclude<CodeChange, 'Renumbered'>, string>> = {
  Renamed: 'what one function cost in the baseline costs another in the canary, as after a rename',
  InliningChanged:
    'the JIT inlines other methods in the canary: stacks without them cost the same in both arms',
  CostMoved: 'what some functions gained others lost',
};

export interface ChangedCode {
  readonly findings: readonly Finding[];
  readonly index: StackIndex;
  readonly context: LookContext | undefined;
  readonly arms: Arms;
  readonly margin: number;
}

export function codeChanges({ findings, index, context, arms, margin }: ChangedCode): DataFlag[] {
  const seen = new Set(findings.map(({ moved }) => moved?.change));
  const flags: DataFlag[] = (['Renamed', 'InliningChanged', 'CostMoved'] as const)
    .filter((change) => seen.has(change))
    .map((flag) => ({ flag, message: SENTENCES[flag] }));
  if (context !== undefined && isRenumbered(index, context)) {
    const message =
      'compilers number lambdas or anonymous classes otherwise in the canary; they are compared as one';
    flags.push({ flag: 'Renumbered', message });
  }
  if (collectsMore(arms.canary.collector, arms.baseline.collector, margin)) {
    const message =
      "the canary's garbage collector takes a larger share of its CPU, which is no function's cost";
    flags.push({ flag: 'GarbageCollection', message });
  }
  return flags;
}
