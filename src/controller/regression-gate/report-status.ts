/** What a judgement looks like in a RegressionReport. Pure. */
import {
  formatEvidence,
  formatLatencyMs,
  formatSharePercent,
  formatShareRange,
} from '../../crds/quantities.ts';
import type {
  RegressionReport,
  RegressionReportStatus,
  ReportCheck,
  Culprit as ReportedCulprit,
} from '../../crds/regression-report.ts';
import type {
  CheckEvidence,
  CheckNumbers,
  CpuCheck,
  Culprit,
  CulpritFrame,
  GateJudgement,
  RequestCheck,
} from '../../detect/verdict.ts';
import { NOWHERE, parsePlace } from '../../profile/place.ts';
import { startedAtMs } from './evaluation.ts';
import { detailsOf, effectFields, formatIn } from './report-details.ts';
import { boundedStatus } from './report-size.ts';

// The bounds in the kind's schema: the API server refuses a status that exceeds one of them.
const MAX_CULPRITS = 10;
const MAX_STACK = 64;
const MAX_NAME = 512;
const MAX_FILE = 128;
const MAX_GROUP = 256;
const MAX_DISPATCHER = 128;
const MAX_MESSAGE = 2048;

export function reportOf(
  report: RegressionReport,
  judgement: GateJudgement,
  nowMs: number,
): RegressionReportStatus {
  const { verdict, reason, samples, pods, checks, culprits, groups, flags } = judgement;
  const decided =
    verdict === 'Collecting'
      ? {}
      : { decidedAt: new Date(judgement.decidedAtMs ?? nowMs).toISOString(), latched: verdict === 'Failed' };
  return boundedStatus({
    verdict,
    reason,
    message: cut(judgement.message, MAX_MESSAGE),
    startedAt: new Date(startedAtMs(report)).toISOString(),
    ...decided,
    pods: { ...pods },
    samples: { ...samples },
    checks: checks.map((check) => ('function' in check ? functionCheck(check) : requestCheck(check))),
    culprits: culprits.slice(0, MAX_CULPRITS).map(asCulprit),
    groups: groups.map(({ group, baselineShare, canaryShare }) => ({
      group: cut(group, MAX_GROUP),
      baseline: formatSharePercent(baselineShare),
      canary: formatSharePercent(canaryShare),
    })),
    ...detailsOf(judgement),
    flags: [...flags].slice(0, MAX_FLAGS),
    ...flagFields(judgement),
  });
}

const MAX_FLAGS = 32;
const MAX_FLAG_MESSAGE = 512;

const flagFields = ({ flagDetails = [] }: GateJudgement): Pick<RegressionReportStatus, 'flagDetails'> =>
  flagDetails.length === 0
    ? {}
    : {
        flagDetails: flagDetails
          .slice(0, MAX_FLAGS)
          .map(({ flag, message }) => ({ flag, message: cut(message, MAX_FLAG_MESSAGE) })),
      };

const functionCheck = (check: CpuCheck): ReportCheck => ({
  check: check.check,
  subject: cut(check.function, MAX_NAME),
  baseline: formatSharePercent(check.baseline),
  canary: formatSharePercent(check.canary),
  delta: signed(check.delta),
  interval: formatShareRange(check.interval),
  margin: formatSharePercent(check.margin),
  detectable: formatSharePercent(check.detectable),
  verdict: check.verdict,
  ...evidenceFields(check.evidence),
});

const MAX_CHECK_MESSAGE = 1024;

const requestCheck = ({ check, verdict, message, numbers, evidence }: RequestCheck): ReportCheck => ({
  check,
  verdict,
  message: cut(message, MAX_CHECK_MESSAGE),
  ...(numbers === undefined ? {} : reportedNumbers(numbers)),
  ...(evidence === undefined ? {} : evidenceFields(evidence)),
});

const evidenceFields = ({ level, logE, neededLogE }: CheckEvidence) => ({
  falseFailureRate: formatSharePercent(level),
  evidence: formatEvidence(logE),
  evidenceNeeded: formatEvidence(neededLogE),
});

const reportedNumbers = (numbers: CheckNumbers): Omit<ReportCheck, 'check' | 'verdict'> => ({
  ...(numbers.route === undefined ? {} : { subject: cut(numbers.route, MAX_NAME) }),
  ...effectFields(numbers),
  margin: formatIn(numbers.unit, numbers.margin),
  detectable: formatIn(numbers.unit, numbers.detectable),
});

const asCulprit = (culprit: Culprit): ReportedCulprit => ({
  function: cut(culprit.function, MAX_NAME),
  ...placeFields(culprit.place),
  kind: culprit.kind,
  baseline: formatSharePercent(culprit.baselineShare),
  canary: formatSharePercent(culprit.canaryShare),
  delta: signed(culprit.deltaShare),
  interval: formatShareRange(culprit.interval),
  ...(culprit.dispatcher === undefined ? {} : { dispatcher: cut(culprit.dispatcher, MAX_DISPATCHER) }),
  ...(culprit.route === undefined ? {} : { route: cut(culprit.route, MAX_NAME) }),
  shareOfDelta: formatSharePercent(culprit.shareOfDelta),
  ...(culprit.perRequestMs === undefined
    ? {}
    : { perRequest: formatLatencyMs(culprit.perRequestMs, { sign: true }) }),
  stack: culprit.stack.slice(0, MAX_STACK).map(frameText),
});

function placeFields(text: string): Pick<ReportedCulprit, 'file' | 'line'> {
  const place = parsePlace(text);
  if (place === undefined) return {};
  return { file: cut(place.file, MAX_FILE), ...(place.line === undefined ? {} : { line: place.line }) };
}

/** As a stack trace of the JVM has it. */
const frameText = ({ name, place }: CulpritFrame): string =>
  place === NOWHERE ? cut(name, MAX_NAME) : cut(`${name} (${place})`, MAX_NAME);

const signed = (share: number): string => formatSharePercent(share, { sign: true });

const cut = (text: string, length: number): string =>
  text.length <= length ? text : `${text.slice(0, length - 1)}…`;
