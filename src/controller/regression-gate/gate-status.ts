/** The status a gate shows for a finding and the evaluation it belongs to. Pure. */
import type { RegressionGateReasons } from '../../crds/condition-types.ts';
import type { GateAction } from '../../crds/gate-action.ts';
import type { GateEvidence } from '../../crds/gate-evidence.ts';
import type { RegressionGate, RegressionGateStatus } from '../../crds/regression-gate.ts';
import type {
  RegressionReportSpec,
  RegressionReportStatus,
  ReportCheck,
} from '../../crds/regression-report.ts';
import type { Condition as StoredCondition } from '../../crds/schema.ts';
import { type Condition, removeCondition, setCondition } from '../../kube/conditions.ts';
import { stoppedCondition } from '../acting/action-status.ts';
import type { NotifyFinding } from '../notifications/notify-ready.ts';
import type { Arms } from './arms.ts';
import { type Certifying, certifiedCondition } from './certification.ts';
import type { Finding } from './decide.ts';
import { shortFunction } from './short-function.ts';

/** One evaluation as it stands after the decision. */
export interface Shown {
  readonly report: string;
  readonly spec: RegressionReportSpec;
  readonly status: RegressionReportStatus;
}

export interface GateFacts {
  readonly gate: RegressionGate;
  readonly arms: Arms;
  readonly finding: Finding;
  /** The evaluation to show: the current one, or the latest while there is no pair. */
  readonly shown: Shown | undefined;
  readonly certifying?: Certifying | undefined;
  /** Of an evaluation that is open. */
  readonly evidence?: GateEvidence | undefined;
  /** What was done about the rollout. */
  readonly action?: GateAction | undefined;
  /** Whether who is to be told can be told. */
  readonly notify?: NotifyFinding | undefined;
}

type Reasons = RegressionGateReasons;
type Said = {
  readonly [Type in keyof Reasons]?: {
    readonly status: 'True' | 'False' | 'Unknown';
    readonly reason: Reasons[Type];
    readonly message: string;
  };
};

const MAX_SUMMARY = 1024;

export function gateStatus(facts: GateFacts, nowMs: number): RegressionGateStatus {
  const { gate, arms, finding, shown } = facts;
  const verdict = verdictShown(finding, shown);
  const isShown = shown !== undefined && verdict !== 'Waiting';
  const certification = certificationOf(facts);
  return {
    observedGeneration: gate.metadata.generation,
    conditions: conditionsFor(facts, nowMs),
    target: arms.target,
    verdict,
    ...(isShown ? evaluationFields(shown) : {}),
    summary: summaryFor(facts, isShown ? shown : undefined).slice(0, MAX_SUMMARY),
    ...(facts.action === undefined ? {} : { action: facts.action }),
    ...(facts.evidence === undefined ? {} : { evidence: facts.evidence }),
    ...(certification === undefined ? {} : { certification }),
  };
}

/** What was found last; it is true of the pods it names until there is another. */
const certificationOf = ({ gate, certifying }: GateFacts) =>
  certifying?.kind === 'Done' ? certifying.certification : gate.status?.certification;

/** While nothing is on trial the last verdict stays to be read; it names its pair. */
function verdictShown(
  finding: Finding,
  shown: Shown | undefined,
): NonNullable<RegressionGateStatus['verdict']> {
  const verdict = shown?.status.verdict ?? 'Collecting';
  switch (finding.kind) {
    case 'InvalidSpec':
    case 'TargetNotFound':
    case 'NotPermitted':
    case 'NotProfiled':
      return 'Waiting';
    case 'Waiting':
      return verdict === 'Collecting' ? 'Waiting' : verdict;
    case 'Evaluating':
    case 'Decided':
      return verdict;
  }
}

function evaluationFields({ report, spec, status }: Shown): Partial<RegressionGateStatus> {
  const culprit = status.culprits?.find(({ kind }) => kind !== 'Moved'); // moved cost is nobody's worst
  const check = functionCheck(status);
  const latencyDelta = highestLatency(status)?.delta;
  const delta = culprit?.delta ?? check?.delta;
  const worst = culprit?.function ?? check?.subject;
  return {
    evaluation: {
      baseline: spec.baselineHash,
      canary: spec.canaryHash,
      attempt: spec.attempt,
      report,
      startedAt: status.startedAt ?? '',
    },
    ...(delta === undefined ? {} : { cpuDelta: delta }),
    ...(latencyDelta === undefined ? {} : { latencyDelta }),
    ...(worst === undefined ? {} : { worst: shortFunction(worst) }),
  };
}

