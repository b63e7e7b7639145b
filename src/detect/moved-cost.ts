import { besides, callersOf, functionsHolding, type StackDeltas } from './attribution.ts';
import { likeliestSource } from './cost-sources.ts';
import type { ErasedStacks } from './erased-stacks.ts';
import type { LookEvidence } from './look-evidence.ts';
import { halfWidthOf, type LookContext, type NodeEvidence, weighNode } from './node-evidence.ts';
import { functionOf, nodeIsTotal, totalNode } from './stack-index.ts';
import type { CodeChange } from './verdict.ts';

/** That a growth was matched by what shrank, and the most by which the place that holds both grew. */
export interface MovedCost {
  readonly netUpper: number;
  /** What a reader is told; undefined while what shrank is not proven to. */
  readonly change: CodeChange | undefined;
}

const MATCHED_PART = 0.5;
const NEW_PART = 0.1; // of the canary's share: a baseline below that did not really have the function
const NET_BOUND = 1.96;
// Over the whole program some functions always look as if they had shrunk (the JIT inlines them in one arm's pods only),
// and together they match anything. Cost that really moved has left one function, nearly whole.
const MATCHED_PART_ANYWHERE = 0.8;
// Of its own share: a function that kept less than this has gone, as one does that was renamed or whose work moved.
const GONE_PART = 0.2;
const NOTHING_GONE = { matched: 0, half: 0 };

/**
 * Whether a growth is cost that only changed its name. A rename, a method the JIT inlines in one arm and not
 * in the other, a refactoring: something grew, something else shrank by it, and both together cost what they did.
 * Looked for first in the likeliest source anywhere in the program, then in the function itself, in each caller on
 * its commonest stack and in what it calls.
 *
 * place                       the rest of it shrank by    net growth of the place   → moved
 * likeliest source            as much as a source would   ≤ margin, or unproven     → yes
 * own function, direct caller any, and it is not new      ≤ margin                  → yes
 * any                         ≥ half the growth, proven   ≤ margin                  → yes
 *                             the same, and no source     unproven                  → yes
 * otherwise                                                                         → no
 *
 * A source need not be proven while a growth is new (`waits`): what shrank by as much is proven a while after what grew. After that
 * something among hundreds of functions would always seem to have shrunk by enough.
 *
 * No proof is asked for next to a function that grew, where inlining puts the cost: the nearest code around it has to be
 * seen to cost more by the margin, or it is none. A new function takes its cost from somewhere by name.
 * With a source in sight the net growth is known best from both alone: a rename that made the function dearer, too,
 * would vanish in the noise of a caller of a tenth of the program.
 */
export function movedCost(
  growth: NodeEvidence,
  look: LookEvidence,
  deltas: StackDeltas,
  { erased, waits, shrunk }: Known,
): MovedCost | undefined {
  const likeliest = likeliestSource({ node: growth, look, deltas, erased });
  const source = likeliest?.isProven === true || waits ? likeliest : undefined;
  const margin = growth.delta > look.margin ? look.margin : look.newPathShare;
  const isNew = growth.baselineShare < NEW_PART * growth.canaryShare;
  const isOne =
    source !== undefined &&
    (waits || isNew ? isOneFunction(source.together, look.context, margin) : source.together.delta <= margin);
  if (isOne) {
    const { delta, half } = source.together;
    return { netUpper: delta + half, change: source.isProven ? source.change : undefined };
  }
  const round = { growth, look, deltas, isBeside: besides(growth.node, deltas.index) };
  for (const place of placesOf(round, shrunk)) {
    const matched = place.matched >= place.matchedPart * growth.delta && place.matched > place.proof;
    const netIsSmall = place.net <= margin;
    const netIsUnproven = source === undefined && place.net - place.half <= 0;
    const isMoved = (matched && (netIsSmall || netIsUnproven)) || (place.isNear && !isNew && netIsSmall);
    if (isMoved) return { netUpper: place.net + place.half, change: matched ? 'CostMoved' : undefined };
  }
  return undefined;
}

interface Known {
  readonly erased: ErasedStacks;
  readonly waits: boolean;
  /** `shrunkNodes` of the look. */
  readonly shrunk: readonly NodeEvidence[];
}

/** Whether what grew and what shrank, as one function, did not grow for all that is proven. */
const isOneFunction = ({ delta, logE }: NodeEvidence, { nodeAlpha }: LookContext, margin: number): boolean =>
  delta <= margin || logE < -Math.log(nodeAlpha);

interface Place {
  /** By how much the place as a whole grew, and the half-width of that. */
  readonly net: number;
  readonly half: number;
  /** By how much the place without the growth shrank, and what that has to exceed to be no accident. */
  readonly matched: number;
  readonly proof: number;
  /** How much of the growth has to be matched. */
  readonly matchedPart: number;
  readonly isNear: boolean;
}

