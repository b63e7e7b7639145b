import { SharedStacks, type WindowStacks } from '../profile/shared-stacks.ts';
import { CallTree, enlarged, ROOT } from './call-tree.ts';
import {
  COLLECTOR,
  COLLECTOR_ROOT,
  frameGroup,
  frameIsFunction,
  frameIsJvmEntry,
  frameIsMachinery,
  JVM,
  jvmGroup,
} from './frames.ts';
import { functionIdentity } from './function-identity.ts';
import { StackMemo } from './stack-memo.ts';

/** One distinct stack. What it says beside its number is worked out of the tree each time it is asked for. */
export interface IndexedStack {
  readonly id: number;
  /** Leaf first. */
  readonly frames: readonly string[];
  /** Its frames without what compilers count, as `StackIndex.functions` has them; the same array where nothing was counted. */
  readonly identities: readonly string[];
  /** Every node the stack counts for: `selfNode` of its leafmost function and `totalNode` of each function, once. */
  readonly nodes: readonly number[];
  /** Where its self time goes when the leaf is no function. */
  readonly group: string | undefined;
}

/**
 * A function has two nodes: its own samples, those of the native and kernel code right below it included, and those of
 * everything it called. So every stack with a function is some function's own.
 */
export const selfNode = (functionId: number): number => 2 * functionId;
export const totalNode = (functionId: number): number => 2 * functionId + 1;
export const functionOf = (node: number): number => node >> 1;
export const nodeIsTotal = (node: number): boolean => (node & 1) === 1;

/** Calls back with each node of a chosen few that the stack of this number counts for. */
export type EachNode = (stack: number, visit: (node: number) => void) => void;

export interface StackIndex {
  readonly stacks: readonly IndexedStack[];
  readonly functions: readonly string[];
  /** Of frames, as they came. */
  readonly names: readonly string[];
  /** By the number of a frame's name, as the tree of calls has it: the name of the function it is, whatever compilers counted. */
  readonly identities: readonly number[];
  of(frames: readonly string[]): IndexedStack;
  /** Whether a stack is of a garbage collector's own threads. */
  isOfCollector(stack: number): boolean;
  /** The number of a stack. */
  idOf(frames: readonly string[]): number;
  /** Writes the numbers of a window's stacks into an array, the first one `at` this place. */
  writeNumbers(stacks: WindowStacks, into: Int32Array, at: number): void;
  /** The stacks that count for a node, in order of their numbers. */
  through(node: number): readonly IndexedStack[];
  /** The number of each of a stack's functions that counts in totals, leaf first; below 0 for other frames. */
  functionsOf(stack: number): number[];
  /** The same for many nodes, without a list. */
  among(nodes: ReadonlySet<number>): EachNode;
  /** What sums over stacks are made of. */
  readonly paths: StackPaths;
}

/** Where stacks end in the tree of calls, in arrays by number that may have room for more. */
export interface StackPaths {
  readonly tree: CallTree;
  /** By stack: its leaf's place. */
  readonly ends: Int32Array;
  /** By stack: the function whose own it is; below 0 when it counts for no node. */
  readonly owners: Int32Array;
  /** By place: the node whose samples are counted here, a function's total; -1 for none, and where no stack counts. */
  readonly totals: Int32Array;
}

/** Numbers stacks and functions in order of first sight. */
export const createStackIndex = (): StackIndex => new TreeIndex();

const NO_FUNCTION = -1;
const JVM_INTERNAL = -2;
const COLLECTORS_OWN = -3;
const LEAST_ROOM = 256;
const MOST_REMEMBERED = 250_000; // stacks of nodes: 2 MB

// What is known of a name.
const IS_FUNCTION = 1;
const IS_COUNTED = 2; // in totals
const IS_JVM_ENTRY = 4;

// And of a place.
const HOLDS_TOTAL = 1; // no caller is the function already
const IS_NUMBERED = 2; // a stack that counts comes by
const IS_OF_JVM = 4; // it or a caller is an entry of the JVM's

