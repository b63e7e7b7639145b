import { frameGroup, frameIsFunction, frameIsMachinery, jvmGroup, stackIsJvmInternal } from './frames.ts';
import { functionIdentity } from './function-identity.ts';

/** One distinct stack, its frames turned into numbers once. */
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

export interface StackIndex {
  readonly stacks: readonly IndexedStack[];
  readonly functions: readonly string[];
  of(frames: readonly string[]): IndexedStack;
}

/**
 * Numbers stacks and functions in order of first sight. Looking a stack up is one map access when the store
 * hands over the same array again, and one per frame when it does not.
 */
export function createStackIndex(): StackIndex {
  const stacks: IndexedStack[] = [];
  const functionIds = new Map<string, number>();
  const functions: string[] = [];
  // Weak: the store forgets its arrays now and then and makes others for the same stacks.
  const byArray = new WeakMap<readonly string[], IndexedStack>();
  const nameIds = new Map<string, number>();
  const byHash = new Map<number, IndexedStack[]>();

  const functionId = (name: string): number => {
    const known = functionIds.get(name);
    if (known !== undefined) return known;
    functionIds.set(name, functions.length);
    return functions.push(name) - 1;
  };

  const index = (frames: readonly string[]): IndexedStack => {
    const leaf = frames[0] ?? '[unknown]';
    const identities = identitiesOf(frames);
    const internal = stackIsJvmInternal(frames);
    const named = internal ? [] : identities.filter(frameIsFunction);
    // A set: recursion counts a function once in its total.
    const totals = named.filter((name) => !frameIsMachinery(name));
    const nodes = [...new Set(totals.map((name) => totalNode(functionId(name))))];
    const [owner] = named;
    if (owner !== undefined) nodes.push(selfNode(functionId(owner)));
    const group =
      owner === (identities[0] ?? '[unknown]') ? undefined : internal ? jvmGroup(frames) : frameGroup(leaf);
    return { id: stacks.length, frames, identities, nodes, group };
  };

  const nameId = (name: string): number => {
    const known = nameIds.get(name);
    if (known !== undefined) return known;
    nameIds.set(name, nameIds.size);
    return nameIds.size - 1;
  };

  const find = (frames: readonly string[]): IndexedStack => {
    const hash = hashOf(frames, nameId);
    const alike = byHash.get(hash);
    const known = alike?.find((stack) => isSameStack(stack.frames, frames));
    if (known !== undefined) return known;
    const stack = index(frames);
    stacks.push(stack);
    if (alike === undefined) byHash.set(hash, [stack]);
    else alike.push(stack);
    return stack;
  };

  const of = (frames: readonly string[]): IndexedStack => {
    const seen = byArray.get(frames);
    if (seen !== undefined) return seen;
    const stack = find(frames);
    byArray.set(frames, stack);
    return stack;
  };

  return { stacks, functions, of };
}

function identitiesOf(frames: readonly string[]): readonly string[] {
  const identities = frames.map(functionIdentity);
  return identities.every((name, depth) => name === frames[depth]) ? frames : identities;
}

// FNV-1a over the numbers of the names, cut to 30 bits: such a number is no object in V8.
function hashOf(frames: readonly string[], nameId: (name: string) => number): number {
  let hash = 0x811c9dc5;
  for (const name of frames) hash = Math.imul(hash ^ nameId(name), 0x01000193);
  return (hash ^ (hash >>> 15)) & 0x3fffffff;
}

const isSameStack = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((name, depth) => name === b[depth]);
