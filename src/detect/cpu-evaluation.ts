import { boundFactor } from './bound-factor.ts';
import { codeChanges } from './code-changes.ts';
import { doubtOfGrowth, growthWithoutEachPod } from './cpu-doubt.ts';
import { describeCulprits, type ProvenAt } from './culprits.ts';
import { dataFlags } from './data-flags.ts';
import { decideLook, type LookDecision } from './decide-look.ts';
import { createExposure, type Exposure, exposed } from './exposure.ts';
import { FUNCTIONS_PART, YOUNG_PART } from './function-levels.ts';
import { groupShares } from './group-shares.ts';
import { type Levels, type LookEvidence, weighLook } from './look-evidence.ts';
import { type Block, LOOK_MS } from './looks.ts';
import { BOUND_ALPHA, type NodeEvidence } from './node-evidence.ts';
import { addFacts, createGateFacts, type GateFacts } from './pod-facts.ts';
import { checkOf, messageFor } from './report.ts';
import type { RouteMix } from './route-mix.ts';
import { createSightings, type Sightings } from './sightings.ts';
import { createStackIndex, type StackIndex } from './stack-index.ts';
import { type Arms, addBlock, createArmTally } from './tally.ts';
import type { CpuJudgement, CpuSettings, DataFlag, LeftOutPod } from './verdict.ts';

/** An evaluation as far as its blocks have been looked at: what they add up to, not the windows themselves. */
export interface CpuEvaluation {
  readonly settings: CpuSettings;
  readonly startedAtMs: number;
  readonly levels: Levels;
  readonly index: StackIndex;
  readonly arms: Arms;
  readonly facts: GateFacts;
  /** Of requests, where they are seen: set by who sees them. */
  mix: RouteMix | undefined;
  readonly exposure: Exposure;
  readonly provenAt: ProvenAt;
  /** Of the canary. */
  readonly sightings: Sightings;
  warmUpExcluded: boolean;
  looks: number;
  lastLookAtMs: number | undefined;
  /** Of the last look. */
  evidence: LookEvidence | undefined;
  /** What is remarkable of it, once somebody asked. */
  remarks: readonly DataFlag[] | undefined;
  decision: LookDecision | undefined;
}

/** `index`: of another evaluation over the same pods' stacks, which then need not be numbered again. */
export function openCpuEvaluation(
  settings: CpuSettings,
  startedAtMs: number,
  index = createStackIndex(),
  part = FUNCTIONS_PART - YOUNG_PART,
): CpuEvaluation {
  return {
    settings,
    startedAtMs,
    levels: {
      margin: settings.functionMargin,
      familyAlpha: settings.falseFailureRate * part,
      boundFactor: boundFactor(BOUND_ALPHA, settings.deadlineMs / Math.max(LOOK_MS, settings.minDurationMs)),
      podVarianceFactor: settings.podVarianceFactor ?? 1,
    },
    index,
    arms: { canary: createArmTally(), baseline: createArmTally() },
    facts: createGateFacts(),
    mix: undefined,
    exposure: createExposure(),
    provenAt: new Map(),
    sightings: createSightings(),
    warmUpExcluded: false,
    looks: 0,
    lastLookAtMs: undefined,
    evidence: undefined,
    remarks: undefined,
    decision: undefined,
  };
}

/** Failed or Passed: no later block changes it any more. */
export const isDecided = ({ decision }: CpuEvaluation): boolean =>
  decision !== undefined && decision.verdict !== 'Collecting';

/**
 * Adds the next closed block and looks. A block counts only where both arms have windows: what the whole service
 * did in a minute that one arm was not there for would look like a difference between them.
 */
export function advance(evaluation: CpuEvaluation, block: Block): void {
  if (isDecided(evaluation)) return;
  evaluation.warmUpExcluded ||= block.warmUpExcluded;
  if (block.baseline.length === 0 || block.canary.length === 0) return;
  const { arms, index, settings, levels } = evaluation;
  const seen = exposed(evaluation.exposure, block);
  const numbers = addBlock(arms, seen, index);
  addFacts(evaluation.facts, block);
  evaluation.sightings.add(seen.canary, index, numbers.canary);
  evaluation.evidence = weighLook(arms, levels);
  evaluation.remarks = undefined;
  const { facts, mix } = evaluation;
  const round = {
    settings,
    elapsedMs: block.lookAtMs - evaluation.startedAtMs,
    ...{ index, provenAt: evaluation.provenAt },
    doubtOf: (growth: NodeEvidence, look: LookEvidence) => doubtOfGrowth(growth, { look, index, facts, mix }),
  };
  evaluation.decision = decideLook(evaluation.evidence, evaluation.decision, round);
  evaluation.looks += 1;
  evaluation.lastLookAtMs = block.lookAtMs;
}

