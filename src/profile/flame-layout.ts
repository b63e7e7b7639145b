/** Where each node of a diff tree lies: x and width as fractions of the whole, one row per depth. */
import type { DiffTree } from './diff.ts';

/** Whose shares are the widths. */
export type WidthBasis = 'baseline' | 'canary';

export interface FlameLayout {
  readonly x: Float64Array;
  readonly width: Float64Array;
  /** Index after the last node of the subtree that begins at the same index. */
  readonly end: Int32Array;
  /** -1 for the root. */
  readonly parent: Int32Array;
  readonly rows: number;
}

/** Children lie side by side from their parent's left edge; what is left over on the right is the parent's own. */
export function layoutFlame(tree: DiffTree, basis: WidthBasis): FlameLayout {
  const nodes = tree.name.length;
  const weight = tree[basis];
  const all = Math.max(1, weight[0] ?? 0);
  const x = new Float64Array(nodes);
  const width = new Float64Array(nodes);
  const end = new Int32Array(nodes).fill(nodes);
  const parent = new Int32Array(nodes).fill(-1);
  const path: number[] = [];
  const nextX: number[] = [0];
  let rows = 0;
  for (let node = 0; node < nodes; node += 1) {
    const depth = tree.depth[node] ?? 0;
    closeSubtrees(path, depth, node, end);
    parent[node] = path.at(-1) ?? -1;
    x[node] = nextX[depth] ?? 0;
    width[node] = (weight[node] ?? 0) / all;
    nextX[depth] = (x[node] ?? 0) + (width[node] ?? 0);
    nextX[depth + 1] = x[node] ?? 0;
    path.push(node);
    rows = Math.max(rows, depth + 1);
  }
  return { x, width, end, parent, rows };
}

function closeSubtrees(path: number[], depth: number, node: number, end: Int32Array): void {
  while (path.length > depth) {
    const closed = path.pop();
    if (closed !== undefined) {
      end[closed] = node;
    }
  }
}

/** A change of shares with what is needed to tell it from chance. */
export interface ShareChange {
  readonly baselineShare: number;
  readonly canaryShare: number;
  readonly delta: number;
  /** False while two profiles of the same program would often differ as much. */
  readonly beyondNoise: boolean;
}

/**
 * Two samples of a share, compared: beyond noise from two standard errors of a pooled proportion on. That is sampling
 * noise of independent samples only; a verdict takes the pods' own variance into account, a picture does not.
 */
export function shareChange(tree: DiffTree, node: number): ShareChange {
  const baselineTotal = tree.baseline[0] ?? 0;
  const canaryTotal = tree.canary[0] ?? 0;
  const baseline = tree.baseline[node] ?? 0;
  const canary = tree.canary[node] ?? 0;
  const baselineShare = baselineTotal === 0 ? 0 : baseline / baselineTotal;
  const canaryShare = canaryTotal === 0 ? 0 : canary / canaryTotal;
  const delta = canaryShare - baselineShare;
  if (baselineTotal === 0 || canaryTotal === 0) {
    return { baselineShare, canaryShare, delta, beyondNoise: false };
  }
  const pooled = (baseline + canary) / (baselineTotal + canaryTotal);
  const standardError = Math.sqrt(pooled * (1 - pooled) * (1 / baselineTotal + 1 / canaryTotal));
  return { baselineShare, canaryShare, delta, beyondNoise: Math.abs(delta) > 2 * standardError };
}

/** Samples of both profiles under the nodes that match, each sample once even where a match lies under a match. */
export function matchedCounts(tree: DiffTree, layout: FlameLayout, matches: (name: string) => boolean) {
  const nameMatches = tree.names.map(matches);
  let nodes = 0;
  let baseline = 0;
  let canary = 0;
  let coveredUntil = 0;
  for (let node = 0; node < tree.name.length; node += 1) {
    if (nameMatches[tree.name[node] ?? 0] !== true) {
      continue;
    }
    nodes += 1;
    if (node >= coveredUntil) {
      baseline += tree.baseline[node] ?? 0;
      canary += tree.canary[node] ?? 0;
      coveredUntil = layout.end[node] ?? 0;
    }
  }
  return { nodes, baseline, canary };
}
