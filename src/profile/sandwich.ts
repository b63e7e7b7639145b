/** One function wherever it is: all that it calls in one tree, and all who call it in another. */
import { type DiffTree, diffTree } from './diff.ts';
import type { TreeShape } from './flame-layout.ts';
import type { StackCount } from './stack-counts.ts';

export interface Sandwich {
  /** Node 0 is the function; below it stand its callers, below them theirs. */
  readonly callers: DiffTree;
  readonly callees: DiffTree;
}

const DEEPEST = 500; // frames from the function; who recurses for longer is cut
const MOST_FRAMES = 2_000_000; // of all stacks together: half a second's work

/** Undefined where the tree has no such function. Of one that calls itself its outermost call counts, so each sample is there once. */
export function sandwichOf(tree: DiffTree, shape: TreeShape, name: number): Sandwich | undefined {
  const calls = outermostCalls(tree, shape, name);
  if (calls.length === 0) return undefined;
  const options = { minShare: 0, rootName: tree.names[name] ?? '' };
  const of = (stacks: readonly Two[]): DiffTree => {
    const side = (which: 'baseline' | 'canary'): StackCount[] =>
      stacks.map(({ frames, [which]: count }) => ({ frames, count }));
    return diffTree(side('baseline'), side('canary'), options);
  };
  return {
    callers: of(calls.map((call) => callersOf(tree, shape, call))),
    callees: of(calleesOf(tree, shape, calls)),
  };
}

interface Two {
  readonly frames: readonly string[];
  readonly baseline: number;
  readonly canary: number;
}

function outermostCalls(tree: DiffTree, { end }: TreeShape, name: number): number[] {
  const calls: number[] = [];
  for (let node = 0; node < tree.name.length; ) {
    const isCall = tree.name[node] === name;
    if (isCall) calls.push(node);
    node = isCall ? (end[node] ?? tree.name.length) : node + 1;
  }
  return calls;
}

const nameIn = (tree: DiffTree, node: number): string => tree.names[tree.name[node] ?? 0] ?? '';

/** The nearest caller stands next to the root, so it is the last of the frames. The root of all is nobody's caller. */
function callersOf(tree: DiffTree, { parent }: TreeShape, call: number): Two {
  const frames: string[] = [];
  for (let node = parent[call] ?? -1; node > 0 && frames.length < DEEPEST; node = parent[node] ?? -1) {
    frames.push(nameIn(tree, node));
  }
  return { frames: frames.reverse(), baseline: tree.baseline[call] ?? 0, canary: tree.canary[call] ?? 0 };
}

function calleesOf(tree: DiffTree, shape: TreeShape, calls: readonly number[]): Two[] {
  const stacks: Two[] = [];
  let framesLeft = MOST_FRAMES;
  for (const call of calls) {
    const top = tree.depth[call] ?? 0;
    const path: string[] = [];
    for (let node = call; node < (shape.end[call] ?? 0); node += 1) {
      path.length = Math.max(0, (tree.depth[node] ?? 0) - top - 1);
      if (node > call) path.push(nameIn(tree, node));
      const own = ownCounts(tree, shape, node);
      if (own.baseline + own.canary === 0 || framesLeft <= 0) continue;
      const frames = path.slice(0, DEEPEST).reverse();
      framesLeft -= frames.length;
      stacks.push({ frames, ...own });
    }
  }
  return stacks;
}

/** Its own samples, without its children's; those too small to be in the tree are among them. */
export function ownCounts(tree: DiffTree, { end }: TreeShape, node: number) {
  let baseline = tree.baseline[node] ?? 0;
  let canary = tree.canary[node] ?? 0;
  for (let child = node + 1; child < (end[node] ?? 0); child = end[child] ?? tree.name.length) {
    baseline -= tree.baseline[child] ?? 0;
    canary -= tree.canary[child] ?? 0;
  }
  return { baseline: Math.max(0, baseline), canary: Math.max(0, canary) };
}
