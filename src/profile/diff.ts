/** Two profiles in one tree, root first: where the canary spends its CPU, and where the baseline did. */
import { NOWHERE } from './place.ts';
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
  /** Texts of place.ts. */
  readonly places: readonly string[];
  /** Of each node, the places it was seen at most: index into `places`, samples of the baseline, of the canary, and so on. */
  readonly sites: readonly (readonly number[])[];
  /** Nodes left out because both shares are below the smallest one shown. */
  readonly hidden: number;
}

export interface DiffOptions {
  /** A node is left out, with all below it, when it is smaller than this in both profiles; default 0.1 %. */
  readonly minShare?: number;
  /** What node 0 is called; default "all". */
  readonly rootName?: string;
  /** Of trees that are told together, so that each name and place is told once. */
  readonly numbering?: TreeNumbering;
}

export interface TreeNumbering {
  readonly names: Numbering;
  readonly places: Numbering;
}

export interface Numbering {
  readonly texts: readonly string[];
  of(text: string): number;
}

export const treeNumbering = (): TreeNumbering => ({ names: createNumbering(), places: createNumbering() });

/** A profile nobody can draw: counts that are negative or no numbers. */
export class ProfileError extends Error {
  readonly code = 'PROFILE_INVALID';
  override readonly name = 'ProfileError';
}

const DEFAULT_MIN_SHARE = 0.001; // one and a half pixels of a wide screen
/** A page with more would take seconds to open; the deepest and smallest go first, as with a larger `minShare`. */
const MAX_NODES = 60_000;

const MOST_SITES = 4; // what a tooltip has room for

interface Counts {
  baseline: number;
  canary: number;
}

interface Node extends Counts {
  readonly name: string;
  /** By place; undefined while none is known. */
  sites: Map<string, Counts> | undefined;
  readonly children: Map<string, Node>;
}
type Side = 'baseline' | 'canary';

/** Merges two profiles; one without samples has shares of 0 everywhere. Throws a ProfileError. */
export function diffTree(
  baseline: readonly StackCount[],
  canary: readonly StackCount[],
  options: DiffOptions = {},
): DiffTree {
  const root = newNode(options.rootName ?? 'all');
  addStacks(root, baseline, 'baseline');
  addStacks(root, canary, 'canary');
  root.baseline = totalCount(baseline);
  root.canary = totalCount(canary);
  const minShare = options.minShare ?? DEFAULT_MIN_SHARE;
  const all = { baseline: Math.max(1, root.baseline), canary: Math.max(1, root.canary) };
  const shareOf = (node: Node) => Math.max(node.baseline / all.baseline, node.canary / all.canary);
  return flatten(root, options.numbering ?? treeNumbering(), { shareOf, minShare });
}

function newNode(name: string): Node {
  return { name, baseline: 0, canary: 0, sites: undefined, children: new Map() };
}

function addStacks(root: Node, stacks: readonly StackCount[], side: Side): void {
  for (const { frames, places, count } of stacks) {
    if (!(count >= 0 && count < Number.POSITIVE_INFINITY)) {
      const leaf = (frames[0] ?? '').slice(0, 100);
      throw new ProfileError(`a stack of the ${side} counts ${count}, under "${leaf}": counts are 0 or more`);
    }
    let node = root;
    for (let i = frames.length - 1; i >= 0; i -= 1) {
      const name = frames[i] ?? '';
      let child = node.children.get(name);
      if (child === undefined) {
        child = newNode(name);
        node.children.set(name, child);
      }
      child[side] += count;
      const place = places?.[i] ?? NOWHERE;
      if (place !== NOWHERE) addSite(child, place, side, count);
      node = child;
    }
  }
}

/** A function is one node wherever in it a sample stood. */
function addSite(node: Node, place: string, side: Side, count: number): void {
  node.sites ??= new Map();
  const site = node.sites.get(place) ?? { baseline: 0, canary: 0 };
  site[side] += count;
  node.sites.set(place, site);
}

/** Depth first without recursion: a stack of 2,000 frames must not exhaust ours. */
function flatten(
  root: Node,
  { names, places }: TreeNumbering,
  { shareOf, minShare }: { readonly shareOf: (node: Node) => number; readonly minShare: number },
): DiffTree {
  const tree = {
    names: names.texts,
    name: [] as number[],
    depth: [] as number[],
    baseline: [] as number[],
    canary: [] as number[],
    places: places.texts,
    sites: [] as number[][],
  };
  let hidden = 0;
  const waiting: { node: Node; depth: number }[] = [{ node: root, depth: 0 }];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { node, depth } = next;
    tree.name.push(names.of(node.name));
    tree.depth.push(depth);
    tree.baseline.push(node.baseline);
    tree.canary.push(node.canary);
    tree.sites.push(
      commonestSites(node).flatMap(([place, site]) => [places.of(place), site.baseline, site.canary]),
    );
    const hasRoom = tree.name.length + waiting.length < MAX_NODES;
    const shown = [...node.children.values()].filter((child) => hasRoom && shareOf(child) >= minShare);
    hidden += node.children.size - shown.length;
    // The last one pushed is the first one popped: the largest child comes first.
    shown.sort((a, b) => shareOf(a) - shareOf(b));
    waiting.push(...shown.map((child) => ({ node: child, depth: depth + 1 })));
  }
  return { ...tree, hidden };
}

function createNumbering(): Numbering {
  const numbers = new Map<string, number>();
  const texts: string[] = [];
  return {
    texts,
    of(text: string): number {
      const number = numbers.get(text) ?? texts.push(text) - 1;
      numbers.set(text, number);
      return number;
    },
  };
}

function commonestSites({ sites }: Node): (readonly [string, Counts])[] {
  const weight = ({ baseline, canary }: Counts) => baseline + canary;
  return [...(sites ?? [])].sort(([, a], [, b]) => weight(b) - weight(a)).slice(0, MOST_SITES);
}
