import { ROOT } from './call-tree.ts';
import type { LookContext } from './node-evidence.ts';
import type { StackIndex, StackPaths } from './stack-index.ts';

const LEAST_SHARE = 0.002; // as of candidates
const ABSENT_PART = 0.1;

/**
 * Whether compilers number the canary's functions otherwise: a function that both arms have goes by a number in each
 * that the other has not.
 */
export function isRenumbered(index: StackIndex, { canary, baseline }: LookContext): boolean {
  const isCounted = index.identities.map((identity, name) => identity !== name);
  if (!isCounted.includes(true)) return false;
  const inCanary = samplesThrough(canary.stackCounts, isCounted, index);
  const inBaseline = samplesThrough(baseline.stackCounts, isCounted, index);
  const appeared = new Set<number>();
  const vanished = new Set<number>();
  for (const [name, identity] of index.identities.entries()) {
    const shares = {
      canary: (inCanary[name] ?? 0) / canary.samples,
      baseline: (inBaseline[name] ?? 0) / baseline.samples,
    };
    if (!isCounted[name] || Math.max(shares.canary, shares.baseline) < LEAST_SHARE) continue;
    if (shares.baseline < ABSENT_PART * shares.canary) appeared.add(identity);
    if (shares.canary < ABSENT_PART * shares.baseline) vanished.add(identity);
  }
  return [...appeared].some((identity) => vanished.has(identity));
}

/** By name, of those that are meant: an arm's samples of stacks with it, each once. */
function samplesThrough(counts: Float64Array, isMeant: readonly boolean[], index: StackIndex): Float64Array {
  const { paths, stacks } = index;
  const { parents, names: nameAt, size } = paths.tree;
  const ofPlace = new Float64Array(size);
  for (let stack = 0; stack < stacks.length; stack++) {
    const end = paths.ends[stack] ?? ROOT;
    ofPlace[end] = (ofPlace[end] ?? 0) + (counts[stack] ?? 0);
  }
  const samples = new Float64Array(isMeant.length);
  for (let place = size - 1; place !== ROOT; place--) {
    const count = ofPlace[place] ?? 0;
    if (count === 0) continue;
    const parent = parents[place] ?? ROOT;
    ofPlace[parent] = (ofPlace[parent] ?? 0) + count;
    const name = nameAt[place] ?? -1;
    if (isMeant[name] && !isAbove(parent, name, paths)) samples[name] = (samples[name] ?? 0) + count;
  }
  return samples;
}

/** Recursion: whether a caller has the name, too. */
function isAbove(place: number, name: number, { tree }: StackPaths): boolean {
  const { parents, names } = tree;
  for (let above = place; above !== ROOT; above = parents[above] ?? ROOT) {
    if (names[above] === name) return true;
  }
  return false;
}
