/** What a judgement says besides its verdict: what it may cost in false failures, and what an undecided one lacked. */
import type { GateEvaluation } from './gate-evaluation.ts';
import { COST } from './request-settings.ts';
import { settlingOfFunctions, settlingOfRequests } from './settling.ts';
import { settlingText } from './settling-text.ts';
import type { CpuCheck, Culprit, GateJudgement, RequestCheck } from './verdict.ts';

export function withReport(judgement: GateJudgement, evaluation: GateEvaluation): GateJudgement {
  const wouldSettle = judgement.verdict === 'Inconclusive' ? settlings(judgement, evaluation) : [];
  const spent = judgement.checks.reduce((sum, { evidence }) => sum + (evidence?.level ?? 0), 0);
  const enough =
    wouldSettle.length === 0 ? [] : [`enough would be, each alone: ${settlingText(wouldSettle)}`];
  return {
    ...judgement,
    message: [judgement.message, ...enough].join('; '),
    ...(wouldSettle.length > 0 && { wouldSettle }),
    falseFailureRate: { allowed: evaluation.settings.falseFailureRate, spent },
  };
}

function settlings({ checks }: GateJudgement, { settings, cpu, requests }: GateEvaluation) {
  const isOpen = (name: string): boolean =>
    checks.some(({ check, verdict }) => check === name && verdict === 'Inconclusive');
  const ofFunctions = cpu.decision?.verdict === 'Passed' ? undefined : settlingOfFunctions(cpu, settings);
  const ofRequests =
    requests?.checks
      .filter(({ of }) => of.kind !== 'cost' || of.settings.decides)
      .map((check) => settlingOfRequests(check, requests))
      .filter((one) => one !== undefined) ?? [];
  return [...(ofFunctions === undefined ? [] : [ofFunctions]), ...ofRequests].filter(({ check }) =>
    isOpen(check),
  );
}

/** A function's growth in milliseconds of CPU a request, where that is known of the whole. */
export function withCost(
  culprits: readonly Culprit[],
  checks: readonly (CpuCheck | RequestCheck)[],
): readonly Culprit[] {
  const cost = checks.find((check): check is RequestCheck => check.check === COST && 'message' in check);
  const msOfRequest = cost?.numbers?.canary;
  if (msOfRequest === undefined) return culprits;
  return culprits.map((culprit) => ({ ...culprit, perRequestMs: culprit.deltaShare * msOfRequest }));
}