/** What the looks so far say at `nowMs`. `hasWindows`: of either arm, in a closed block or not. */
export function judgementOf(evaluation: CpuEvaluation, nowMs: number, hasWindows: boolean): CpuJudgement {
  const { settings, startedAtMs, evidence, index } = evaluation;
  const decision = evaluation.decision ?? withoutLooks(hasWindows);
  const endMs = startedAtMs + settings.deadlineMs;
  const timedOut = decision.verdict === 'Collecting' && nowMs >= endMs;
  const verdict = timedOut ? 'Inconclusive' : decision.verdict;
  const reason = timedOut && decision.reason === 'WaitingForLooks' ? 'NoSamples' : decision.reason;
  const decidedAtMs = timedOut ? endMs : evaluation.lastLookAtMs;
  const context = evidence?.context;
  const outcome = { verdict, reason, decision, settings };
  const check = evidence && checkOf(evidence, index, outcome);
  return {
    verdict,
    reason,
    message: messageFor(evidence, index, outcome),
    ...(verdict === 'Collecting' || decidedAtMs === undefined ? {} : { decidedAtMs }),
    looks: evaluation.looks,
    samples: { baseline: context?.baseline.samples ?? 0, canary: context?.canary.samples ?? 0 },
    pods: { baseline: context?.baseline.pods.size ?? 0, canary: context?.canary.pods.size ?? 0 },
    checks: check ? [check] : [],
    ...(check ? { detectable: check.detectable } : {}),
    culprits: evidence ? describeCulprits(decision.findings, evidence, evaluation) : [],
    groups: context ? groupShares(index, context) : [],
    ...flagged(evaluation, decision),
    leaveOnePodOut: evidence ? leftOutPods(decision, evidence, evaluation.facts) : [],
  };
}

function flagged(evaluation: CpuEvaluation, { findings }: LookDecision) {
  const { facts, warmUpExcluded, mix, settings } = evaluation;
  const doubts = findings.flatMap(({ doubt }) => doubt ?? []);
  const { podVarianceFactor } = settings;
  const flagDetails = dataFlags({
    ...{ facts, warmUpExcluded, doubts, mix, podVarianceFactor },
    remarks: remarksOf(evaluation),
  });
  return { flags: flagDetails.map(({ flag }) => flag), flagDetails };
}

/** What of functions and samples is remarkable, worked out once a look. */
export function remarksOf(evaluation: CpuEvaluation): readonly DataFlag[] {
  evaluation.remarks ??= findRemarks(evaluation);
  return evaluation.remarks;
}

function findRemarks(evaluation: CpuEvaluation): readonly DataFlag[] {
  const { decision, evidence, index, arms, settings, exposure } = evaluation;
  const context = evidence?.context;
  const findings = decision?.findings ?? [];
  const ofCode = codeChanges({ findings, index, context, arms, margin: settings.functionMargin });
  if (exposure.unequal === 0) return ofCode;
  const message = `${exposure.unequal} of ${exposure.looks} looks found the arms sampled in another ratio than at first; what one had too many of was left out at random`;
  return [...ofCode, { flag: 'RatesDiffered', message }];
}

/** Of the function that grew most, or would be blamed first. */
function leftOutPods({ findings }: LookDecision, look: LookEvidence, facts: GateFacts): LeftOutPod[] {
  const growth = findings.find(({ moved }) => moved === undefined)?.evidence;
  if (growth === undefined) return [];
  const part = look.namedPart;
  const rows = growthWithoutEachPod(growth, { look, facts }).filter(({ half }) => Number.isFinite(half));
  return rows.map(({ name, effect, half, stands }) => ({
    ...{ pod: name, check: 'cpu.function' },
    ...{ effect: effect * part, lower: (effect - half) * part, upper: (effect + half) * part },
    verdictWithout: stands ? 'Failed' : 'Inconclusive',
  }));
}

const withoutLooks = (hasWindows: boolean): LookDecision => ({
  verdict: 'Collecting',
  reason: hasWindows ? 'WaitingForLooks' : 'NoSamples',
  findings: [],
  open: [],
});