class TreeIndex implements StackIndex, StackPaths {
  readonly stacks: IndexedStack[] = [];
  readonly functions: string[] = [];
  readonly tree = new CallTree();
  ends = new Int32Array(LEAST_ROOM);
  owners = new Int32Array(LEAST_ROOM);
  totals = new Int32Array(LEAST_ROOM);
  /** By name: the number of the function; -1 while no stack counts for it. */
  #functionOfName = new Int32Array(LEAST_ROOM);
  readonly names: string[] = [];
  readonly #facts: number[] = [];
  readonly identities: number[] = [];
  readonly #nameIds = new Map<string, number>();
  // Weak: the store forgets its arrays now and then and makes others for the same stacks.
  readonly #byArray = new WeakMap<readonly string[], number>();
  readonly #shared = new StackMemo(({ frames }) => this.#find(frames));
  /** Of nodes that were asked for since the last stack was new: a look asks for the same few again and again. */
  #through = { ofStacks: 0, size: 0, byNode: new Map<number, readonly IndexedStack[]>() };
  /** By place: the stack that ends there, plus one. */
  #stackAt = new Int32Array(LEAST_ROOM);
  /** By place: what is known of it and its callers. */
  #flags = new Uint8Array(LEAST_ROOM);
  /** By place: what was last called from there. Most callers call one thing only, and it need not be looked up by its name. */
  #lastBelow = new Int32Array(LEAST_ROOM);

  constructor() {
    this.totals[ROOT] = -1;
  }

  isOfCollector(stack: number): boolean {
    return this.owners[stack] === COLLECTORS_OWN;
  }

  get paths(): StackPaths {
    return this;
  }

  of(frames: readonly string[]): IndexedStack {
    const stack = this.stacks[this.idOf(frames)];
    if (stack === undefined) throw new Error('a stack without a number');
    return stack;
  }

  /** One access when the same array is handed over again, and one per frame when it is not. */
  idOf(frames: readonly string[]): number {
    const known = this.#byArray.get(frames);
    if (known !== undefined) return known;
    const id = this.#find(frames);
    this.#byArray.set(frames, id);
    return id;
  }

  writeNumbers(stacks: WindowStacks, into: Int32Array, at: number): void {
    if (stacks instanceof SharedStacks) {
      this.#shared.write(stacks, into, at);
      return;
    }
    let next = at;
    for (const { frames } of stacks) into[next++] = this.idOf(frames);
  }

  through(node: number): readonly IndexedStack[] {
    if (this.#through.ofStacks !== this.stacks.length || this.#through.size > MOST_REMEMBERED) {
      this.#through = { ofStacks: this.stacks.length, size: 0, byNode: new Map() };
    }
    const known = this.#through.byNode.get(node);
    if (known !== undefined) return known;
    const found = this.#findThrough(node);
    this.#through.byNode.set(node, found);
    this.#through.size += found.length;
    return found;
  }