function placesOf(round: Round, shrunk: readonly NodeEvidence[]): Place[] {
  const { growth, deltas } = round;
  const own = functionOf(growth.node);
  const callers = callersOf(growth.node, deltas.index, deltas.canaryCounts);
  const above = nodeIsTotal(growth.node) ? callers : [own, ...callers];
  const below = nodeIsTotal(growth.node) ? functionsHolding(growth.node, deltas) : [];
  const places = above.map((functionId, level) => placeAt(functionId, { ...round, isNear: level === 0 }));
  const inside = below.map(({ functionId }) => placeAt(functionId, { ...round, isNear: false }));
  return [...places, ...inside, ...wholeProgram(round, shrunk)];
}

/**
 * The whole program as a place. What else it does is far too much to have shrunk provably, so here what shrank
 * is the stacks through that one function which shrank most. Its net growth is what the size factor says. Where a
 * function is gone, the two of them are a place of their own.
 */
function wholeProgram(round: Round, shrunk: readonly NodeEvidence[]): Place[] {
  const { growth, look } = round;
  const { factor, logError } = look.sizeFactor;
  const losses = lossesBeside(new Set(shrunk.map(({ node }) => node)), round);
  const everywhere = {
    net: 1 - factor,
    half: NET_BOUND * factor * logError,
    matched: Math.max(0, ...losses.values()),
    proof: 0,
    matchedPart: MATCHED_PART_ANYWHERE,
    isNear: false,
  };
  const gone =
    shrunk
      .filter(({ canaryShare, baselineShare }) => canaryShare < GONE_PART * baselineShare)
      .map((node) => ({ node, matched: losses.get(node.node) ?? 0, half: node.half }))
      .filter(({ matched }) => matched > 0)
      .sort((a, b) => b.matched - a.matched)
      .find(({ node, matched }) => !absorbed(node, matched, round)) ?? NOTHING_GONE;
  const pair = {
    net: growth.delta - gone.matched,
    half: Math.hypot(growth.half, gone.half),
    matched: gone.matched,
    proof: 0,
    matchedPart: MATCHED_PART,
    isNear: false,
  };
  return [everywhere, pair];
}

/**
 * Whether the caller of a function that is gone costs what it did: then the JIT inlined it there, and what it lost matches
 * no growth elsewhere.
 */
function absorbed(gone: NodeEvidence, lost: number, { growth, look, deltas }: Round): boolean {
  const { canary, baseline } = look.context;
  const [caller] = callersOf(gone.node, deltas.index, baseline.stackCounts);
  if (caller === undefined || caller === callersOf(growth.node, deltas.index, canary.stackCounts)[0])
    return false;
  const { delta } = weighNode(totalNode(caller), { ...look.context, scale: look.sizeFactor.factor });
  return -delta < MATCHED_PART * lost;
}

/** What the stacks through each of some nodes lost, those through the growth left out. */
function lossesBeside(nodes: ReadonlySet<number>, { deltas, isBeside }: Round): Map<number, number> {
  const losses = new Map<number, number>();
  const { index } = deltas;
  const each = index.among(nodes);
  for (let stack = 0; stack < index.stacks.length; stack++) {
    if (isBeside[stack] === 0) continue;
    const loss = -(deltas.deltas[stack] ?? 0);
    each(stack, (node) => losses.set(node, (losses.get(node) ?? 0) + loss));
  }
  return losses;
}

/** Functions that are proven to take less. Scaled down only, for the reason that growth is scaled up only. */
export function shrunkNodes(look: LookEvidence): NodeEvidence[] {
  const context = { ...look.context, scale: Math.min(1, look.sizeFactor.factor) };
  return look.candidates
    .filter(({ canaryShare, baselineShare }) => canaryShare < baselineShare)
    .map(({ node }) => weighNode(node, context))
    .filter(({ delta, half }) => delta + half < 0);
}

interface Round {
  readonly growth: NodeEvidence;
  readonly look: LookEvidence;
  readonly deltas: StackDeltas;
  /** By stack: 1 where it does not count for the growth. */
  readonly isBeside: Uint8Array;
}
type Search = Round & { readonly isNear: boolean };

function placeAt(functionId: number, { look, deltas, isBeside, isNear }: Search): Place {
  const total = totalNode(functionId);
  const context = { ...look.context, scale: look.sizeFactor.factor };
  const whole = weighNode(total, context);
  const rest = { canary: 0, baseline: 0 };
  for (const { id } of deltas.index.through(total)) {
    if (isBeside[id] === 0) continue;
    rest.canary += context.canary.stackCounts[id] ?? 0;
    rest.baseline += context.baseline.stackCounts[id] ?? 0;
  }
  const restNoise = {
    canaryShare: rest.canary / context.canary.samples,
    baselineShare: (rest.baseline * context.scale) / context.baseline.samples,
    spread: context.dispersion.spreads[total] ?? { overdispersion: 1, podVariance: 0 },
  };
  return {
    net: whole.delta,
    // The size factor's own error matters where the place is a large part of the program.
    half: Math.hypot(whole.half, NET_BOUND * look.sizeFactor.logError * whole.baselineShare),
    matched: restNoise.baselineShare - restNoise.canaryShare,
    proof: halfWidthOf(restNoise, context),
    matchedPart: MATCHED_PART,
    isNear,
  };
}
