/**
 * The columns of a tree as they are small as JSON, which is most of what a browser reads before it draws: a depth as its difference from
 * the node before, a count that is its caller's as 0. Most nodes are the only call of their caller.
 */
import type { DiffTree } from './diff.ts';

type Columns = Pick<DiffTree, 'depth' | 'baseline' | 'canary'>;

const AS_CALLER = 0;
const NONE = -1; // of a caller that has some

export function packColumns({ depth, baseline, canary }: Columns): Columns {
  const callers = callersOf(depth);
  const packed = (counts: readonly number[]): number[] =>
    counts.map((count, node) => {
      if (node === 0) return count;
      if (count === counts[callers[node] ?? 0]) return AS_CALLER;
      return count === 0 ? NONE : count;
    });
  return {
    depth: depth.map((one, node) => one - (depth[node - 1] ?? 0)),
    ...{ baseline: packed(baseline), canary: packed(canary) },
  };
}

export function unpackColumns(packed: Columns): Columns {
  let at = 0;
  const depth = packed.depth.map((difference) => {
    at += difference;
    return at;
  });
  const callers = callersOf(depth);
  const unpacked = (column: readonly number[]): number[] => {
    const counts: number[] = [];
    for (const [node, count] of column.entries()) {
      if (count === AS_CALLER) counts.push(counts[callers[node] ?? 0] ?? 0);
      else counts.push(count === NONE ? 0 : count);
    }
    return counts;
  };
  return { depth, baseline: unpacked(packed.baseline), canary: unpacked(packed.canary) };
}

/** Of node 0 itself. */
function callersOf(depth: readonly number[]): readonly number[] {
  const path: number[] = []; // by depth
  return depth.map((one, node) => {
    path[one] = node;
    return path[one - 1] ?? 0;
  });
}
