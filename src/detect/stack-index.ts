import { frameGroup, frameIsFunction, stackIsJvmInternal } from './frames.ts';

/** One distinct stack, its frames turned into numbers once. */
export interface IndexedStack {
  readonly id: number;
  /** Leaf first. */
  readonly frames: readonly string[];
  /** Every node the stack counts for: `selfNode` of its leaf and `totalNode` of each function, once. */
  readonly nodes: readonly number[];
  /** Where its self time goes when the leaf is no function. */
  readonly group: string | undefined;
}

/** A function has two nodes: its own samples, and those of everything it called. */
export const selfNode = (functionId: number): number => 2 * functionId;
export const totalNode = (functionId: number): number => 2 * functionId + 1;
export const functionOf = (node: number): number => node >> 1;
export const nodeIsTotal = (node: number): boolean => (node & 1) === 1;

export interface StackIndex {
  readonly stacks: readonly IndexedStack[];
  readonly functions: readonly string[];
  of(frames: readonly string[]): IndexedStack;
}

interface Branch {
  readonly children: Map<string, Branch>;
  stack: IndexedStack | undefined;
}

/**
 * Numbers stacks and functions in order of first sight. Looking a stack up is one map access when the store
 * hands over the same array again, and one per frame when it does not.
 */
export function createStackIndex(): StackIndex {
  const stacks: IndexedStack[] = [];
  const functionIds = new Map<string, number>();
  const functions: string[] = [];
  const byArray = new Map<readonly string[], IndexedStack>();
  const root: Branch = { children: new Map(), stack: undefined };

  const functionId = (name: string): number => {
    const known = functionIds.get(name);
    if (known !== undefined) return known;
    functionIds.set(name, functions.length);
    return functions.push(name) - 1;
  };

  const index = (frames: readonly string[]): IndexedStack => {
    const leaf = frames[0] ?? '[unknown]';
    const internal = stackIsJvmInternal(frames);
    const named = internal ? [] : frames.filter(frameIsFunction);
    // A set: recursion counts a function once in its total.
    const nodes = [...new Set(named.map((name) => totalNode(functionId(name))))];
    const leafIsFunction = !internal && frameIsFunction(leaf);
    if (leafIsFunction) nodes.push(selfNode(functionId(leaf)));
    const group = leafIsFunction ? undefined : internal ? '[jvm]' : frameGroup(leaf);
    return { id: stacks.length, frames, nodes, group };
  };

  const of = (frames: readonly string[]): IndexedStack => {
    const seen = byArray.get(frames);
    if (seen !== undefined) return seen;
    const branch = descend(root, frames);
    if (branch.stack === undefined) {
      branch.stack = index(frames);
      stacks.push(branch.stack);
    }
    byArray.set(frames, branch.stack);
    return branch.stack;
  };

  return { stacks, functions, of };
}

// From the root frame down: stacks share their callers, so the tree stays small.
function descend(root: Branch, frames: readonly string[]): Branch {
  let branch = root;
  for (let depth = frames.length - 1; depth >= 0; depth--) {
    const name = frames[depth] ?? '';
    let child = branch.children.get(name);
    if (child === undefined) {
      child = { children: new Map(), stack: undefined };
      branch.children.set(name, child);
    }
    branch = child;
  }
  return branch;
}
