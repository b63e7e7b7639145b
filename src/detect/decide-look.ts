import { type Finding, findCulprits, type ProvenAt } from './culprits.ts';
import type { Doubt } from './doubt.ts';
import type { LookEvidence } from './look-evidence.ts';
import type { NodeEvidence } from './node-evidence.ts';
import { openCandidates } from './passing.ts';
import type { StackIndex } from './stack-index.ts';
import type { CpuReason, CpuSettings, Verdict } from './verdict.ts';

/** What one look concludes; the next one starts from it. */
export interface LookDecision {
  readonly verdict: Verdict;
  readonly reason: CpuReason;
  readonly findings: readonly Finding[];
  /** Functions still in the way of Passed. */
  readonly open: readonly NodeEvidence[];
}

// While pods still compile, the functions that did not change do not agree on how the arms' shares compare, and any of
// them may look new. On real pods 1,500 samples an arm gave 0.27 and a false growth; from 3,000 on it is below.
export const LARGEST_COMPARABLE_ERROR = 0.15;

const DEFAULT_MIN_PODS = 2;
const DEFAULT_MAX_LOSS_SHARE = 0.05;

/**
 * situation                                                   → verdict of the look
 * an arm without samples, too few pods, too much loss         → Collecting (Inconclusive at the deadline)
 * a growth that is neither moved nor in doubt, two looks on,
 *   and the arms can be compared                              → Failed
 * the same, for the first time                                → Collecting
 * a growth that something else explains (cpu-doubt.ts)        → Collecting, with the doubt
 * minimum duration over, comparable, nothing grew or open     → Passed
 * otherwise                                                   → Collecting, MarginNotReached or CostMoved
 */
export function decideLook(
  look: LookEvidence | undefined,
  previous: LookDecision | undefined,
  round: {
    readonly settings: CpuSettings;
    readonly elapsedMs: number;
    readonly index: StackIndex;
    readonly provenAt: ProvenAt;
    readonly doubtOf: (growth: NodeEvidence, look: LookEvidence) => Doubt | undefined;
  },
): LookDecision {
  const { settings, elapsedMs, index } = round;
  const collecting = (reason: CpuReason, found: Partial<LookDecision> = {}): LookDecision => ({
    verdict: 'Collecting',
    reason,
    findings: [],
    open: [],
    ...found,
  });
  if (look === undefined) return collecting('NoSamples');
  const unusable = unusableBecause(look, settings);
  const comparable = look.sizeFactor.logError <= LARGEST_COMPARABLE_ERROR;
  const findings = findCulprits(look, index, round.provenAt).map((finding): Finding => {
    const doubt = finding.moved === undefined ? round.doubtOf(finding.evidence, look) : undefined;
    return doubt === undefined ? finding : { ...finding, doubt };
  });
  if (unusable !== undefined) return collecting(unusable, { findings });

  const growths = findings.filter(({ moved }) => moved === undefined);
  const certain = growths.filter(({ doubt }) => doubt === undefined);
  if (comparable && certain.some((finding) => foundBefore(finding, previous))) {
    return { verdict: 'Failed', reason: reasonFor(certain), findings, open: [] };
  }
  if (certain.length > 0) return collecting(reasonFor(certain), { findings });
  const doubt = growths[0]?.doubt;
  if (doubt !== undefined) return collecting(doubt.kind, { findings });
  const open = openCandidates(look, index).filter((node) => !settledAsMoved(node, findings, look.margin));
  if (comparable && open.length === 0 && elapsedMs >= settings.minDurationMs) {
    return { verdict: 'Passed', reason: 'NoRegression', findings, open };
  }
  return collecting(findings.length > 0 ? 'CostMoved' : 'MarginNotReached', { findings, open });
}

export function unusableBecause({ context }: LookEvidence, settings: CpuSettings): CpuReason | undefined {
  const { canary, baseline } = context;
  const maxLoss = settings.maxLossShare ?? DEFAULT_MAX_LOSS_SHARE;
  const lostTooMuch = [canary, baseline].some(
    (arm) => arm.samplesLost > maxLoss * (arm.samplesTaken + arm.samplesLost),
  );
  if (lostTooMuch) return 'TooMuchLoss';
  const minPods = settings.minPods ?? DEFAULT_MIN_PODS;
  return Math.min(canary.pods.size, baseline.pods.size) < minPods ? 'TooFewPods' : undefined;
}

// One look's burst can reach any bound; a version's cost is still there half a minute later.
const foundBefore = (finding: Finding, previous: LookDecision | undefined): boolean =>
  previous?.findings.some(
    (earlier) =>
      earlier.evidence.node === finding.evidence.node &&
      earlier.moved === undefined &&
      earlier.doubt === undefined,
  ) ?? false;

const reasonFor = (growths: readonly Finding[]): CpuReason => {
  const first = growths[0]?.evidence;
  return first !== undefined && first.baselineShare < 0.1 * first.canaryShare ? 'NewHotPath' : 'FunctionGrew';
};

const settledAsMoved = (node: NodeEvidence, findings: readonly Finding[], margin: number): boolean =>
  findings.some(
    ({ evidence, moved }) => evidence.node === node.node && moved !== undefined && moved.netUpper < margin,
  );