  functionsOf(stack: number): number[] {
    const { parents, names } = this.tree;
    const path: number[] = [];
    for (let place = this.ends[stack] ?? ROOT; place !== ROOT; place = parents[place] ?? ROOT) {
      const name = names[place] ?? -1;
      const isCounted = ((this.#facts[name] ?? 0) & IS_COUNTED) !== 0;
      path.push(isCounted ? (this.#functionOfName[this.#identityOf(name)] ?? NO_FUNCTION) : NO_FUNCTION);
    }
    return path;
  }

  #findThrough(node: number): IndexedStack[] {
    const found: IndexedStack[] = [];
    const each = this.among(new Set([node]));
    for (const stack of this.stacks) each(stack.id, () => void found.push(stack));
    return found;
  }

  among(nodes: ReadonlySet<number>): EachNode {
    const { ends, owners, totals, functions, tree } = this;
    const isChosen = new Uint8Array(2 * functions.length);
    for (const node of nodes) isChosen[node] = 1;
    // By place: the nearest one, itself or above, whose total is chosen. The root stands for none.
    const nearest = new Int32Array(tree.size);
    for (let place = 1; place < tree.size; place++) {
      const total = totals[place] ?? -1;
      const isHere = total >= 0 && isChosen[total] === 1;
      nearest[place] = isHere ? place : (nearest[tree.parents[place] ?? ROOT] ?? ROOT);
    }
    return (stack, visit) => {
      const owner = owners[stack] ?? NO_FUNCTION;
      if (owner < 0) return;
      let place = nearest[ends[stack] ?? ROOT] ?? ROOT;
      while (place !== ROOT) {
        visit(totals[place] ?? -1);
        place = nearest[tree.parents[place] ?? ROOT] ?? ROOT;
      }
      if (isChosen[selfNode(owner)] === 1) visit(selfNode(owner));
    };
  }

  /** Leaf first. */
  framesOf(stack: number): readonly string[] {
    const { parents, names } = this.tree;
    const frames: string[] = [];
    for (let place = this.ends[stack] ?? ROOT; place !== ROOT; place = parents[place] ?? ROOT) {
      frames.push(this.names[names[place] ?? -1] ?? '');
    }
    return frames;
  }

  nodesOf(stack: number): readonly number[] {
    const owner = this.owners[stack] ?? NO_FUNCTION;
    if (owner < 0) return [];
    const { parents, names } = this.tree;
    const nodes = new Set<number>(); // recursion counts a function once in its total
    for (let place = this.ends[stack] ?? ROOT; place !== ROOT; place = parents[place] ?? ROOT) {
      const name = names[place] ?? -1;
      if (((this.#facts[name] ?? 0) & IS_COUNTED) === 0) continue;
      nodes.add(totalNode(this.#functionOfName[this.#identityOf(name)] ?? NO_FUNCTION));
    }
    return [...nodes, selfNode(owner)];
  }

  groupOf(stack: number): string | undefined {
    const owner = this.owners[stack];
    if (owner === COLLECTORS_OWN) return COLLECTOR;
    if (owner === JVM_INTERNAL) return JVM;
    const leaf = this.tree.names[this.ends[stack] ?? ROOT] ?? -1;
    const isFunction = ((this.#facts[leaf] ?? 0) & IS_FUNCTION) !== 0;
    return isFunction ? undefined : frameGroup(this.names[leaf] ?? '[unknown]');
  }

  #find(frames: readonly string[]): number {
    let place = ROOT;
    for (let depth = frames.length - 1; depth >= 0; depth--) place = this.#below(place, frames[depth] ?? '');
    const known = this.#stackAt[place] ?? 0;
    if (known > 0) return known - 1;
    const id = this.stacks.length;
    this.#stackAt[place] = id + 1;
    if (id === this.ends.length) {
      this.ends = enlarged(this.ends);
      this.owners = enlarged(this.owners);
    }
    this.ends[id] = place;
    this.owners[id] = this.#ownerOf(place, frames);
    this.stacks.push(new PathInTree(id, this));
    return id;
  }

  #below(parent: number, frame: string): number {
    const last = this.#lastBelow[parent] ?? ROOT;
    if (last !== ROOT && this.names[this.tree.names[last] ?? -1] === frame) return last;
    const { tree } = this;
    const before = tree.size;
    const name = this.#nameId(frame);
    const place = tree.below(parent, name);
    this.#lastBelow[parent] = place;
    if (tree.size !== before) this.#describe(place, parent, name);
    return place;
  }

  /** A place that is new. */
  #describe(place: number, parent: number, name: number): void {
    if (place >= this.totals.length) {
      this.totals = enlarged(this.totals);
      this.#stackAt = enlarged(this.#stackAt);
      this.#lastBelow = enlarged(this.#lastBelow);
      const flags = new Uint8Array(2 * this.#flags.length);
      flags.set(this.#flags);
      this.#flags = flags;
    }
    const facts = this.#facts[name] ?? 0;
    const holdsTotal = (facts & IS_COUNTED) !== 0 && !this.#isAbove(parent, this.#identityOf(name));
    const isOfJvm = (facts & IS_JVM_ENTRY) !== 0 || ((this.#flags[parent] ?? 0) & IS_OF_JVM) !== 0;
    this.totals[place] = -1;
    this.#flags[place] = (holdsTotal ? HOLDS_TOTAL : 0) | (isOfJvm ? IS_OF_JVM : 0);
  }

  /** Recursion: whether a caller is the function already. */
  #isAbove(place: number, identity: number): boolean {
    const { parents, names } = this.tree;
    for (let above = place; above !== ROOT; above = parents[above] ?? ROOT) {
      if (this.#identityOf(names[above] ?? -1) === identity) return true;
    }
    return false;
  }

  /** Numbers the functions of a new stack, leaf first. */
  #ownerOf(end: number, frames: readonly string[]): number {
    const isOfJvm = ((this.#flags[end] ?? 0) & IS_OF_JVM) !== 0;
    if (isOfJvm || frames.at(-1) === COLLECTOR_ROOT) {
      return jvmGroup(frames) === COLLECTOR ? COLLECTORS_OWN : JVM_INTERNAL;
    }
    const { parents, names } = this.tree;
    // Where another stack that counts came by, all its callers' functions have their numbers.
    for (let place = end; place !== ROOT; place = parents[place] ?? ROOT) {
      if (((this.#flags[place] ?? 0) & IS_NUMBERED) !== 0) break;
      this.#number(place, names[place] ?? -1);
    }
    for (let place = end; place !== ROOT; place = parents[place] ?? ROOT) {
      const name = names[place] ?? -1;
      if (((this.#facts[name] ?? 0) & IS_FUNCTION) !== 0) return this.#functionId(name);
    }
    return NO_FUNCTION;
  }

  #number(place: number, name: number): void {
    const flags = this.#flags[place] ?? 0;
    this.#flags[place] = flags | IS_NUMBERED;
    if (((this.#facts[name] ?? 0) & IS_COUNTED) === 0) return;
    const functionId = this.#functionId(name);
    if ((flags & HOLDS_TOTAL) !== 0) this.totals[place] = totalNode(functionId);
  }

  #identityOf(name: number): number {
    return this.identities[name] ?? name;
  }

  #functionId(name: number): number {
    const identity = this.#identityOf(name);
    const known = this.#functionOfName[identity] ?? NO_FUNCTION;
    if (known >= 0) return known;
    const id = this.functions.push(this.names[identity] ?? '') - 1;
    this.#functionOfName[identity] = id;
    return id;
  }

  #nameId(name: string): number {
    const known = this.#nameIds.get(name);
    if (known !== undefined) return known;
    const identity = functionIdentity(name);
    const identityId = identity === name ? undefined : this.#nameId(identity);
    const id = this.names.push(name) - 1;
    this.#nameIds.set(name, id);
    this.identities.push(identityId ?? id);
    const isFunction = frameIsFunction(identity);
    const isCounted = isFunction && !frameIsMachinery(identity);
    this.#facts.push(
      (isFunction ? IS_FUNCTION : 0) |
        (isCounted ? IS_COUNTED : 0) |
        (frameIsJvmEntry(name) ? IS_JVM_ENTRY : 0),
    );
    if (id === this.#functionOfName.length) this.#functionOfName = enlarged(this.#functionOfName);
    this.#functionOfName[id] = NO_FUNCTION;
    return id;
  }
}

class PathInTree implements IndexedStack {
  readonly id: number;
  readonly index: TreeIndex;

  constructor(id: number, index: TreeIndex) {
    this.id = id;
    this.index = index;
  }

  get frames(): readonly string[] {
    return this.index.framesOf(this.id);
  }

  get identities(): readonly string[] {
    return this.frames.map(functionIdentity);
  }

  get nodes(): readonly number[] {
    return this.index.nodesOf(this.id);
  }

  get group(): string | undefined {
    return this.index.groupOf(this.id);
  }
}
