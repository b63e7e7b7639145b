/** Where each node of a diff tree lies: x and width as fractions of the whole, one row per depth. */
import type { DiffTree } from './diff.ts';
import { type Measure, nodeChange } from './flame-measure.ts';

/**
 * What the widths are. both: the larger of the two, so that what is new and what is gone are there alike. change: only what changed
 * beyond noise, by how much.
 */
export type WidthBasis = 'both' | 'baseline' | 'canary' | 'change';

/** How the nodes of a tree hang together. */
export interface TreeShape {
  /** Index after the last node of the subtree that begins at the same index. */
  readonly end: Int32Array;
  /** -1 for the root. */
  readonly parent: Int32Array;
  readonly rows: number;
}

export interface FlameLayout {
  readonly x: Float64Array;
  readonly width: Float64Array;
}

export function shapeOf(tree: Pick<DiffTree, 'depth'>): TreeShape {
  const nodes = tree.depth.length;
  const end = new Int32Array(nodes).fill(nodes);
  const parent = new Int32Array(nodes).fill(-1);
  const path: number[] = [];
  let rows = 0;
  for (let node = 0; node < nodes; node += 1) {
    const depth = tree.depth[node] ?? 0;
    while (path.length > depth) end[path.pop() ?? 0] = node;
    parent[node] = path.at(-1) ?? -1;
    path.push(node);
    rows = Math.max(rows, depth + 1);
  }
  return { end, parent, rows };
}

/** Children lie side by side from their parent's left edge; what is left over on the right is the parent's own. */
export function layoutFlame(
  tree: DiffTree,
  { parent }: TreeShape,
  { basis, measure }: { readonly basis: WidthBasis; readonly measure: Measure },
): FlameLayout {
  const weights = weightsOf(tree, parent, basis, measure);
  const nodes = weights.length;
  const all = (weights[0] ?? 0) > 0 ? (weights[0] ?? 1) : 1;
  const x = new Float64Array(nodes);
  const width = new Float64Array(nodes);
  const used = new Float64Array(nodes); // of each node by its children so far
  for (let node = 0; node < nodes; node += 1) {
    const above = parent[node] ?? -1;
    width[node] = (weights[node] ?? 0) / all;
    if (above < 0) continue;
    x[node] = (x[above] ?? 0) + (used[above] ?? 0);
    used[above] = (used[above] ?? 0) + (width[node] ?? 0);
  }
  return { x, width };
}

/** None is less than its children together. */
function weightsOf(tree: DiffTree, parent: Int32Array, basis: WidthBasis, measure: Measure): Float64Array {
  const nodes = tree.name.length;
  const weights = new Float64Array(nodes);
  const below = new Float64Array(nodes);
  for (let node = nodes - 1; node >= 0; node -= 1) {
    const own = ownWeight(tree, node, basis, measure);
    const weight = Math.max(own, below[node] ?? 0);
    weights[node] = weight;
    const above = parent[node] ?? -1;
    if (above >= 0) below[above] = (below[above] ?? 0) + weight;
  }
  return weights;
}

function ownWeight(tree: DiffTree, node: number, basis: WidthBasis, measure: Measure): number {
  const baseline = (tree.baseline[node] ?? 0) * measure.baseline.value;
  const canary = (tree.canary[node] ?? 0) * measure.canary.value;
  switch (basis) {
    case 'both':
      return Math.max(baseline, canary);
    case 'baseline':
      return baseline;
    case 'canary':
      return canary;
    case 'change':
      return nodeChange(tree, node, measure).beyondNoise ? Math.abs(canary - baseline) : 0;
  }
}

/** Samples of both profiles under the nodes that match, each sample once even where a match lies under a match. */
export function matchedCounts(tree: DiffTree, { end }: TreeShape, nameMatches: readonly boolean[]) {
  let nodes = 0;
  let baseline = 0;
  let canary = 0;
  let coveredUntil = 0;
  for (let node = 0; node < tree.name.length; node += 1) {
    if (nameMatches[tree.name[node] ?? 0] !== true) continue;
    nodes += 1;
    if (node >= coveredUntil) {
      baseline += tree.baseline[node] ?? 0;
      canary += tree.canary[node] ?? 0;
      coveredUntil = end[node] ?? 0;
    }
  }
  return { nodes, baseline, canary };
}

/** The node in a row at a fraction of the whole, or undefined. */
export function nodeAt(
  tree: DiffTree,
  { end }: TreeShape,
  { x, width }: FlameLayout,
  { row, at }: { readonly row: number; readonly at: number },
): number | undefined {
  for (let node = 0; node < tree.name.length; ) {
    const left = x[node] ?? 0;
    const isInside = at >= left && at < left + (width[node] ?? 0);
    if (isInside && tree.depth[node] === row) return node;
    node = isInside ? node + 1 : (end[node] ?? tree.name.length);
  }
  return undefined;
}