const functionCheck = ({ checks }: RegressionReportStatus) =>
  checks?.find(({ check }) => check === 'cpu.function');

/** Of the quantiles that are compared, what a reader asks for first. */
function highestLatency({ checks = [] }: RegressionReportStatus): ReportCheck | undefined {
  const quantileOf = ({ check }: ReportCheck): number => Number(check.slice('latency.p'.length));
  const ofLatency = checks.filter(({ check }) => check.startsWith('latency.p'));
  return ofLatency.toSorted((a, b) => quantileOf(b) - quantileOf(a))[0];
}

function summaryFor({ finding }: GateFacts, shown: Shown | undefined): string {
  const said = shown === undefined ? '' : `${shown.status.verdict}: ${shown.status.message ?? ''}`;
  switch (finding.kind) {
    case 'InvalidSpec':
    case 'TargetNotFound':
    case 'NotPermitted':
    case 'NotProfiled':
      return finding.message;
    case 'Waiting':
      return shown === undefined ? finding.message : `${said} (since then: ${finding.message})`;
    case 'Evaluating':
    case 'Decided':
      return said;
  }
}

const ORDER = [
  'Ready',
  'Reconciling',
  'Stalled',
  'BaselineResolved',
  'DataSufficient',
  'Regressed',
  'Certified',
  'RolloutStopped',
  'SinksReady',
] as const;

function conditionsFor(facts: GateFacts, nowMs: number): StoredCondition[] {
  const { gate, certifying } = facts;
  const ofPlacebos = certifiedCondition(gate, certificationOf(facts), certifying);
  const stopped = stoppedCondition(gate, facts.action);
  const said: Said = {
    ...saidOf(facts),
    ...(ofPlacebos && { Certified: ofPlacebos }),
    ...(stopped && { RolloutStopped: stopped }),
    ...(facts.notify && { SinksReady: facts.notify }),
  };
  const { generation } = facts.gate.metadata;
  let conditions: readonly Condition[] = facts.gate.status?.conditions?.map(withoutUndefined) ?? [];
  for (const type of ORDER) {
    const next = said[type];
    conditions =
      next === undefined
        ? removeCondition(conditions, type)
        : setCondition(conditions, { type, observedGeneration: generation, ...next }, nowMs);
  }
  return conditions.toSorted((a, b) => rank(a) - rank(b));
}

const rank = ({ type }: Condition): number => ORDER.indexOf(type as (typeof ORDER)[number]);

function withoutUndefined({ observedGeneration, ...rest }: StoredCondition): Condition {
  return observedGeneration === undefined ? rest : { ...rest, observedGeneration };
}

function saidOf(facts: GateFacts): Said {
  const { finding } = facts;
  switch (finding.kind) {
    case 'InvalidSpec':
      return {
        Ready: { status: 'False', reason: 'Failing', message: finding.message },
        Stalled: { status: 'True', reason: 'InvalidSpec', message: finding.message },
      };
    case 'TargetNotFound':
    case 'NotPermitted':
      return {
        Ready: { status: 'False', reason: finding.kind, message: finding.message },
        Stalled: { status: 'True', reason: finding.kind, message: finding.message },
        BaselineResolved: { status: 'False', reason: 'TargetNotFound', message: finding.message },
      };
    case 'NotProfiled':
      return {
        Ready: { status: 'False', reason: 'NotProfiled', message: finding.message },
        BaselineResolved: resolved(facts),
        DataSufficient: { status: 'False', reason: 'NotProfiled', message: finding.message },
      };
    case 'Waiting':
      return {
        Ready: { status: 'True', reason: 'WaitingForCanary', message: finding.message },
        BaselineResolved: { status: 'False', reason: finding.reason, message: finding.message },
      };
    case 'Evaluating':
      return whileEvaluating(facts);
    case 'Decided':
      return whenDecided(facts);
  }
}

function whileEvaluating(facts: GateFacts): Said {
  const { deadline } = facts.gate.spec.duration;
  const message = facts.shown?.status.message ?? '';
  const progress = `since ${facts.shown?.status.startedAt ?? ''}, for at most ${deadline}: ${message}`;
  return {
    Ready: { status: 'True', reason: 'Evaluating', message: pairSentence(facts) },
    Reconciling: { status: 'True', reason: 'Progressing', message: progress },
    BaselineResolved: resolved(facts),
    DataSufficient: dataWhileEvaluating(facts.shown?.status.reason, message),
    Regressed: { status: 'Unknown', reason: 'Undecided', message },
  };
}

