import type { LookDecision } from './decide-look.ts';
import { ADVICE, isDoubt } from './doubt.ts';
import { FUNCTIONS_PART } from './function-levels.ts';
import type { LookEvidence } from './look-evidence.ts';
import { detectableGrowth, type LookContext, type NodeEvidence } from './node-evidence.ts';
import { functionOf, nodeIsTotal, type StackIndex } from './stack-index.ts';
import type { CheckEvidence, CpuCheck, CpuReason, CpuSettings, Verdict } from './verdict.ts';

export interface Outcome {
  readonly verdict: Verdict;
  readonly reason: CpuReason;
  readonly decision: LookDecision;
  readonly settings: CpuSettings;
}

/** The check's line: the first culprit where something grew, else the function whose upper bound is highest. */
export function checkOf(look: LookEvidence, index: StackIndex, outcome: Outcome): CpuCheck | undefined {
  const worst = worstNode(look, outcome.decision);
  if (worst === undefined) return undefined;
  const part = look.namedPart;
  return {
    check: 'cpu.function',
    function: nameOf(worst, index),
    baseline: worst.baselineShare * part,
    canary: worst.canaryShare * part,
    delta: worst.delta * part,
    interval: [(worst.delta - worst.half) * part, (worst.delta + worst.half) * part],
    margin: outcome.settings.functionMargin,
    detectable: detectableInMost(look.candidates, look.context) * part,
    verdict: outcome.verdict,
    evidence: evidenceOf(look, outcome.settings),
  };
}

/** Of e-BH: a function is rejected sooner where others are, too. */
function evidenceOf(
  { candidates, grown, context }: LookEvidence,
  { falseFailureRate }: CpuSettings,
): CheckEvidence {
  return {
    level: falseFailureRate * FUNCTIONS_PART,
    logE: candidates.reduce((most, { logE }) => Math.max(most, logE), Number.NEGATIVE_INFINITY),
    neededLogE: -Math.log(context.nodeAlpha * Math.max(1, grown.length)),
  };
}

const MOST_PART = 0.9;

// Not the largest of all: one method that some pods inline and others do not can never be seen to grow.
export function detectableInMost(
  candidates: readonly Pick<NodeEvidence, 'node' | 'baselineShare'>[],
  context: LookContext,
): number {
  const ascending = candidates.map((node) => detectableGrowth(node, context)).sort((a, b) => a - b);
  return ascending[Math.ceil(MOST_PART * ascending.length) - 1] ?? 1;
}

function worstNode(look: LookEvidence, decision: LookDecision): NodeEvidence | undefined {
  const growth = decision.findings.find(({ moved }) => moved === undefined);
  if (growth !== undefined) return growth.evidence;
  const { margin } = look;
  const closed = look.upper.filter(({ delta, half }) => delta + half < margin);
  const pool = decision.open.length > 0 ? decision.open : decision.verdict === 'Passed' ? closed : look.upper;
  return pool.reduce<NodeEvidence | undefined>(
    (worst, node) => (worst && worst.delta + worst.half >= node.delta + node.half ? worst : node),
    undefined,
  );
}

const nameOf = (node: NodeEvidence, index: StackIndex): string =>
  index.functions[functionOf(node.node)] ?? '';

const percent = (share: number): string => `${(share * 100).toFixed(2)} %`;

/** One sentence with the numbers behind the reason; what would settle an open verdict is the gate's to say. */
export function messageFor(look: LookEvidence | undefined, index: StackIndex, outcome: Outcome): string {
  const { decision, settings } = outcome;
  const worst = look && worstNode(look, decision);
  if (look === undefined || worst === undefined) return withoutEvidence(outcome.reason);
  const name = nameOf(worst, index);
  const what = nodeIsTotal(worst.node) ? `${name} and what it calls` : name;
  const ofCpu = (share: number): string => percent(share * look.namedPart);
  const change = `${ofCpu(worst.baselineShare)} → ${ofCpu(worst.canaryShare)} of CPU, interval ${ofCpu(worst.delta - worst.half)} to ${ofCpu(worst.delta + worst.half)}`;
  const margin = percent(settings.functionMargin);
  const { canary, baseline } = look.context;
  if (isDoubt(outcome.reason)) {
    const doubt = decision.findings.find((finding) => finding.doubt !== undefined)?.doubt;
    return `${what} grew (${change}), but ${doubt?.message ?? ''}${ADVICE[outcome.reason]}`;
  }
  switch (outcome.reason) {
    case 'FunctionGrew':
      return `${what} grew by ${ofCpu(worst.delta)} of CPU, over the margin of ${margin} (${change})`;
    case 'NewHotPath':
      return `${what} is new and takes ${ofCpu(worst.delta)} of CPU, over the ${worst.delta > look.margin ? `margin of ${margin}` : `${ofCpu(look.newPathShare)} from which new code is hot`} (${change})`;
    case 'NoRegression':
      return `no function grew by the margin of ${margin} of CPU; the closest is ${what} (${change})`;
    case 'MarginNotReached':
      return `${what} may still have grown by more than the margin of ${margin} (${change}), by ${baseline.samples} and ${canary.samples} samples of ${baseline.pods.size} and ${canary.pods.size} pods`;
    case 'CostMoved':
      return `what grew is matched by what shrank, but the sum is not yet known to be under the margin of ${margin}; the least certain is ${what} (${change})`;
    case 'TooMuchLoss':
      return `baseline lost ${percent(lossOf(baseline))} and canary ${percent(lossOf(canary))} of their samples; the agents need more buffer or a lower rate`;
    case 'TooFewPods':
      return `${baseline.pods.size} baseline and ${canary.pods.size} canary pods have samples; with fewer than ${settings.minPods ?? 2} an arm, a pod cannot be told from its version`;
    case 'NoSamples':
    case 'WaitingForLooks':
      return withoutEvidence(outcome.reason);
  }
}

const withoutEvidence = (reason: CpuReason): string =>
  reason === 'WaitingForLooks'
    ? 'no look yet: both arms need windows past the warm-up in the same 30 s'
    : 'no time at which both arms had samples of functions past the warm-up';

const lossOf = (arm: { readonly samplesLost: number; readonly samplesTaken: number }): number =>
  arm.samplesLost / Math.max(1, arm.samplesTaken + arm.samplesLost);
