import { advanceGate, type GateSettings, gateJudgement, openGateEvaluation } from './gate-evaluation.ts';
import { type ArmWindows, planLooks } from './looks.ts';
import type { PodWindow } from './pod-window.ts';
import type { GateJudgement } from './verdict.ts';

export interface GateInput extends ArmWindows {
  readonly settings: GateSettings;
  readonly startedAtMs: number;
  readonly nowMs: number;
  readonly history?: readonly PodWindow[];
}

/** What a gate says of closed windows, in any order: a pure function, as judgeCpu is of CPU alone. */
export function judgeGate(input: GateInput): GateJudgement {
  const { settings, startedAtMs, nowMs, history } = input;
  const { deadlineMs, warmUpMs } = settings;
  const evaluation = openGateEvaluation(settings, startedAtMs, history);
  for (const block of planLooks(input, { startedAtMs, deadlineMs, warmUpMs }, nowMs))
    advanceGate(evaluation, block);
  return gateJudgement(evaluation, nowMs, input.canary.length + input.baseline.length > 0);
}
