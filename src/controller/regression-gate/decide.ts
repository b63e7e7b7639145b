/**
 * What to do with a gate, from what was gathered. Pure. The first row that fits:
 *
 *    the gate's spec        | the arms                 | its evaluation of this pair | → finding, and what is written
 *  1 cannot be read         | any                      | any                         | InvalidSpec
 *  2 fine                   | target is missing        | any                         | TargetNotFound, or NotPermitted
 *  3 fine                   | no pair                  | latest open, past deadline  | Waiting; the report closes Inconclusive
 *  4 fine                   | no pair                  | latest decided              | Waiting, the verdict stays to be read
 *  5 fine                   | no pair                  | none, or open               | Waiting
 *  6 fine                   | any pair, baseline gone  | decided                     | Decided: nothing is judged again
 *  7 fine                   | baseline gone            | open, windows may come      | Evaluating
 *  8 fine                   | baseline gone            | open, windows decide        | Decided by them
 *  9 fine                   | baseline gone            | open, else                  | Decided: Inconclusive BaselineGone
 * 10 fine                   | baseline gone, rolled out| none                        | a new one, Inconclusive BaselineGone
 *                           | while the gate watched   |                             |
 * 11 fine                   | baseline gone before that| none                        | Waiting
 * 12 fine                   | pair                     | open                        | what the windows say; Inconclusive, and still
 *                           |                          |                             | open, where Passed is out of reach
 * 13 fine                   | pair, an arm unprofiled  | none                        | NotProfiled
 * 14 fine                   | pair                     | none                        | a new one, Collecting
 *
 * An open report of another pair or generation closes as Superseded whenever a new evaluation opens (10, 14).
 */
import type { BuiltFrom } from '../../crds/built-from.ts';
import type { GateEvidence } from '../../crds/gate-evidence.ts';
import type { RegressionReport, RegressionReportStatus } from '../../crds/regression-report.ts';
import type { Arms } from './arms.ts';
import { isOpen, saysOutOfReach, startedAtMs } from './evaluation.ts';
import { evidenceOf, isOutOfReach, type OpenEvaluation, outOfReachStatus } from './gate-evidence.ts';
import { LAST_WINDOWS_MS, type Observed } from './gather.ts';
import { reportOf } from './report-status.ts';
import { chooseRate } from './sampling-rate.ts';

export type Finding =
  | {
      readonly kind: 'InvalidSpec' | 'TargetNotFound' | 'NotPermitted' | 'NotProfiled';
      readonly message: string;
    }
  | {
      readonly kind: 'Waiting';
      readonly reason: 'NoBaselinePods' | 'NoCanaryPods' | 'SameRevision';
      readonly message: string;
    }
  | { readonly kind: 'Evaluating' }
  | { readonly kind: 'Decided' };

export interface NewEvaluation {
  readonly attempt: number;
  readonly baselineHash: string;
  readonly canaryHash: string;
  readonly images: { readonly baseline: readonly string[]; readonly canary: readonly string[] };
  readonly builtFrom?: { readonly baseline?: BuiltFrom; readonly canary?: BuiltFrom };
}

export interface Decision {
  readonly finding: Finding;
  /** To be created first; `status` is its status then. */
  readonly open?: NewEvaluation;
  /** What the report of the current evaluation says from now on; absent: what it said. */
  readonly status?: RegressionReportStatus;
  /** While an evaluation is open. */
  readonly evidence?: GateEvidence;
  /** A report whose evaluation ends without a verdict of its own. */
  readonly close?: { readonly report: RegressionReport; readonly status: RegressionReportStatus };
}

export function decide(observed: Observed, nowMs: number): Decision {
  const { arms, settings } = observed;
  if (typeof settings === 'string') return { finding: { kind: 'InvalidSpec', message: settings } };
  switch (arms.kind) {
    case 'TargetNotFound':
      return {
        finding: {
          kind: arms.isForbidden === true ? 'NotPermitted' : 'TargetNotFound',
          message: arms.message,
        },
      };
    case 'NoPair':
      return withoutPair(arms, observed, nowMs);
    case 'BaselineGone':
      return withoutBaseline(arms, observed, nowMs);
    case 'Pair':
      return withPair(arms, observed, nowMs);
  }
}

