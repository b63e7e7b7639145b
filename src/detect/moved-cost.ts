import { commonestStack, type StackDeltas, sumOf } from './attribution.ts';
import type { LookEvidence } from './look-evidence.ts';
import { type NodeEvidence, weighNode } from './node-evidence.ts';
import { functionOf, type IndexedStack, nodeIsTotal, selfNode, totalNode } from './stack-index.ts';

/** Where a function's growth was matched by what shrank, and the most by which that place as a whole grew. */
export interface MovedCost {
  readonly netUpper: number;
}

const MATCHED_PART = 0.5;
const NET_BOUND = 1.96;

/**
 * Whether a growth is cost that only changed its name. A rename, a method the JIT inlines in one arm and not
 * in the other, a refactoring: something grew and something else shrank by it, and the code that calls both
 * costs what it did. Looked for in the function itself, in each caller on its commonest stack, and over the
 * whole program; `deltas` must be scaled by the size factor itself, so that net growth is kept.
 *
 * matched by decreases  net of the place         → moved
 * ≥ half the growth     ≤ margin, or unproven    → yes
 * ≥ half the growth     proven above the margin  → no: what came costs more than what went
 * less                  any                      → no
 */
export function movedCost(
  growth: NodeEvidence,
  look: LookEvidence,
  deltas: StackDeltas,
): MovedCost | undefined {
  const shrunk = shrunkNodes(look);
  const outside = deltas.index.stacks.filter((stack) => !stack.nodes.includes(growth.node));
  for (const place of placesOf(growth, look, deltas)) {
    const matching = outside.filter(
      (stack) => place.holds(stack) && stack.nodes.some((node) => shrunk.has(node) || place.near(node)),
    );
    const matched = -sumOf(matching, deltas);
    const netIsSmall = place.net <= look.context.margin || place.net - place.half <= 0;
    if (matched >= MATCHED_PART * growth.delta && netIsSmall) return { netUpper: place.net + place.half };
  }
  return undefined;
}

interface Place {
  readonly net: number;
  readonly half: number;
  holds(stack: IndexedStack): boolean;
  /** Nodes whose decrease counts here though it is not proven by itself. */
  near(node: number): boolean;
}

function placesOf(growth: NodeEvidence, look: LookEvidence, deltas: StackDeltas): Place[] {
  const grownFunction = functionOf(growth.node);
  const stack = commonestStack(growth.node, deltas);
  const callers = stack === undefined ? [] : callersOf(grownFunction, stack, deltas);
  const enclosing = nodeIsTotal(growth.node) ? callers : [grownFunction, ...callers];
  const unscaled = { ...look.context, scale: look.sizeFactor.factor };
  const places = enclosing.map((functionId, level): Place => {
    const total = totalNode(functionId);
    const evidence = weighNode(total, unscaled);
    // Next to the growth an inlined callee's cost goes to exactly one place: its caller's own samples, or back.
    const near = (node: number): boolean =>
      level === 0 &&
      (nodeIsTotal(growth.node) ? node === selfNode(functionId) : nodeIsTotal(node) && node !== total);
    return {
      net: evidence.delta,
      half: evidence.half,
      holds: (candidate) => candidate.nodes.includes(total),
      near: (node) => near(node),
    };
  });
  const { factor, logError } = look.sizeFactor;
  const whole: Place = {
    net: 1 - factor,
    half: NET_BOUND * factor * logError,
    holds: () => true,
    near: () => false,
  };
  return [...places, whole];
}

/** Functions above one on a stack, nearest first. */
function callersOf(functionId: number, stack: IndexedStack, deltas: StackDeltas): number[] {
  const { functions } = deltas.index;
  const at = stack.frames.indexOf(functions[functionId] ?? '');
  const ids = new Map(
    stack.nodes.filter(nodeIsTotal).map((node) => [functions[functionOf(node)], functionOf(node)]),
  );
  const callers = stack.frames.slice(at + 1).map((frame) => ids.get(frame));
  return [...new Set(callers.filter((id) => id !== undefined))].filter((id) => id !== functionId);
}

/** Nodes that certainly shrank. Scaled down only, for the reason growth is scaled up only. */
function shrunkNodes(look: LookEvidence): Set<number> {
  const context = { ...look.context, scale: Math.min(1, look.sizeFactor.factor) };
  const shrunk = new Set<number>();
  for (const { node, canaryShare, baselineShare } of look.candidates) {
    if (canaryShare >= baselineShare) continue;
    const evidence = weighNode(node, context);
    if (evidence.delta + evidence.half < 0) shrunk.add(node);
  }
  return shrunk;
}
