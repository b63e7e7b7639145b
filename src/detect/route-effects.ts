/**
 * What the routes say beside the sum that is tested. Routes are weights, not tests (docs/adr/0012-requests-against-a-weighted-baseline.md):
 * nothing here changes a verdict. Each is weighed as all of them together are, with how far pods stray in all of them.
 */
import { rejectedByEbh } from './e-bh.ts';
import { type EffectEvidence, growthExceedsMargin, growthIsProven } from './effect-evidence.ts';
import { failuresPerUnit, weighErrors } from './error-evidence.ts';
import { measureLatency, weighLatency } from './latency-evidence.ts';
import { LOOK_MS } from './looks.ts';
import { BOUND_ALPHA } from './node-evidence.ts';
import { concentrationOf } from './request-arms.ts';
import type { RequestCheckState } from './request-check.ts';
import type { RequestEvaluation } from './request-evaluation.ts';
import { numbersOf, requestCheckName } from './request-numbers.ts';
import { BLOCK_MS } from './request-spread.ts';
import { differenceOf, excessOf, type Restarts } from './restarts.ts';
import { OTHER_ROUTES, type RouteRecord } from './route-records.ts';
import type { RouteEffect } from './verdict.ts';

const MOST_SHOWN = 5; // of each check; a reader looks at the first one
// Of the routes that are named as grown, at most this part is not; as information, so less strict than what fails a gate.
const NAMED_ALPHA = BOUND_ALPHA;

/** The routes of every check that could be weighed, those with most of what the canary has too much of first. */
export function routeEffects(evaluation: RequestEvaluation): RouteEffect[] {
  const records = evaluation.routes.all;
  if (records.length < 2) return []; // then it is what the check says
  return evaluation.checks.flatMap((check) => effectsOf(check, records, evaluation));
}

interface Weighed {
  readonly record: RouteRecord;
  /** Requests of the canary that are beyond, or failed, and would not be in the baseline. */
  readonly excess: number;
  readonly evidence: EffectEvidence | undefined;
}

function effectsOf(
  check: RequestCheckState,
  records: readonly RouteRecord[],
  evaluation: RequestEvaluation,
): RouteEffect[] {
  if (check.of.kind === 'cost' || check.evidence === undefined || check.spread === undefined) return [];
  const at = evaluation.checks.filter(({ of }) => of.kind === 'latency').indexOf(check);
  const weighed = records.map((record) => ({
    record,
    excess: excessIn(record, check, at),
    evidence: record.name === undefined ? undefined : weigh(record, at, { check, evaluation }),
  }));
  const grown = new Set(grownOf(weighed));
  const whole = weighed.reduce((sum, { excess }) => sum + excess, 0);
  const hasGrown = check.verdict === 'Failed' || growthIsProven(check.evidence);
  const share = (excess: number) => (hasGrown && whole > 0 ? { shareOfDelta: excess / whole } : {});
  const ordered = weighed.toSorted(
    (a, b) => Number(grown.has(b)) - Number(grown.has(a)) || b.excess - a.excess,
  );
  const name = requestCheckName(check);
  const most = ordered.length === MOST_SHOWN + 1 ? ordered.length : MOST_SHOWN; // a row for one is that one's
  const shown = ordered.slice(0, most).map((one) => ({
    check: name,
    route: one.record.key,
    requests: one.record.sums.canary.requests,
    ...share(one.excess),
    isGrown: grown.has(one),
    ...(one.evidence && { numbers: numbersOf(check.of.kind, asShown(one.evidence, grown.has(one))) }),
  }));
  const folded = ordered.slice(shown.length);
  if (folded.length === 0) return shown;
  return [
    ...shown,
    {
      check: name,
      route: `${folded.length} ${OTHER_ROUTES}`,
      requests: folded.reduce((sum, { record }) => sum + record.sums.canary.requests, 0),
      ...share(folded.reduce((sum, { excess }) => sum + excess, 0)),
      isGrown: folded.some((one) => grown.has(one)),
    },
  ];
}

/** Since when a route grew that did not is no news. */
function asShown(evidence: EffectEvidence, isGrown: boolean): EffectEvidence {
  if (isGrown || evidence.onset === undefined) return evidence;
  const { onset: _, ...whole } = evidence;
  return whole;
}

function excessIn({ sums, tails }: RouteRecord, { of, evidence }: RequestCheckState, at: number): number {
  if (of.kind === 'errors') return sums.canary.failures - sums.baseline.failures;
  const shared = tails[at]?.shared;
  return shared === undefined ? 0 : excessSince(shared, evidence?.onset?.block);
}

/** Where growth began later than the gate, what came before it is taken from what came after, request by request. */
function excessSince({ sum, starts }: Restarts, block: number | undefined): number {
  const start = starts.find((one) => one.block === block);
  if (start === undefined) return sum.counted - sum.expected;
  const after = differenceOf(sum, start.before);
  if (after.requests === 0 || start.before.requests === 0) return 0;
  return (excessOf(after) - excessOf(start.before)) * after.requests;
}

function weigh(
  { sums, tails }: RouteRecord,
  at: number,
  { check, evaluation }: { readonly check: RequestCheckState; readonly evaluation: RequestEvaluation },
): EffectEvidence | undefined {
  const { arms, boundFactor } = evaluation;
  const { of, counts, spread, alpha, bound } = check;
  const tail = tails[at];
  if (spread === undefined) return undefined;
  const look = {
    ...{ counts, spread: spread.of, alpha, boundFactor },
    concentration: concentrationOf(arms.canary) + concentrationOf(arms.baseline),
    blocks: (arms.looks * LOOK_MS) / BLOCK_MS,
  };
  if (of.kind === 'errors') {
    if (failuresPerUnit(sums) === undefined) return undefined;
    return weighErrors({ ...look, arms: sums, margin: of.settings.margin });
  }
  if (of.kind !== 'latency' || bound === undefined || tail?.threshold === undefined) return undefined;
  const measure = measureLatency(sums, of.settings, tail.threshold);
  if (measure === undefined) return undefined;
  return weighLatency({ ...look, bound, measure, restarts: tail.own, check: of.settings, looks: arms.looks });
}

/** By e-BH, surely more than nothing, and by more than the margin. */
function grownOf(weighed: readonly Weighed[]): Weighed[] {
  const known = weighed.filter(({ evidence }) => evidence !== undefined);
  const logEs = known.map(({ evidence }) => evidence?.logE ?? Number.NEGATIVE_INFINITY);
  return rejectedByEbh(logEs, NAMED_ALPHA)
    .map((index) => known[index])
    .filter((one) => one !== undefined)
    .filter(({ evidence }) => evidence !== undefined && isGrowth(evidence));
}

function isGrowth(evidence: EffectEvidence): boolean {
  const { effect, half } = evidence.onset ?? evidence;
  return effect - half > 0 && growthExceedsMargin(evidence);
}
