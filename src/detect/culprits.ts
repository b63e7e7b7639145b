import { NOWHERE } from '../profile/place.ts';
import { commonestStack, deepestExplaining, type StackDeltas, stackDeltas, sumOf } from './attribution.ts';
import type { LookEvidence } from './look-evidence.ts';
import { type MovedCost, movedCost } from './moved-cost.ts';
import { type NodeEvidence, weighNode } from './node-evidence.ts';
import type { Sightings } from './sightings.ts';
import { functionOf, type IndexedStack, nodeIsTotal, type StackIndex } from './stack-index.ts';
import type { ArmTally } from './tally.ts';
import type { Culprit, CulpritFrame } from './verdict.ts';

/** A proven growth, traced to the function that holds it. */
export interface Finding {
  readonly evidence: NodeEvidence;
  /** Set when other code shrank by what this grew: no regression. */
  readonly moved: MovedCost | undefined;
  /** Set when a single canary pod carries most of the excess. */
  readonly onePod: boolean;
}

const MOST_CULPRITS = 10;
const NEW_PART = 0.1; // of the canary's share: a baseline below that did not really have the function
const ONE_POD_PART = 0.6;
const LEAST_PODS_TO_BLAME_ONE = 3;
const NESTED_PART = 0.6;

/**
 * The functions behind the growths of a look, the one to look at first first: the largest growth, except
 * that a caller comes after the function below it that holds most of what the caller gained.
 */
export function findCulprits(look: LookEvidence, index: StackIndex): Finding[] {
  const deltas = stackDeltas(index, look.context, look.context.scale);
  const netDeltas = stackDeltas(index, look.context, look.sizeFactor.factor);
  const found = new Map<number, Finding>();
  for (const grown of [...look.grown].sort((a, b) => b.delta - a.delta || a.node - b.node)) {
    const node = deepestExplaining(grown.node, deltas);
    const moved = movedCost(grown, look, netDeltas);
    const earlier = found.get(functionOf(node));
    if (earlier !== undefined && (earlier.moved === undefined || moved !== undefined)) continue;
    const evidence = weighNode(node, look.context);
    found.set(functionOf(node), { evidence, moved, onePod: onePodCarries(evidence, look.context.canary) });
  }
  const findings = nestedFirst([...found.values()], deltas);
  return [...findings.filter(({ moved }) => !moved), ...findings.filter(({ moved }) => moved)];
}

function nestedFirst(descending: readonly Finding[], deltas: StackDeltas): Finding[] {
  const ordered: Finding[] = [];
  for (const finding of descending) {
    const caller = ordered.findIndex((earlier) => holdsMostOf(finding.evidence, earlier.evidence, deltas));
    if (caller < 0) ordered.push(finding);
    else ordered.splice(caller, 0, finding);
  }
  return ordered;
}

function holdsMostOf(inner: NodeEvidence, outer: NodeEvidence, deltas: StackDeltas): boolean {
  if (!nodeIsTotal(outer.node)) return false;
  const common = deltas.index.stacks.filter(
    ({ nodes }) => nodes.includes(inner.node) && nodes.includes(outer.node),
  );
  return sumOf(common, deltas) >= NESTED_PART * outer.delta;
}

function onePodCarries(evidence: NodeEvidence, canary: ArmTally): boolean {
  if (canary.pods.size < LEAST_PODS_TO_BLAME_ONE) return false;
  const excesses = [...canary.pods.values()].map((pod) =>
    Math.max(0, (pod.counts[evidence.node] ?? 0) - pod.samples * evidence.baselineShare),
  );
  return Math.max(...excesses) > ONE_POD_PART * excesses.reduce((sum, excess) => sum + excess, 0);
}

/** The first ten findings as the report shows them. */
export function describeCulprits(
  findings: readonly Finding[],
  look: LookEvidence,
  { index, sightings }: { readonly index: StackIndex; readonly sightings: Sightings },
): Culprit[] {
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
  return shown.map(({ evidence, moved }) => ({
    function: index.functions[functionOf(evidence.node)] ?? '',
    place: sightings.placeOf(evidence.node, index),
    kind: moved ? 'Moved' : evidence.baselineShare < NEW_PART * evidence.canaryShare ? 'New' : 'Grown',
    selfOrTotal: nodeIsTotal(evidence.node) ? 'total' : 'self',
    deltaShare: evidence.delta * part,
    interval: [(evidence.delta - evidence.half) * part, (evidence.delta + evidence.half) * part],
    shareOfDelta: partOf(evidence.delta, moved ? whole.moved : whole.grown),
    baselineShare: evidence.baselineShare * part,
    canaryShare: evidence.canaryShare * part,
    stack: framesOf(commonestStack(evidence.node, index, stackCounts), sightings),
  }));
}

/** What they grew by together: a stack of a function and of its caller counts once. */
function unionOf(findings: readonly Finding[], deltas: StackDeltas): number {
  const nodes = new Set(findings.map(({ evidence }) => evidence.node));
  return sumOf(
    deltas.index.stacks.filter((stack) => stack.nodes.some((node) => nodes.has(node))),
    deltas,
  );
}

/** Of rounding, and of a caller that lost elsewhere what it gained here, more than all would be left. */
const partOf = (delta: number, whole: number): number => (whole > 0 ? Math.min(1, delta / whole) : 1);

function framesOf(stack: IndexedStack | undefined, sightings: Sightings): readonly CulpritFrame[] {
  const places = stack && sightings.placesOf(stack);
  return (stack?.frames ?? []).map((name, depth) => ({ name, place: places?.[depth] ?? NOWHERE }));
}
