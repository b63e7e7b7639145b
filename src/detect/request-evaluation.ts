import { requestsIn } from '../requests/request-window.ts';
import { boundFactor } from './bound-factor.ts';
import { type ArmWindows, type Block, LOOK_MS } from './looks.ts';
import { BOUND_ALPHA } from './node-evidence.ts';
import { addFacts, agedAlike, createGateFacts, type GateFacts } from './pod-facts.ts';
import type { PodWindow } from './pod-window.ts';
import {
  addRequests,
  createRequestArms,
  type RequestArm,
  type RequestArms,
  type Stratum,
  strataWithin,
} from './request-arms.ts';
import {
  type CheckKind,
  type ComparedStrata,
  decideCheck,
  observe,
  openCheck,
  type RequestCheckState,
  type TrustedStrata,
} from './request-check.ts';
import { costAlpha, errorAlpha, latencyAlpha, type RequestSettings } from './request-settings.ts';
import { BLOCK_MS } from './request-spread.ts';
import { RouteRecords } from './route-records.ts';
import { TRUSTED_ALPHA } from './trusted-requests.ts';
import { trustedPart } from './trusted-windows.ts';
import type { RequestReason } from './verdict.ts';

/** The requests of an evaluation as far as its blocks have been looked at. */
export interface RequestEvaluation {
  readonly startedAtMs: number;
  readonly limits: RequestLimits;
  readonly boundFactor: number;
  /** The same at any look from the first on, at TRUSTED_ALPHA. */
  readonly trustedFactor: number;
  readonly arms: RequestArms;
  readonly facts: GateFacts;
  readonly checks: readonly RequestCheckState[];
  /** Information beside the checks. */
  readonly routes: RouteRecords;
  readonly visible: { readonly baseline: Visibility; readonly canary: Visibility };
  /** Of the last look that both arms had requests in. */
  lastLookAtMs: number | undefined;
}

export interface RequestLimits {
  readonly falseFailureRate: number;
  readonly minDurationMs: number;
  readonly deadlineMs: number;
  readonly minPods: number;
  readonly maxLossShare: number;
  readonly podVarianceFactor?: number;
}

/** What an arm's windows say of whether its requests can be seen. */
interface Visibility {
  watched: boolean;
  /** Of a window whose requests cannot be seen: why. */
  hidden: string | undefined;
  /** Requests of all windows, also of those that had nothing beside them. */
  seen: number;
  lost: number;
}

/** `history`: the baseline's windows of before the rollout, for how far its pods stray; may be empty. */
export function openRequestEvaluation(
  settings: RequestSettings,
  limits: RequestLimits,
  startedAtMs: number,
  history: readonly PodWindow[] = [],
): RequestEvaluation {
  const kinds: readonly CheckKind[] = [
    ...settings.latency.map((latency) => ({ kind: 'latency' as const, settings: latency })),
    ...(settings.errors === undefined ? [] : [{ kind: 'errors' as const, settings: settings.errors }]),
    ...(settings.cost === undefined ? [] : [{ kind: 'cost' as const, settings: settings.cost }]),
  ];
  const checks = kinds.map((kind) =>
    openCheck(kind, alphaOf(kind, limits.falseFailureRate, settings), limits.deadlineMs / BLOCK_MS),
  );
  const growth = limits.deadlineMs / Math.max(LOOK_MS, limits.minDurationMs);
  const unknown = (): Visibility => ({ watched: false, hidden: undefined, seen: 0, lost: 0 });
  const evaluation = {
    startedAtMs,
    limits,
    boundFactor: boundFactor(BOUND_ALPHA, growth),
    trustedFactor: boundFactor(TRUSTED_ALPHA, limits.deadlineMs / LOOK_MS),
    arms: createRequestArms(),
    facts: createGateFacts(),
    checks,
    routes: new RouteRecords(
      settings.latency.map(({ quantile }) => quantile),
      limits.deadlineMs / BLOCK_MS,
    ),
    visible: { baseline: unknown(), canary: unknown() },
    lastLookAtMs: undefined,
  };
  observeHistory(evaluation, history);
  return evaluation;
}

function alphaOf(check: CheckKind, falseFailureRate: number, settings: RequestSettings): number {
  switch (check.kind) {
    case 'latency':
      return latencyAlpha(falseFailureRate, settings, check.settings);
    case 'errors':
      return errorAlpha(falseFailureRate);
    case 'cost':
      return costAlpha(falseFailureRate);
  }
}

function observeHistory({ checks, startedAtMs }: RequestEvaluation, history: readonly PodWindow[]): void {
  const before = history.filter(({ endMs }) => endMs <= startedAtMs);
  for (const [block, baseline] of Map.groupBy(before, ({ startMs }) => blockOf(startMs, startedAtMs))) {
    for (const check of checks) observe(check, { block, baseline, canary: [], strata: [] });
  }
}

const blockOf = (atMs: number, startedAtMs: number): number => Math.floor((atMs - startedAtMs) / BLOCK_MS);

