import { dispatcherOf } from '../profile/machinery.ts';
import { NOWHERE } from '../profile/place.ts';
import {
  commonestStack,
  deepestExplaining,
  nameInStacks,
  type StackDeltas,
  stackDeltas,
  sumOf,
} from './attribution.ts';
import type { Doubt } from './doubt.ts';
import { erasedStacks } from './erased-stacks.ts';
import type { LookEvidence } from './look-evidence.ts';
import { type MovedCost, movedCost, shrunkNodes } from './moved-cost.ts';
import { isServicePath } from './new-hot-path.ts';
import { type NodeEvidence, weighNode } from './node-evidence.ts';
import type { Sightings } from './sightings.ts';
import { functionOf, type IndexedStack, nodeIsTotal, type StackIndex } from './stack-index.ts';
import type { Culprit, CulpritFrame } from './verdict.ts';

/** A proven growth, traced to the function that holds it. */
export interface Finding {
  readonly evidence: NodeEvidence;
  /** Set when other code shrank by what this grew: no regression. */
  readonly moved: MovedCost | undefined;
  /** What else than the version explains it, where something does. */
  readonly doubt?: Doubt;
}

const MOST_CULPRITS = 10;
const NEW_PART = 0.1; // of the canary's share: a baseline below that did not really have the function
const NESTED_PART = 0.6;
// Times the samples at which a growth was first proven. A source of its size is proven to have shrunk by then, a larger one mostly.
const PATIENCE = 2;

/** The canary's samples when the growth of a node was first proven. */
export type ProvenAt = Map<number, number>;

function firstProvenAt(provenAt: ProvenAt, node: number, { context }: LookEvidence): number {
  const known = provenAt.get(node) ?? context.canary.samples;
  provenAt.set(node, known);
  return known;
}

/**
 * The functions behind the growths of a look, the one to look at first first: the largest growth, except
 * that a caller comes after the function below it that holds most of what the caller gained.
 */
export function findCulprits(look: LookEvidence, index: StackIndex, provenAt: ProvenAt): Finding[] {
  if (look.grown.length === 0) return [];
  const deltas = stackDeltas(index, look.context, look.context.scale);
  const netDeltas = stackDeltas(index, look.context, look.sizeFactor.factor);
  const erased = erasedStacks(index, look.context);
  const shrunk = shrunkNodes(look);
  const found = new Map<number, Finding>();
  for (const grown of [...look.grown].sort((a, b) => b.delta - a.delta || a.node - b.node)) {
    // Below the margin only a path of the service's own counts.
    if (grown.delta <= look.margin && !isServicePath(grown.node, index, look.context)) continue;
    const node = deepestExplaining(grown.node, deltas);
    const waits = look.context.canary.samples < PATIENCE * firstProvenAt(provenAt, grown.node, look);
    const moved = movedCost(grown, look, netDeltas, { erased, waits, shrunk });
    const earlier = found.get(functionOf(node));
    if (earlier !== undefined && (earlier.moved === undefined || moved !== undefined)) continue;
    const evidence = weighNode(node, look.context);
    found.set(functionOf(node), { evidence, moved });
  }
  const findings = nestedFirst([...found.values()], deltas);
  return [...findings.filter(({ moved }) => !moved), ...findings.filter(({ moved }) => moved)];
}

function nestedFirst(descending: readonly Finding[], deltas: StackDeltas): Finding[] {
  const ordered: Finding[] = [];
  for (const finding of descending) {
    const inside = deltasInside(
      finding.evidence.node,
      ordered.map(({ evidence }) => evidence.node),
      deltas,
    );
    const caller = ordered.findIndex(
      ({ evidence }) =>
        nodeIsTotal(evidence.node) && (inside.get(evidence.node) ?? 0) >= NESTED_PART * evidence.delta,
    );
    if (caller < 0) ordered.push(finding);
    else ordered.splice(caller, 0, finding);
  }
  return ordered;
}

/** By each of some nodes: what the stacks gained that count for it and for the inner one. */
function deltasInside(inner: number, outer: readonly number[], deltas: StackDeltas): Map<number, number> {
  const sums = new Map<number, number>();
  const each = deltas.index.among(new Set(outer));
  for (const { id } of deltas.index.through(inner)) {
    each(id, (node) => sums.set(node, (sums.get(node) ?? 0) + (deltas.deltas[id] ?? 0)));
  }
  return sums;
}

/** The first ten findings as the report shows them. */
export function describeCulprits(
  findings: readonly Finding[],
  look: LookEvidence,
  { index, sightings }: { readonly index: StackIndex; readonly sightings: Sightings },
): Culprit[] {
  if (findings.length === 0) return [];
  const shown = findings.slice(0, MOST_CULPRITS);
  const part = look.namedPart;
  const deltas = stackDeltas(index, look.context, look.context.scale);
  const whole = {
    grown: unionOf(
      shown.filter(({ moved }) => moved === undefined),
      deltas,
    ),
    moved: unionOf(
      shown.filter(({ moved }) => moved !== undefined),
      deltas,
    ),
  };
  const { stackCounts } = look.context.canary;
  return shown.map(({ evidence, moved }) => {
    const stack = commonestStack(evidence.node, index, stackCounts);
    const dispatcher = stack && dispatcherOf(stack.frames);
    return {
      function: nameInStacks(evidence.node, index, stackCounts),
      place: sightings.placeOf(evidence.node, index),
      kind: moved ? 'Moved' : evidence.baselineShare < NEW_PART * evidence.canaryShare ? 'New' : 'Grown',
      selfOrTotal: nodeIsTotal(evidence.node) ? 'total' : 'self',
      deltaShare: evidence.delta * part,
      interval: [(evidence.delta - evidence.half) * part, (evidence.delta + evidence.half) * part],
      shareOfDelta: partOf(evidence.delta, moved ? whole.moved : whole.grown),
      baselineShare: evidence.baselineShare * part,
      canaryShare: evidence.canaryShare * part,
      stack: framesOf(stack, sightings),
      ...(dispatcher === undefined ? {} : { dispatcher }),
    };
  });
}

/** What they grew by together: a stack of a function and of its caller counts once. */
function unionOf(findings: readonly Finding[], deltas: StackDeltas): number {
  const nodes = new Set(findings.map(({ evidence }) => evidence.node));
  const stacks = new Set([...nodes].flatMap((node) => deltas.index.through(node)));
  return sumOf([...stacks], deltas);
}

/** Of rounding, and of a caller that lost elsewhere what it gained here, more than all would be left. */
const partOf = (delta: number, whole: number): number => (whole > 0 ? Math.min(1, delta / whole) : 1);

function framesOf(stack: IndexedStack | undefined, sightings: Sightings): readonly CulpritFrame[] {
  const places = stack && sightings.placesOf(stack);
  return (stack?.frames ?? []).map((name, depth) => ({ name, place: places?.[depth] ?? NOWHERE }));
}
