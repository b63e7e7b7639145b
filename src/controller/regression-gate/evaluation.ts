/** An evaluation is one RegressionReport: a pair of revisions, the gate's generation, an attempt. Pure. */
import type { RegressionGate } from '../../crds/regression-gate.ts';
import type { RegressionReport, RegressionReportStatus } from '../../crds/regression-report.ts';
import { reportsOf } from '../../crds/revision-verdict.ts';
import type { Arms } from './arms.ts';
import { OUT_OF_REACH } from './gate-evidence.ts';

export interface Pair {
  readonly baselineHash: string;
  readonly canaryHash: string;
}

export interface Evaluations {
  /** Of this pair; an older generation counts only when a new one cannot be opened any more. */
  readonly current: RegressionReport | undefined;
  readonly latest: RegressionReport | undefined;
  /** Newest first. */
  readonly all: readonly RegressionReport[];
}

export function evaluationsOf(
  gate: RegressionGate,
  reports: readonly RegressionReport[],
  arms: Arms,
): Evaluations {
  const all = reportsOf(gate, reports);
  const pair = pairOf(arms);
  const ofPair = all.filter(({ spec }) => pair !== undefined && isSamePair(spec, pair));
  const ofGeneration = ofPair.find(({ spec }) => spec.gateGeneration === gate.metadata.generation);
  const current = ofGeneration ?? (arms.kind === 'BaselineGone' ? ofPair[0] : undefined);
  return { current, latest: all[0], all };
}

export function pairOf(arms: Arms): Pair | undefined {
  switch (arms.kind) {
    case 'Pair':
      return { baselineHash: arms.baseline.hash, canaryHash: arms.canary.hash };
    case 'BaselineGone':
      return { baselineHash: arms.baselineHash, canaryHash: arms.canary.hash };
    case 'TargetNotFound':
    case 'NoPair':
      return undefined;
  }
}

/** Also one that is Inconclusive because Passed is out of reach: it is looked at until its deadline. */
export const isOpen = (report: RegressionReport | undefined): report is RegressionReport =>
  report !== undefined && (isOpenStatus(report.status ?? {}) || saysOutOfReach(report.status ?? {}));

/** What runs now has an evaluation that is open, or about to be opened. */
export const isJudged = (current: RegressionReport | undefined, arms: Arms): boolean =>
  current === undefined ? arms.kind === 'Pair' : isOpen(current);

const isOpenStatus = ({ verdict = 'Collecting' }: RegressionReportStatus): boolean =>
  verdict === 'Collecting';

export const saysOutOfReach = ({ verdict, reason, decidedAt }: RegressionReportStatus): boolean =>
  verdict === 'Inconclusive' && reason === OUT_OF_REACH && decidedAt === undefined;

/** Kept in the report, so that a restarted controller goes on where the last one was. */
export const startedAtMs = ({ metadata, status }: RegressionReport): number =>
  Date.parse(status?.startedAt ?? metadata.creationTimestamp);

export const reportName = (gate: string, attempt: number): string => `${gate.slice(0, 240)}-${attempt}`;

const isSamePair = (a: Pair, b: Pair): boolean =>
  a.baselineHash === b.baselineHash && a.canaryHash === b.canaryHash;
