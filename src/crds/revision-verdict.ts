/**
 * What a gate says of one canary revision to whoever names it: the same for the endpoint and for `flamegate gate wait`, since both
 * read it from the gate and its reports here. Another revision's verdict is never part of it. Pure.
 */
import type { RegressionGate } from './regression-gate.ts';
import type { Culprit, RegressionReport, ReportCheck } from './regression-report.ts';

/** `baseline`: absent, the newest evaluation of the canary counts, whatever it was compared with. */
export interface AskedRevision {
  readonly canary: string;
  readonly baseline?: string | undefined;
}

export interface RevisionVerdict {
  /** NAMESPACE/NAME */
  readonly gate: string;
  readonly canary: string;
  /** Absent while nothing has been compared. */
  readonly baseline?: string;
  /** Pending: not decided yet, or not begun. */
  readonly verdict: 'Pending' | 'Passed' | 'Failed' | 'Inconclusive';
  /** Whether it may still change: Pending, and Inconclusive said early, which can only become Failed. */
  readonly open: boolean;
  readonly reason: string;
  readonly message: string;
  readonly report?: string;
  readonly attempt?: number;
  readonly startedAt?: string;
  readonly decidedAt?: string;
  readonly checks?: readonly Pick<ReportCheck, 'check' | 'verdict' | 'delta' | 'interval' | 'margin'>[];
  readonly culprits?: readonly Pick<Culprit, 'function' | 'file' | 'line' | 'kind' | 'delta' | 'interval'>[];
}

const MOST_CULPRITS = 3; // the report has the others

/** Hashes as workloads carry them; of a selector over several Deployments joined by dots. */
export const REVISION_HASH = /^[A-Za-z0-9]([A-Za-z0-9._-]{0,126}[A-Za-z0-9])?$/;

export function revisionVerdict(
  gate: RegressionGate,
  reports: readonly RegressionReport[],
  asked: AskedRevision,
): RevisionVerdict {
  const all = reportsOf(gate, reports);
  const newest = all.find(({ spec }) => isAbout(spec, asked));
  const about = { gate: `${gate.metadata.namespace}/${gate.metadata.name}`, canary: asked.canary };
  const pending = { ...about, verdict: 'Pending', open: true } as const;
  if (newest === undefined) return { ...pending, ...whyNothingBegan(gate, asked) };
  const { baselineHash, attempt, gateGeneration } = newest.spec;
  if (gateGeneration !== gate.metadata.generation) {
    const message = `the gate was changed since attempt ${attempt} (generation ${gateGeneration}, now ${gate.metadata.generation}): it compares anew while both revisions run`;
    return { ...pending, reason: 'GateChanged', message };
  }
  if (asked.baseline === undefined && hasBecomeBaseline(all, newest)) {
    const message = `attempt ${attempt} was of an earlier rollout: ${asked.canary} has been the baseline since; name the baseline to have that verdict`;
    return { ...pending, reason: 'EarlierRollout', message };
  }
  return { ...about, baseline: baselineHash, ...saidIn(newest) };
}

/** Those of this gate, and of none of the same name before it; newest first. */
export const reportsOf = (
  gate: RegressionGate,
  reports: readonly RegressionReport[],
): readonly RegressionReport[] =>
  reports
    .filter(({ spec, metadata }) => spec.gate === gate.metadata.name && isOwnedBy(metadata, gate))
    .toSorted((a, b) => b.spec.attempt - a.spec.attempt);

const isOwnedBy = (metadata: RegressionReport['metadata'], gate: RegressionGate): boolean =>
  metadata.ownerReferences?.some(({ uid }) => uid === gate.metadata.uid) ?? true;

/** Cheap, for whoever waits: whether anything has been said of the canary that is more than Collecting. */
export const mayBeDecided = (
  gate: string,
  reports: readonly RegressionReport[],
  asked: AskedRevision,
): boolean =>
  reports.some(
    ({ spec, status }) =>
      spec.gate === gate && isAbout(spec, asked) && (status?.verdict ?? 'Collecting') !== 'Collecting',
  );

const isAbout = (spec: RegressionReport['spec'], { canary, baseline }: AskedRevision): boolean =>
  spec.canaryHash === canary && (baseline === undefined || spec.baselineHash === baseline);

/** A rollback brings back a revision that passed once, against another baseline than it meets now. */
const hasBecomeBaseline = (all: readonly RegressionReport[], { spec }: RegressionReport): boolean =>
  all.some((later) => later.spec.attempt > spec.attempt && later.spec.baselineHash === spec.canaryHash);

type Said = Omit<RevisionVerdict, 'gate' | 'canary' | 'baseline'>;

function saidIn({ metadata, spec, status = {} }: RegressionReport): Said {
  const { verdict = 'Collecting', startedAt, decidedAt, checks, culprits } = status;
  const isPending = verdict === 'Collecting';
  return {
    verdict: isPending ? 'Pending' : verdict,
    open: isPending || (verdict === 'Inconclusive' && decidedAt === undefined),
    reason: status.reason ?? 'Collecting',
    message: status.message ?? 'collecting',
    report: metadata.name,
    attempt: spec.attempt,
    ...(startedAt === undefined ? {} : { startedAt }),
    ...(decidedAt === undefined ? {} : { decidedAt }),
    ...(checks === undefined ? {} : { checks: checks.map(checkOf) }),
    ...(culprits === undefined ? {} : { culprits: culprits.slice(0, MOST_CULPRITS).map(culpritOf) }),
  };
}

function checkOf({ check, verdict, delta, interval, margin }: ReportCheck) {
  return {
    ...{ check, verdict },
    ...(delta === undefined ? {} : { delta }),
    ...(interval === undefined ? {} : { interval }),
    ...(margin === undefined ? {} : { margin }),
  };
}

function culpritOf({ function: name, file, line, kind, delta, interval }: Culprit) {
  return {
    ...{ function: name, kind, delta, interval },
    ...(file === undefined ? {} : { file }),
    ...(line === undefined ? {} : { line }),
  };
}

/** Reasons of Ready whose messages speak of what is missing; those of the others may hold another revision's verdict. */
const OBSTACLES: ReadonlySet<string> = new Set([
  ...['TargetNotFound', 'NotPermitted', 'NotProfiled', 'Failing', 'WaitingForCanary'],
]);

function whyNothingBegan(
  { status }: RegressionGate,
  { canary, baseline }: AskedRevision,
): Pick<RevisionVerdict, 'reason' | 'message'> {
  const against = baseline === undefined ? '' : ` against ${baseline}`;
  const sentence = `canary ${canary} has not been compared${against}`;
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  if (ready === undefined || !OBSTACLES.has(ready.reason))
    return { reason: 'NotCompared', message: sentence };
  return { reason: ready.reason, message: `${sentence}: ${ready.message}` };
}
