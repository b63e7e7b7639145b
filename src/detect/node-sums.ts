/** Samples of some stacks summed up the tree of calls: what each node has of them. */
import { ROOT } from './call-tree.ts';
import { type StackIndex, type StackPaths, selfNode } from './stack-index.ts';

// Of the stacks that are known: with more at hand, a pass over all places is faster than finding those that matter.
const DENSE_PART = 0.1;

/**
 * Adds up stack by stack, and sums when asked. It costs what the stacks at hand do not share, however many an evaluation
 * knows: only they are touched, and left as they were found.
 */
export class NodeSums {
  /** Samples of the stacks with a function in them. */
  samples = 0;
  /** Samples of each stack and node. Whole numbers, and half as wide as doubles: a pod's sums stay in the CPU's caches. */
  ofStack = new Int32Array(0);
  ofNode = new Int32Array(0);
  #ofPlace = new Int32Array(0);
  #stacks = new Int32Array(0);
  #stackCount = 0;
  #nodes = new Int32Array(0);
  #nodeCount = 0;
  #nodesKnown = 0;
  #isOnWay = new Uint8Array(0);
  /** Places from leaves upwards, a stretch for each stack up to where an earlier one had been; kept for its room. */
  readonly #way: number[] = [];

  /** Those that have samples, each once. */
  get stacks(): Int32Array {
    return this.#stacks.subarray(0, this.#stackCount);
  }

  get nodes(): Int32Array {
    return this.#nodes.subarray(0, this.#nodeCount);
  }

  /** Between sums only. */
  makeRoom({ stacks, functions, paths }: StackIndex): void {
    this.#nodesKnown = 2 * functions.length;
    if (stacks.length > this.ofStack.length) {
      this.ofStack = new Int32Array(sizeFor(stacks.length));
      this.#stacks = new Int32Array(this.ofStack.length);
    }
    if (this.#nodesKnown > this.ofNode.length) {
      this.ofNode = new Int32Array(sizeFor(this.#nodesKnown));
      this.#nodes = new Int32Array(this.ofNode.length);
    }
    if (paths.tree.size > this.#ofPlace.length) {
      this.#ofPlace = new Int32Array(sizeFor(paths.tree.size));
      this.#isOnWay = new Uint8Array(this.#ofPlace.length);
    }
  }

  add(stack: number, count: number): void {
    if (count === 0) return;
    const before = this.ofStack[stack] ?? 0;
    if (before === 0) this.#stacks[this.#stackCount++] = stack;
    this.ofStack[stack] = before + count;
  }

  /** Of all stacks added: `samples`, `nodes` and `ofNode`. `known`: how many stacks the index has. */
  sum(paths: StackPaths, known: number): void {
    for (let nth = 0; nth < this.#stackCount; nth++) this.#addOwn(this.#stacks[nth] ?? 0, paths);
    if (this.#stackCount > DENSE_PART * known) this.#climbAll(paths);
    else this.#climb(paths);
  }

  clear(): void {
    for (let nth = 0; nth < this.#stackCount; nth++) this.ofStack[this.#stacks[nth] ?? 0] = 0;
    for (let nth = 0; nth < this.#nodeCount; nth++) this.ofNode[this.#nodes[nth] ?? 0] = 0;
    this.#stackCount = 0;
    this.#nodeCount = 0;
    this.samples = 0;
  }

  #addOwn(stack: number, { ends, owners }: StackPaths): void {
    const owner = owners[stack] ?? -1;
    if (owner < 0) return;
    const count = this.ofStack[stack] ?? 0;
    this.samples += count;
    this.#addToNode(selfNode(owner), count);
    const end = ends[stack] ?? ROOT;
    this.#ofPlace[end] = (this.#ofPlace[end] ?? 0) + count;
  }

  /** From where the stacks end upwards. */
  #climb(paths: StackPaths): void {
    const { tree, ends, owners } = paths;
    const { parents } = tree;
    const way = this.#way;
    const stretches: number[] = [];
    for (const stack of this.stacks) {
      if ((owners[stack] ?? -1) < 0) continue;
      stretches.push(way.length);
      let place = ends[stack] ?? ROOT;
      for (; place !== ROOT && this.#isOnWay[place] === 0; place = parents[place] ?? ROOT) {
        this.#isOnWay[place] = 1;
        way.push(place);
      }
    }
    // The last stretch first: whatever is called comes before what calls it.
    let end = way.length;
    for (const start of stretches.toReversed()) {
      for (let at = start; at < end; at++) {
        const place = way[at] ?? ROOT;
        this.#isOnWay[place] = 0;
        this.#passOn(place, paths);
      }
      end = start;
    }
    way.length = 0;
  }

  /** All places, in the order of memory: a caller has a smaller number than what it calls. */
  #climbAll(paths: StackPaths): void {
    const { tree, totals } = paths;
    const { parents } = tree;
    const ofPlace = this.#ofPlace;
    const { ofNode } = this;
    for (let place = tree.size - 1; place !== ROOT; place--) {
      const count = ofPlace[place] ?? 0;
      if (count === 0) continue;
      ofPlace[place] = 0;
      const parent = parents[place] ?? ROOT;
      ofPlace[parent] = (ofPlace[parent] ?? 0) + count;
      const node = totals[place] ?? -1;
      if (node < 0) continue;
      ofNode[node] = (ofNode[node] ?? 0) + count;
    }
    ofPlace[ROOT] = 0;
    // In their order, too: whoever adds up what they have goes through memory once.
    this.#nodeCount = 0;
    for (let node = 0; node < this.#nodesKnown; node++) {
      if ((ofNode[node] ?? 0) !== 0) this.#nodes[this.#nodeCount++] = node;
    }
  }

  #passOn(place: number, { tree, totals }: StackPaths): void {
    const count = this.#ofPlace[place] ?? 0;
    this.#ofPlace[place] = 0;
    const parent = tree.parents[place] ?? ROOT;
    if (parent !== ROOT) this.#ofPlace[parent] = (this.#ofPlace[parent] ?? 0) + count;
    const node = totals[place] ?? -1;
    if (node >= 0) this.#addToNode(node, count);
  }

  #addToNode(node: number, count: number): void {
    const before = this.ofNode[node] ?? 0;
    if (before === 0) this.#nodes[this.#nodeCount++] = node;
    this.ofNode[node] = before + count;
  }
}

const LEAST_ROOM = 256;

function sizeFor(needed: number): number {
  let size = LEAST_ROOM;
  while (size < needed) size *= 2;
  return size;
}

/** The array itself while it is large enough, else a copy of twice the size or more. A power of two: equal for both arms. */
export function roomFor(array: Float64Array<ArrayBuffer>, needed: number): Float64Array<ArrayBuffer> {
  if (array.length >= needed && array.length > 0) return array;
  const larger = new Float64Array(sizeFor(needed));
  larger.set(array);
  return larger;
}