function withoutPair(arms: Arms & { kind: 'NoPair' }, observed: Observed, nowMs: number): Decision {
  const finding: Finding = { kind: 'Waiting', reason: arms.reason, message: arms.message };
  const { latest } = observed.evaluations;
  const { settings } = observed;
  if (!isOpen(latest) || typeof settings === 'string') return { finding };
  const deadlineAtMs = startedAtMs(latest) + settings.deadlineMs;
  if (nowMs < deadlineAtMs) return { finding };
  const close = { report: latest, status: closed(latest, arms.reason, arms.message, deadlineAtMs) };
  return { finding, close };
}

function withoutBaseline(arms: Arms & { kind: 'BaselineGone' }, observed: Observed, nowMs: number): Decision {
  const { current } = observed.evaluations;
  if (current === undefined) return baselineGoneUnseen(arms, observed, nowMs);
  if (!isOpen(current)) return { finding: { kind: 'Decided' } };
  const judged = observed.judgement && reportOf(current, observed.judgement, nowMs);
  const windowsDecided = judged?.verdict === 'Passed' || judged?.verdict === 'Failed';
  if (windowsDecided) return { finding: { kind: 'Decided' }, status: judged };
  const endMs = (observed.baselineSeenMs ?? 0) + LAST_WINDOWS_MS;
  if ((observed.judgedAtMs ?? nowMs) < endMs) {
    return { finding: { kind: 'Evaluating' }, ...(judged === undefined ? {} : { status: judged }) };
  }
  const message = `the last pod of baseline ${arms.baselineHash} is gone before enough was seen: ${ADVICE}`;
  const found = judged === undefined ? current : { ...current, status: judged };
  const status = closed(found, 'BaselineGone', message, Math.min(endMs, nowMs));
  return { finding: { kind: 'Decided' }, status };
}

const ADVICE =
  'a rolling update removes the old pods within minutes; pause the rollout while both run, or compare two Deployments by selectors';

function baselineGoneUnseen(
  arms: Arms & { kind: 'BaselineGone' },
  observed: Observed,
  nowMs: number,
): Decision {
  const { metadata } = observed.gate;
  const happenedUnderOurEyes = arms.sinceMs > Date.parse(metadata.creationTimestamp);
  if (!happenedUnderOurEyes || arms.canary.pods.length === 0) {
    const message = `all pods run ${arms.canary.hash}; the next rollout will be compared with it`;
    return { finding: { kind: 'Waiting', reason: 'NoCanaryPods', message } };
  }
  const message = `no pod of baseline ${arms.baselineHash} was left when ${arms.canary.hash} could be compared: ${ADVICE}`;
  const at = new Date(nowMs).toISOString();
  return {
    finding: { kind: 'Decided' },
    open: newEvaluation(observed, {
      baselineHash: arms.baselineHash,
      canaryHash: arms.canary.hash,
      images: { baseline: [], canary: arms.canary.images },
      ...builtFromIn({}, arms.canary.builtFrom),
    }),
    status: { verdict: 'Inconclusive', reason: 'BaselineGone', message, startedAt: at, decidedAt: at },
    ...superseded(observed, nowMs),
  };
}

