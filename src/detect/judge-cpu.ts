import { advance, judgementOf, openCpuEvaluation } from './cpu-evaluation.ts';
import { type ArmWindows, planLooks } from './looks.ts';
import type { CpuJudgement, CpuSettings } from './verdict.ts';

export interface CpuInput extends ArmWindows {
  readonly settings: CpuSettings;
  readonly startedAtMs: number;
  readonly nowMs: number;
}

/**
 * Judges whether a function of the canary costs more CPU than the margin allows. A pure function of closed
 * windows, in any order: it looks at every block of the evaluation up to `nowMs` and stops at the first look that
 * decides, so a Failed or Passed once given stays what later windows say.
 */
export function judgeCpu(input: CpuInput): CpuJudgement {
  const { settings, startedAtMs, nowMs } = input;
  const { deadlineMs, warmUpMs } = settings;
  const evaluation = openCpuEvaluation(settings, startedAtMs);
  for (const block of planLooks(input, { startedAtMs, deadlineMs, warmUpMs }, nowMs))
    advance(evaluation, block);
  return judgementOf(evaluation, nowMs, input.canary.length + input.baseline.length > 0);
}