export function advanceRequests(evaluation: RequestEvaluation, block: Block): void {
  const { arms, checks, facts, limits, startedAtMs, visible } = evaluation;
  addFacts(facts, block);
  look(visible.baseline, block.baseline);
  look(visible.canary, block.canary);
  const strata = addRequests(arms, block);
  if (strata.length === 0) return;
  evaluation.lastLookAtMs = block.lookAtMs;
  const elapsedMs = block.lookAtMs - startedAtMs;
  const { baseline, canary } = block;
  const number = blockOf(block.lookAtMs - 1, startedAtMs);
  const trusted = trustedStrata(arms, block, { facts, strata });
  const { served } = facts.maturity;
  const observed = { block: number, baseline, canary, strata, trusted, ...(served > 0 && { served }) };
  const round = {
    arms,
    facts,
    boundFactor: evaluation.boundFactor,
    trustedFactor: evaluation.trustedFactor,
    podVarianceFactor: limits.podVarianceFactor ?? 1,
    block: number,
    blocks: (arms.looks * LOOK_MS) / BLOCK_MS,
    lookAtMs: block.lookAtMs,
    mayPass: elapsedMs >= limits.minDurationMs,
    unusable: unusableBecause(arms, limits),
  };
  for (const check of checks) {
    if (check.verdict !== 'Collecting') continue;
    observe(check, observed);
    decideCheck(check, round);
  }
  const ofLatency = checks.filter(({ of }) => of.kind === 'latency');
  const thresholds = ofLatency.map(({ threshold }) => threshold);
  evaluation.routes.add(number, strata, { routes: arms.routes, thresholds });
}

const FEWEST_TWINS = 2;

/** Strata of what can be trusted of a block; the same ones where that is all of it. */
function trustedStrata(
  arms: RequestArms,
  block: Block,
  { facts, strata }: { readonly facts: GateFacts; readonly strata: readonly Stratum[] },
): TrustedStrata {
  const part = trustedPart(block, facts);
  const twins = agedAlike(facts);
  return {
    part,
    strata: part.groups?.flatMap((group) => strataWithin(arms, group)) ?? strata,
    inversePods: inversePodsOf(part.groups ?? [block]),
    ...(twins.size >= FEWEST_TWINS && { besideTwins: besideTwins(arms, block, twins) }),
  };
}

function besideTwins(arms: RequestArms, block: Block, twins: ReadonlySet<string>): ComparedStrata {
  const group = { canary: block.canary, baseline: block.baseline.filter(({ pod }) => twins.has(pod)) };
  return { strata: strataWithin(arms, group), inversePods: inversePodsOf([group]) };
}

/** 1/pods of both arms, together, of those that have somebody beside them. */
function inversePodsOf(groups: readonly ArmWindows[]): number {
  const compared = groups.filter(({ baseline, canary }) => baseline.length > 0 && canary.length > 0);
  const podsIn = (arm: keyof ArmWindows): number =>
    new Set(compared.flatMap((group) => group[arm].map(({ pod }) => pod))).size;
  return 1 / Math.max(1, podsIn('canary')) + 1 / Math.max(1, podsIn('baseline'));
}

function look(visibility: Visibility, windows: readonly PodWindow[]): void {
  for (const { requests } of windows) {
    if (requests?.state === 'Seen') visibility.watched = true;
    if (requests?.state === 'NotObservable') visibility.hidden = requests.message;
    visibility.seen += requestsIn(requests?.routes ?? []);
    visibility.lost += requests?.lost ?? 0;
  }
}

function unusableBecause(arms: RequestArms, limits: RequestLimits): RequestReason | undefined {
  const both = [arms.canary, arms.baseline];
  const lostTooMuch = ({ lost, seen }: RequestArm): boolean => lost > limits.maxLossShare * (lost + seen);
  if (both.some(lostTooMuch)) return 'TooMuchLoss';
  return both.some(({ pods }) => pods.size < limits.minPods) ? 'TooFewPods' : undefined;
}

/** That there is nothing to compare because too many requests were lost, in a sentence: they could have been seen. */
export function lostBeforeLooks({ arms, visible, limits }: RequestEvaluation): string | undefined {
  const { baseline, canary } = visible;
  const part = ({ lost, seen }: Visibility): number => lost / Math.max(1, lost + seen);
  if (arms.looks > 0 || Math.max(part(baseline), part(canary)) <= limits.maxLossShare) return undefined;
  const [ofBaseline, ofCanary] = [baseline, canary].map((arm) => `${(100 * part(arm)).toFixed(0)} %`);
  return `of the baseline's requests ${ofBaseline} were lost on the way and of the canary's ${ofCanary}: none could be compared`;
}

/** Why there is nothing to compare, in a sentence; undefined when both arms had requests. */
export function notObservable(evaluation: RequestEvaluation): string | undefined {
  const { arms, visible } = evaluation;
  if (arms.looks > 0 || lostBeforeLooks(evaluation) !== undefined) return undefined;
  for (const arm of ['baseline', 'canary'] as const) {
    const { watched, hidden } = visible[arm];
    if (hidden !== undefined && !watched) return `requests of the ${arm} cannot be seen: ${hidden}`;
    if (!watched) return `no agent watches the requests of the ${arm}`;
  }
  return 'no request came to both arms at the same time';
}