function withPair(arms: Arms & { kind: 'Pair' }, observed: Observed, nowMs: number): Decision {
  const { current } = observed.evaluations;
  if (current !== undefined && !isOpen(current)) return { finding: { kind: 'Decided' } };
  if (current !== undefined) return whatTheWindowsSay(current, observed, nowMs);
  const unprofiled = unprofiledSides(observed);
  if (unprofiled !== undefined) return { finding: { kind: 'NotProfiled', message: unprofiled } };
  const message = 'collecting: both arms need windows past the warm-up';
  return {
    finding: { kind: 'Evaluating' },
    open: newEvaluation(observed, {
      baselineHash: arms.baseline.hash,
      canaryHash: arms.canary.hash,
      images: { baseline: arms.baseline.images, canary: arms.canary.images },
      ...builtFromIn(arms.baseline.builtFrom, arms.canary.builtFrom),
    }),
    status: {
      verdict: 'Collecting',
      reason: 'WaitingForLooks',
      message,
      startedAt: new Date(nowMs).toISOString(),
      pods: { baseline: observed.profiled.baseline, canary: observed.profiled.canary },
    },
    ...superseded(observed, nowMs),
  };
}

function whatTheWindowsSay(current: RegressionReport, observed: Observed, nowMs: number): Decision {
  if (observed.judgement === undefined) return { finding: { kind: 'Evaluating' } };
  const status = reportOf(current, observed.judgement, nowMs);
  if (status.verdict === 'Collecting') return stillOpen(current, observed, status);
  const finding: Finding = { kind: 'Decided' };
  if (status.verdict !== 'Inconclusive') return { finding, status };
  const unprofiled = unprofiledSides(observed);
  if (unprofiled === undefined) return { finding, status };
  return { finding, status: { ...status, reason: 'NotProfiled', message: unprofiled } };
}

/** Whether it can still be decided in time, and how often its pods are to be sampled. */
function stillOpen(
  current: RegressionReport,
  { gate, settings, judgement, forecast, rateBounds }: Observed,
  status: RegressionReportStatus,
): Decision {
  const finding: Finding = { kind: 'Evaluating' };
  if (rateBounds === undefined || typeof settings === 'string' || judgement === undefined)
    return { finding, status };
  const rate = chooseRate(rateBounds, gate.status?.evidence?.frequencyHz, forecast, settings.deadlineMs);
  const open: OpenEvaluation = { startedAtMs: startedAtMs(current), settings, forecast, rate };
  const mayBeSaid = gate.spec.duration.earlyInconclusive ?? true;
  const isLate = mayBeSaid && isOutOfReach(open, judgement, saysOutOfReach(current.status ?? {}));
  return { finding, status: isLate ? outOfReachStatus(status, open) : status, evidence: evidenceOf(open) };
}

/** Which arm no policy profiles, and what to do; undefined when both are profiled. */
export function unprofiledSides({ gate, profiled }: Observed): string | undefined {
  const sides = (['baseline', 'canary'] as const).filter((side) => profiled[side] === 0);
  if (sides.length === 0) return undefined;
  return `no ProfilingPolicy of namespace ${gate.metadata.namespace} selects a pod of the ${sides.join(' and of the ')}: create one whose podSelector matches both arms`;
}

function newEvaluation(observed: Observed, about: Omit<NewEvaluation, 'attempt'>): NewEvaluation {
  return { attempt: (observed.evaluations.latest?.spec.attempt ?? 0) + 1, ...about };
}

/** Nothing of an arm whose pods say nothing. */
function builtFromIn(baseline: BuiltFrom, canary: BuiltFrom): Pick<NewEvaluation, 'builtFrom'> {
  const known = Object.entries({ baseline, canary }).filter(([, of]) => Object.keys(of).length > 0);
  return known.length === 0 ? {} : { builtFrom: Object.fromEntries(known) };
}

function superseded(observed: Observed, nowMs: number): Pick<Decision, 'close'> {
  const { latest } = observed.evaluations;
  if (!isOpen(latest)) return {};
  const message = 'a newer revision or a changed gate began a new evaluation before this one was decided';
  return { close: { report: latest, status: closed(latest, 'Superseded', message, nowMs) } };
}

function closed(
  report: RegressionReport,
  reason: string,
  message: string,
  atMs: number,
): RegressionReportStatus {
  return {
    ...report.status,
    verdict: 'Inconclusive',
    reason,
    message,
    startedAt: new Date(startedAtMs(report)).toISOString(),
    decidedAt: new Date(atMs).toISOString(),
  };
}
