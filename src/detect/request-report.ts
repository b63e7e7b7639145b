/** A check of requests as the report shows it: its numbers, and a sentence with them. */

import { ASSUMED_OF_COST } from './cost-evidence.ts';
import { ADVICE, isDoubt } from './doubt.ts';
import { ASSUMED_OF_LATENCY } from './latency-evidence.ts';
import { type CheckKind, type RequestCheckState, worstRoute } from './request-check.ts';
import { lostBeforeLooks, notObservable, type RequestEvaluation } from './request-evaluation.ts';
import { detectableOf, numbersOf, requestCheckName } from './request-numbers.ts';
import type {
  CheckEvidence,
  CheckNumbers,
  LeftOutPod,
  RequestCheck,
  RequestReason,
  RouteEffect,
  Verdict,
} from './verdict.ts';

/** `ended`: what is not decided by now never will be. `routes`: what is known of each, to be named. */
export function requestChecks(
  evaluation: RequestEvaluation,
  ended: boolean,
  routes: readonly RouteEffect[] = [],
): RequestCheck[] {
  const unseen = notObservable(evaluation);
  const lost = lostBeforeLooks(evaluation);
  return evaluation.checks.map((check) => {
    const name = requestCheckName(check);
    if (unseen !== undefined) {
      return { check: name, verdict: 'NotObservable', reason: 'NotObservable', message: unseen };
    }
    const verdict: Verdict = check.verdict === 'Collecting' && ended ? 'Inconclusive' : check.verdict;
    if (lost !== undefined) {
      return { check: name, verdict, reason: 'TooMuchLoss', message: `${subjectOf(check)}: ${lost}` };
    }
    const numbers = checkNumbers(check);
    const grown = routes.filter((route) => route.check === name && route.isGrown);
    const message = sentence(check, numbers, { evaluation, grown });
    const evidence = evidenceOf(check);
    return {
      ...{ check: name, verdict, reason: check.reason, message },
      ...(numbers && { numbers }),
      ...(evidence && { evidence }),
    };
  });
}

/** Of each check that grew: what is left without each canary pod. */
export function leftOutPods({ checks }: RequestEvaluation): LeftOutPod[] {
  return checks.flatMap((check) => {
    const { evidence, of, leftOut } = check;
    if (evidence === undefined) return [];
    const shown = (effect: number): number =>
      of.kind === 'errors' ? effect : evidence.baseline * Math.expm1(effect);
    const rows = leftOut.filter(({ half }) => Number.isFinite(half));
    return rows.map(({ name, effect, half, stands }) => ({
      ...{ pod: name, check: requestCheckName(check) },
      ...{ effect: shown(effect), lower: shown(effect - half), upper: shown(effect + half) },
      verdictWithout: stands ? 'Failed' : 'Inconclusive',
    }));
  });
}

function evidenceOf({ of, alpha, evidence }: RequestCheckState): CheckEvidence | undefined {
  if (of.kind === 'cost' && !of.settings.decides) return undefined; // what it might spend, latency does
  return {
    level: alpha,
    logE: evidence?.logE ?? Number.NEGATIVE_INFINITY,
    neededLogE: -Math.log(alpha),
  };
}

/** As a sentence begins with it. */
function subjectOf(check: RequestCheckState): string {
  switch (check.of.kind) {
    case 'latency':
      return `P${requestCheckName(check).slice('latency.p'.length)} latency`;
    case 'errors':
      return 'failed requests';
    case 'cost':
      return 'CPU a request';
  }
}

function checkNumbers(check: RequestCheckState): CheckNumbers | undefined {
  const { evidence, of } = check;
  if (evidence === undefined) return undefined;
  const route = worstRoute(check);
  return {
    ...(route === undefined ? {} : { route }),
    ...numbersOf(of.kind, evidence),
    detectable: detectableOf(of.kind, evidence),
  };
}

function sentence(
  check: RequestCheckState,
  numbers: CheckNumbers | undefined,
  { evaluation, grown }: { readonly evaluation: RequestEvaluation; readonly grown: readonly RouteEffect[] },
): string {
  const { arms, limits } = evaluation;
  const what = subjectOf(check);
  const served = `${Math.round(arms.canary.requests)} requests of ${arms.canary.pods.size} canary pods beside ${arms.baseline.pods.size} baseline pods`;
  return numbers === undefined ? withoutNumbers(check.reason) : withNumbers(check.reason, numbers);

  function withoutNumbers(reason: RequestReason): string {
    if (reason === 'TooMuchLoss') return lossSentence();
    if (reason === 'TooFewPods') return podsSentence();
    return `${what}: ${served} are too few to compare`;
  }

  function withNumbers(reason: RequestReason, seen: CheckNumbers): string {
    const show = formatOf(seen.unit);
    const change = `${show(seen.baseline)} → ${show(seen.canary)}, interval ${signed(seen.interval[0], show)} to ${signed(seen.interval[1], show)}`;
    const margin = `the margin of ${show(seen.margin)}`;
    const where = grown.length > 0 ? routesSentence(grown) : mostOf(seen.route);
    const since = seen.sinceMs === undefined ? '' : ` since minute ${seen.sinceMs / 60_000}`;
    const assumed = check.evidence?.assumedSpread === true ? assumption(check.of.kind) : '';
    if (isDoubt(reason)) {
      const one = `one of ${arms.canary.pods.size} canary pods carries more than 60 % of it`;
      return `${what} grew (${change}), but ${check.evidence?.doubt?.message ?? one}${ADVICE[reason]}`;
    }
    switch (reason) {
      case 'LatencyGrew':
      case 'ErrorsGrew':
      case 'CostGrew':
        return `${what} grew by ${show(seen.delta)}${since}, ${over(seen)} ${margin} (${change})${where}${assumed}`;
      case 'NoRegression':
        return `${what} did not grow by ${margin} (${change})${assumed}`;
      case 'TooMuchLoss':
        return lossSentence();
      case 'TooFewPods':
        return podsSentence();
      case 'MarginNotReached':
      case 'TooFewRequests':
      case 'NotObservable':
        return `${what} may still have grown by more than ${margin} (${change}), by ${served}; growth of ${show(seen.detectable)} would be seen by now${assumed}`;
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
const mostOf = (route: string | undefined): string => (route === undefined ? '' : `; most of it in ${route}`);

const MOST_NAMED = 2;

/** "; GET /orders/{} carries 62 % of it (+15.0 ms), POST /orders 30 % (+8.10 ms), and 2 routes grew as well". */
function routesSentence(grown: readonly RouteEffect[]): string {
  const named = grown.slice(0, MOST_NAMED).map(({ route, shareOfDelta, numbers }, at) => {
    const carries = shareOfDelta === undefined ? '' : ` ${(shareOfDelta * 100).toFixed(0)} %`;
    const verb = at > 0 || carries === '' ? '' : ' carries';
    const by = numbers === undefined ? '' : ` (${signed(numbers.delta, formatOf(numbers.unit))})`;
    return `${route}${verb}${carries}${at > 0 || carries === '' ? '' : ' of it'}${by}`;
  });
  const more = grown.length - named.length;
  const others = more > 0 ? [`${more} more grew`] : [];
  return `; ${[...named, ...others].join(', ')}`;
}

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
