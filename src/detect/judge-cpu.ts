import { boundFactor } from './bound-factor.ts';
import { describeCulprits } from './culprits.ts';
import { flagsOf } from './data-flags.ts';
import { decideLook, type LookDecision } from './decide-look.ts';
import { groupShares } from './group-shares.ts';
import { type LookEvidence, weighLook } from './look-evidence.ts';
import { type Block, LOOK_MS, planLooks } from './looks.ts';
import { BOUND_ALPHA } from './node-evidence.ts';
import type { PodWindow } from './pod-window.ts';
import { checkOf, messageFor } from './report.ts';
import { createStackIndex, type StackIndex } from './stack-index.ts';
import { addBlock, createArmTally } from './tally.ts';
import type { CpuJudgement, CpuSettings } from './verdict.ts';

export interface CpuInput {
  readonly baseline: readonly PodWindow[];
  readonly canary: readonly PodWindow[];
  readonly settings: CpuSettings;
  readonly startedAtMs: number;
  readonly nowMs: number;
}

// Of the gate's false failures, 0.4 are allotted to functions (0.5 to the latency quantiles, 0.1 to CPU in
// total), so that a check added later does not change what this one says.
const FUNCTION_PART = 0.4;

/**
 * Judges whether a function of the canary costs more CPU than the margin allows. A pure function of closed
 * windows, in any order: it replays every look of the evaluation up to `nowMs` and stops at the first that
 * decides, so a Failed or Passed once given stays what later windows say.
 */
export function judgeCpu(input: CpuInput): CpuJudgement {
  const { settings, startedAtMs, nowMs } = input;
  const plan = { startedAtMs, nowMs, deadlineMs: settings.deadlineMs, warmUpMs: settings.warmUpMs };
  const looks = planLooks(input.baseline, input.canary, plan);
  const index = createStackIndex();
  for (const block of looks.blocks) indexBlock(block, index);
  const replayed = replay(looks.blocks, index, input);
  const deadlineReached = nowMs >= startedAtMs + settings.deadlineMs;
  return describe(replayed, { input, index, deadlineReached, warmUpExcluded: looks.warmUpExcluded });
}

function indexBlock(block: Block, index: StackIndex): void {
  for (const window of [...block.baseline, ...block.canary]) {
    for (const { frames } of window.stacks) index.of(frames);
  }
}

interface Replay {
  readonly looks: number;
  readonly used: readonly Block[];
  readonly lastLookAtMs: number | undefined;
  readonly evidence: LookEvidence | undefined;
  readonly decision: LookDecision;
}

function replay(blocks: readonly Block[], index: StackIndex, input: CpuInput): Replay {
  const { settings, startedAtMs } = input;
  const arms = { canary: createArmTally(index), baseline: createArmTally(index) };
  const levels = {
    margin: settings.functionMargin,
    familyAlpha: settings.falseFailureRate * FUNCTION_PART,
    boundFactor: boundFactor(BOUND_ALPHA, settings.deadlineMs / Math.max(LOOK_MS, settings.minDurationMs)),
  };
  let evidence: LookEvidence | undefined;
  let decision: LookDecision | undefined;
  let looks = 0;
  for (const block of blocks) {
    addBlock(arms.canary, block.canary, index);
    addBlock(arms.baseline, block.baseline, index);
    evidence = weighLook(arms, levels);
    const round = { settings, elapsedMs: block.lookAtMs - startedAtMs, index };
    decision = decideLook(evidence, decision, round);
    looks += 1;
    if (decision.verdict !== 'Collecting') break;
  }
  const nothing: LookDecision = {
    verdict: 'Collecting',
    reason: input.canary.length + input.baseline.length > 0 ? 'WaitingForLooks' : 'NoSamples',
    findings: [],
    open: [],
  };
  const used = blocks.slice(0, looks);
  return { looks, used, lastLookAtMs: used.at(-1)?.lookAtMs, evidence, decision: decision ?? nothing };
}

interface Frame {
  readonly input: CpuInput;
  readonly index: StackIndex;
  readonly deadlineReached: boolean;
  readonly warmUpExcluded: boolean;
}

function describe(replayed: Replay, frame: Frame): CpuJudgement {
  const { evidence, decision } = replayed;
  const { settings, startedAtMs } = frame.input;
  const timedOut = decision.verdict === 'Collecting' && frame.deadlineReached;
  const verdict = timedOut ? 'Inconclusive' : decision.verdict;
  const reason = timedOut && decision.reason === 'WaitingForLooks' ? 'NoSamples' : decision.reason;
  const decidedAtMs = timedOut ? startedAtMs + settings.deadlineMs : replayed.lastLookAtMs;
  const context = evidence?.context;
  const outcome = { verdict, reason, decision, settings };
  const check = evidence && checkOf(evidence, frame.index, outcome);
  return {
    verdict,
    reason,
    message: messageFor(evidence, frame.index, outcome),
    ...(verdict === 'Collecting' || decidedAtMs === undefined ? {} : { decidedAtMs }),
    looks: replayed.looks,
    samples: { baseline: context?.baseline.samples ?? 0, canary: context?.canary.samples ?? 0 },
    pods: { baseline: context?.baseline.pods.size ?? 0, canary: context?.canary.pods.size ?? 0 },
    checks: check ? [check] : [],
    ...(check ? { detectable: check.detectable } : {}),
    culprits: evidence ? describeCulprits(decision.findings, evidence, frame.index) : [],
    groups: context ? groupShares(frame.index, context) : [],
    flags: flagsOf(replayed.used, decision.findings, frame.warmUpExcluded),
  };
}
