/** A check of requests as the report shows it: its numbers, and a sentence with them. */
import { ASSUMED_OF_COST } from './cost-evidence.ts';
import { ASSUMED_OF_LATENCY } from './latency-evidence.ts';
import { type CheckKind, type RequestCheckState, worstRoute } from './request-check.ts';
import { notObservable, type RequestEvaluation } from './request-evaluation.ts';
import { COST, ERRORS, latencyCheckName } from './request-settings.ts';
import { BLOCK_MS } from './request-spread.ts';
import type { CheckNumbers, RequestCheck, RequestReason, Verdict } from './verdict.ts';

/** `ended`: what is not decided by now never will be. */
export function requestChecks(evaluation: RequestEvaluation, ended: boolean): RequestCheck[] {
  const unseen = notObservable(evaluation);
  return evaluation.checks.map((check) => {
    const name = nameOf(check);
    if (unseen !== undefined) {
      return { check: name, verdict: 'NotObservable', reason: 'NotObservable', message: unseen };
    }
    const verdict: Verdict = check.verdict === 'Collecting' && ended ? 'Inconclusive' : check.verdict;
    const numbers = numbersOf(check);
    const message = sentence(check, numbers, evaluation);
    return { check: name, verdict, reason: check.reason, message, ...(numbers && { numbers }) };
  });
}

function nameOf({ of }: RequestCheckState): string {
  switch (of.kind) {
    case 'latency':
      return latencyCheckName(of.settings);
    case 'errors':
      return ERRORS;
    case 'cost':
      return COST;
  }
}

/** As a sentence begins with it. */
function subjectOf(check: RequestCheckState): string {
  switch (check.of.kind) {
    case 'latency':
      return `P${nameOf(check).slice('latency.p'.length)} latency`;
    case 'errors':
      return 'failed requests';
    case 'cost':
      return 'CPU a request';
  }
}

function numbersOf(check: RequestCheckState): CheckNumbers | undefined {
  const { evidence, of } = check;
  if (evidence === undefined) return undefined;
  const { baseline, margin, detectable, onset } = evidence;
  const { effect, half } = onset ?? evidence;
  const route = worstRoute(check);
  const ms = (logGrowth: number): number => baseline * Math.expm1(logGrowth);
  const canary = onset === undefined ? evidence.canary : baseline + ms(effect);
  const common = { ...(route === undefined ? {} : { route }), baseline, canary };
  if (of.kind === 'errors') {
    const interval = [effect - half, effect + half] as const;
    return { unit: 'share', ...common, delta: effect, interval, margin, detectable };
  }
  return {
    unit: 'ms',
    ...common,
    delta: ms(effect),
    interval: [ms(effect - half), ms(effect + half)],
    margin: ms(margin),
    detectable: ms(detectable),
    ...(onset && { sinceMs: onset.block * BLOCK_MS }),
  };
}

function sentence(
  check: RequestCheckState,
  numbers: CheckNumbers | undefined,
  { arms, limits }: RequestEvaluation,
): string {
  const what = subjectOf(check);
  const served = `${Math.round(arms.canary.requests)} requests of ${arms.canary.pods.size} canary pods beside ${arms.baseline.pods.size} baseline pods`;
  return numbers === undefined ? withoutNumbers(check.reason) : withNumbers(check.reason, numbers);

  function withoutNumbers(reason: RequestReason): string {
    if (reason === 'TooMuchLoss') return lossSentence();
    if (reason === 'TooFewPods') return podsSentence();
    return `${what}: ${served} are too few to compare; more traffic or more time would settle it`;
  }

  function withNumbers(reason: RequestReason, seen: CheckNumbers): string {
    const show = formatOf(seen.unit);
    const change = `${show(seen.baseline)} → ${show(seen.canary)}, interval ${signed(seen.interval[0], show)} to ${signed(seen.interval[1], show)}`;
    const margin = `the margin of ${show(seen.margin)}`;
    const where = seen.route === undefined ? '' : `; most of it in ${seen.route}`;
    const since = seen.sinceMs === undefined ? '' : ` since minute ${seen.sinceMs / 60_000}`;
    const assumed = check.evidence?.assumedSpread === true ? assumption(check.of.kind) : '';
    switch (reason) {
      case 'LatencyGrew':
      case 'ErrorsGrew':
      case 'CostGrew':
        return `${what} grew by ${show(seen.delta)}${since}, ${over(seen)} ${margin} (${change})${where}${assumed}`;
      case 'NoRegression':
        return `${what} did not grow by ${margin} (${change})${assumed}`;
      case 'OnePod':
        return `${what} grew (${change}), but one of ${arms.canary.pods.size} canary pods carries more than 60 % of it; replace that pod or add others`;
      case 'TooMuchLoss':
        return lossSentence();
      case 'TooFewPods':
        return podsSentence();
      case 'MarginNotReached':
      case 'TooFewRequests':
      case 'NotObservable':
        return `${what} may still have grown by more than ${margin} (${change}); more requests, more pods or a wider margin would settle it (${served}; growth of ${show(seen.detectable)} would be seen by now)${assumed}`;
    }
  }

  function lossSentence(): string {
    const part = ({ lost, seen }: { lost: number; seen: number }): string =>
      formatOf('share')(lost / Math.max(1, lost + seen));
    return `${what}: of the baseline's requests ${part(arms.baseline)} were lost on the way and of the canary's ${part(arms.canary)}; the agents need more room`;
  }

  function podsSentence(): string {
    return `${what}: ${arms.baseline.pods.size} baseline and ${arms.canary.pods.size} canary pods served requests; with fewer than ${limits.minPods} an arm, a pod cannot be told from its version`;
  }
}

/** Proven growth may be found half a standard error below the margin: then nobody can say that it is within. */
const over = ({ delta, margin }: CheckNumbers): string =>
  delta > margin ? 'over' : 'which cannot be told from';

/** Said where too few pods, or requests, told how far pods differ: then the verdict rests on a number nobody measured here. */
function assumption(kind: CheckKind['kind']): string {
  switch (kind) {
    case 'latency':
      return `; that pods of one version differ by ${ASSUMED_OF_LATENCY.podSd * 100} % is assumed in part`;
    case 'errors':
      return '; that pods of one version differ by a third in failures is assumed in part';
    case 'cost':
      return `; that pods of one version differ by ${ASSUMED_OF_COST.podSd * 100} % is assumed in part`;
  }
}

type Format = (value: number) => string;

const formatOf = (unit: CheckNumbers['unit']): Format =>
  unit === 'ms' ? (value) => `${digits(value)} ms` : (value) => `${digits(value * 100)} %`;

const digits = (value: number): string =>
  Math.abs(value) >= 100 ? value.toFixed(0) : value.toFixed(Math.abs(value) >= 10 ? 1 : 2);

const signed = (value: number, show: Format): string => (value > 0 ? `+${show(value)}` : show(value));