const WHILE_EVALUATING = [
  'NoSamples',
  'TooFewPods',
  'TooMuchLoss',
  'TooFewRequests',
  'NotObservable',
  'BackendUnreadable',
  'DeadlineOutOfReach',
] as const;

function dataWhileEvaluating(
  reason: string | undefined,
  message: string,
): NonNullable<Said['DataSufficient']> {
  const lack = WHILE_EVALUATING.find((known) => known === reason);
  return lack === undefined
    ? { status: 'Unknown', reason: 'Collecting', message }
    : { status: 'False', reason: lack, message };
}

function whenDecided(facts: GateFacts): Said {
  const { verdict, reason, message = '' } = facts.shown?.status ?? {};
  return {
    Ready: { status: 'True', reason: 'Decided', message: `${verdict}: ${pairSentence(facts)}` },
    BaselineResolved: resolved(facts),
    DataSufficient:
      verdict === 'Inconclusive'
        ? { status: 'False', reason: lackOf(reason), message }
        : { status: 'True', reason: 'Sufficient', message: samplesSentence(facts) },
    ...(canaryLives(facts.arms) ? { Regressed: regressed(verdict, reason, message) } : {}),
  };
}

/** Regressed speaks of pods that run. */
const canaryLives = (arms: Arms): boolean =>
  (arms.kind === 'Pair' || arms.kind === 'BaselineGone') && arms.canary.pods.length > 0;

const LACKS = [
  'NotProfiled',
  'NoSamples',
  'TooFewPods',
  'TooMuchLoss',
  'TooFewRequests',
  'NotObservable',
  'BackendUnreadable',
  'BaselineGone',
  'Superseded',
] as const;

/** Everything else that is not proven by the deadline is a matter of time. */
const lackOf = (reason: string | undefined): Reasons['DataSufficient'] =>
  LACKS.find((known) => known === reason) ?? 'DeadlineReached';

const GROWTHS = ['FunctionGrew', 'NewHotPath', 'LatencyGrew', 'ErrorsGrew', 'CostGrew'] as const;

function regressed(
  verdict: RegressionReportStatus['verdict'],
  reason: string | undefined,
  message: string,
): NonNullable<Said['Regressed']> {
  switch (verdict) {
    case 'Failed':
      return { status: 'True', reason: GROWTHS.find((known) => known === reason) ?? 'FunctionGrew', message };
    case 'Passed':
      return { status: 'False', reason: 'NoRegression', message };
    case 'Collecting':
    case 'Inconclusive':
    case undefined:
      return { status: 'Unknown', reason: 'Undecided', message };
  }
}

function resolved(facts: GateFacts): NonNullable<Said['BaselineResolved']> {
  const message = pairSentence(facts);
  if (facts.arms.kind === 'BaselineGone') return { status: 'False', reason: 'BaselineGone', message };
  return { status: 'True', reason: 'Resolved', message };
}

function pairSentence({ arms, shown }: GateFacts): string {
  const hashes = { baseline: shown?.spec.baselineHash ?? '', canary: shown?.spec.canaryHash ?? '' };
  switch (arms.kind) {
    case 'Pair': {
      const { baseline, canary } = arms;
      return `canary ${canary.hash} (${canary.pods.length} pods) against baseline ${baseline.hash} (${baseline.pods.length} pods)`;
    }
    case 'BaselineGone':
      return `canary ${arms.canary.hash} (${arms.canary.pods.length} pods); baseline ${arms.baselineHash} has no pods left`;
    case 'NoPair':
    case 'TargetNotFound':
      return `canary ${hashes.canary} against baseline ${hashes.baseline}`;
  }
}

function samplesSentence({ shown }: GateFacts): string {
  const { samples, pods } = shown?.status ?? {};
  const detectable = functionCheck(shown?.status ?? {})?.detectable;
  const seen = `${samples?.canary ?? 0} canary samples of ${pods?.canary ?? 0} pods, ${samples?.baseline ?? 0} baseline samples of ${pods?.baseline ?? 0} pods`;
  return detectable === undefined ? seen : `${seen}; growth of ${detectable} would have been seen`;
}
