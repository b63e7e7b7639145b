/** Two profiles in one tree, root first: where the canary spends its CPU, and where the baseline did. */
import { type StackCount, totalCount } from './stack-counts.ts';

/**
 * The merged tree, flat and in preorder, so that it is small as JSON and quick to walk.
 * Node 0 is the root, "all"; a node's children follow it, the largest first; depth says where they end.
 */
export interface DiffTree {
  readonly names: readonly string[];
  /** Index into `names`. */
  readonly name: readonly number[];
  readonly depth: readonly number[];
  /** Samples in the node and below, as counted: shares are these over node 0's. */
  readonly baseline: readonly number[];
  readonly canary: readonly number[];
  /** Nodes left out because both shares are below the smallest one shown. */
  readonly hidden: number;
}

export interface DiffOptions {
  /** A node is left out, with all below it, when it is smaller than this in both profiles; default 0.1 %. */
  readonly minShare?: number;
}

const DEFAULT_MIN_SHARE = 0.001; // one and a half pixels of a wide screen
/** A page with more would take seconds to open; the deepest and smallest go first, as with a larger `minShare`. */
const MAX_NODES = 60_000;

interface Node {
  readonly name: string;
  baseline: number;
  canary: number;
  readonly children: Map<string, Node>;
}
type Side = 'baseline' | 'canary';

/** Merges two profiles; one without samples has shares of 0 everywhere. */
export function diffTree(
  baseline: readonly StackCount[],
  canary: readonly StackCount[],
  options: DiffOptions = {},
): DiffTree {
  const root = newNode('all');
  addStacks(root, baseline, 'baseline');
  addStacks(root, canary, 'canary');
  root.baseline = totalCount(baseline);
  root.canary = totalCount(canary);
  const minShare = options.minShare ?? DEFAULT_MIN_SHARE;
  const all = { baseline: Math.max(1, root.baseline), canary: Math.max(1, root.canary) };
  return flatten(root, (node) => Math.max(node.baseline / all.baseline, node.canary / all.canary), minShare);
}

function newNode(name: string): Node {
  return { name, baseline: 0, canary: 0, children: new Map() };
}

function addStacks(root: Node, stacks: readonly StackCount[], side: Side): void {
  for (const { frames, count } of stacks) {
    let node = root;
    for (let i = frames.length - 1; i >= 0; i -= 1) {
      const name = frames[i] ?? '';
      let child = node.children.get(name);
      if (child === undefined) {
        child = newNode(name);
        node.children.set(name, child);
      }
      child[side] += count;
      node = child;
    }
  }
}

/** Depth first without recursion: a stack of 2,000 frames must not exhaust ours. */
function flatten(root: Node, shareOf: (node: Node) => number, minShare: number): DiffTree {
  const indexOf = new Map<string, number>();
  const tree = {
    names: [] as string[],
    name: [] as number[],
    depth: [] as number[],
    baseline: [] as number[],
    canary: [] as number[],
  };
  let hidden = 0;
  const waiting: { node: Node; depth: number }[] = [{ node: root, depth: 0 }];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { node, depth } = next;
    const index = indexOf.get(node.name) ?? tree.names.push(node.name) - 1;
    indexOf.set(node.name, index);
    tree.name.push(index);
    tree.depth.push(depth);
    tree.baseline.push(node.baseline);
    tree.canary.push(node.canary);
    const hasRoom = tree.name.length + waiting.length < MAX_NODES;
    const shown = [...node.children.values()].filter((child) => hasRoom && shareOf(child) >= minShare);
    hidden += node.children.size - shown.length;
    // The last one pushed is the first one popped: the largest child comes first.
    shown.sort((a, b) => shareOf(a) - shareOf(b));
    waiting.push(...shown.map((child) => ({ node: child, depth: depth + 1 })));
  }
  return { ...tree, hidden };
}
