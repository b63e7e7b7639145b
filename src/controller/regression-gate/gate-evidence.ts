/** What a gate's status says of an open evaluation: its rate, when it will be decided, and whether that is in time. Pure. */
import type { GateEvidence } from '../../crds/gate-evidence.ts';
import { formatDuration, formatSharePercent } from '../../crds/quantities.ts';
import type { RegressionReportStatus } from '../../crds/regression-report.ts';
import type { Forecast } from '../../detect/forecast.ts';
import type { GateSettings } from '../../detect/gate-evaluation.ts';
import type { GateJudgement } from '../../detect/verdict.ts';
import type { Rate } from './sampling-rate.ts';

export interface OpenEvaluation {
  readonly startedAtMs: number;
  readonly settings: GateSettings;
  readonly forecast: Forecast | undefined;
  readonly rate: Rate;
}

const MOST = { message: 1024, rateMessage: 512 };

export function evidenceOf(open: OpenEvaluation): GateEvidence {
  const { startedAtMs, forecast, rate } = open;
  const rateMessage = rate.rateMessage.slice(0, MOST.rateMessage);
  if (forecast === undefined) {
    return { ...rate, rateMessage, message: 'nothing was seen yet to tell when it will be decided' };
  }
  const { passesAfterMs, samplesPerSecond, requestsPerSecond, detectableByDeadline } = forecast;
  return {
    ...rate,
    rateMessage,
    samplesPerSecond: perSecond(samplesPerSecond),
    ...(requestsPerSecond === undefined ? {} : { requestsPerSecond: perSecond(requestsPerSecond) }),
    ...(passesAfterMs === undefined
      ? {}
      : { expectedAt: new Date(startedAtMs + passesAfterMs).toISOString() }),
    ...(detectableByDeadline === undefined ? {} : { detectable: formatSharePercent(detectableByDeadline) }),
    message: expectation(open, forecast).slice(0, MOST.message),
  };
}

const perSecond = (value: number): string => String(Number(value.toPrecision(2)));

function expectation({ settings }: OpenEvaluation, forecast: Forecast): string {
  const { passesAfterMs, provesAfterMs } = forecast;
  const { functionMargin, deadlineMs } = settings;
  const twice = formatSharePercent(2 * functionMargin);
  const proven =
    provesAfterMs === undefined
      ? ''
      : `; half of the canaries in which a function takes ${twice} of CPU more are Failed by ${minutes(provesAfterMs)}`;
  if (passesAfterMs !== undefined && passesAfterMs <= deadlineMs)
    return `a harmless canary is Passed by ${minutes(passesAfterMs)} of ${minutes(deadlineMs)}${proven}`;
  return `${lateSentence(settings, forecast)}${proven}; ${remedySentence(settings, forecast)}`;
}

function lateSentence({ deadlineMs }: GateSettings, { passesAfterMs, slowest = '' }: Forecast): string {
  const passes =
    passesAfterMs === undefined
      ? 'is not Passed within a day'
      : `is Passed only by ${minutes(passesAfterMs)}`;
  const by = slowest === '' ? '' : ` (by ${slowest})`;
  return `a harmless canary ${passes}${by}, and the deadline is ${minutes(deadlineMs)}`;
}

/** What would settle it: each by itself. */
function remedySentence({ deadlineMs }: GateSettings, { remedies, byRate, passesAfterMs }: Forecast): string {
  const { canaries, functionMargin } = remedies;
  const rate = byRate.find((each) => (each.passesAfterMs ?? Number.POSITIVE_INFINITY) <= deadlineMs);
  const found = [
    ...(canaries === undefined ? [] : [`${canaries} times the canary pods with as much traffic each`]),
    ...(functionMargin === undefined
      ? []
      : [`checks.cpu.function.margin of ${formatSharePercent(functionMargin)}`]),
    ...(passesAfterMs === undefined ? [] : [`a deadline of ${minutes(passesAfterMs)}`]),
    ...(rate === undefined ? [] : [`${rate.hz} Hz`]),
  ];
  if (found.length === 0)
    return 'neither a day nor four times the canary pods would settle it: pods of one version differ too much for these margins';
  return `what would settle it: ${found.join(', or ')}`;
}

const minutes = (ms: number): string => formatDuration(Math.ceil(ms / 60_000) * 60_000);

/** Deadlines’ parts and looks before anybody gives up: a forecast rests on what was seen, and there is little in the first minutes. */
const EARLIEST_PART = 0.25;
const FEWEST_LOOKS = 6;
/** How far beyond the deadline even the best case has to be, to say so; and to go on saying so. */
const FAR = { first: 1.25, again: 1 };
const SAME_RATE = 1.05;

/** Reasons for which more time is all that could help: growth that was seen once, or data that lack, have their own to say. */
const WAITS_FOR_TIME = ['MarginNotReached', 'CostMoved', 'TooFewRequests'];

/** Whether Passed is out of reach by the deadline, whatever comes. */
export function isOutOfReach(
  { settings, forecast, rate }: OpenEvaluation,
  judgement: GateJudgement,
  saidBefore: boolean,
): boolean {
  if (forecast === undefined || judgement.verdict !== 'Collecting') return false;
  if (!WAITS_FOR_TIME.includes(judgement.reason) || judgement.looks < FEWEST_LOOKS) return false;
  const { afterMs, passesAtBestAfterMs = Number.POSITIVE_INFINITY, hz } = forecast;
  if (afterMs < Math.max(settings.minDurationMs, EARLIEST_PART * settings.deadlineMs)) return false;
  if (rate.frequencyHz > SAME_RATE * hz) return false; // it is about to be known sooner
  return passesAtBestAfterMs > (saidBefore ? FAR.again : FAR.first) * settings.deadlineMs;
}

export const OUT_OF_REACH = 'DeadlineOutOfReach';
const MAX_MESSAGE = 2048;

/** The evaluation goes on: the report has no `decidedAt`, and can still become Failed. */
export function outOfReachStatus(
  status: RegressionReportStatus,
  { settings, forecast }: OpenEvaluation,
): RegressionReportStatus {
  if (forecast === undefined) return status;
  const said = `Passed is out of reach: ${lateSentence(settings, forecast)}; ${remedySentence(settings, forecast)}; growth is looked for until then. ${status.message ?? ''}`;
  return {
    ...status,
    verdict: 'Inconclusive',
    reason: OUT_OF_REACH,
    message: said.slice(0, MAX_MESSAGE),
  };
}
