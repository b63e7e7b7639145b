import type { LookContext } from './node-evidence.ts';
import type { StackIndex } from './stack-index.ts';

const LEAST_SHARE = 0.002; // as of candidates
const ABSENT_PART = 0.1;

/**
 * Whether compilers number the canary's functions otherwise: a function that both arms have goes by a number in each
 * that the other has not.
 */
export function isRenumbered(index: StackIndex, { canary, baseline }: LookContext): boolean {
  const shares = new Map<string, { readonly identity: string; canary: number; baseline: number }>();
  for (const { id, frames, identities } of index.stacks) {
    const counted = new Set(frames.filter((name, depth) => name !== identities[depth]));
    for (const name of counted) {
      const identity = identities[frames.indexOf(name)] ?? name;
      const share = shares.get(name) ?? { identity, canary: 0, baseline: 0 };
      shares.set(name, share);
      share.canary += (canary.stackCounts[id] ?? 0) / canary.samples;
      share.baseline += (baseline.stackCounts[id] ?? 0) / baseline.samples;
    }
  }
  const appeared = new Set<string>();
  const vanished = new Set<string>();
  for (const { identity, canary: inCanary, baseline: inBaseline } of shares.values()) {
    if (Math.max(inCanary, inBaseline) < LEAST_SHARE) continue;
    if (inBaseline < ABSENT_PART * inCanary) appeared.add(identity);
    if (inCanary < ABSENT_PART * inBaseline) vanished.add(identity);
  }
  return [...appeared].some((identity) => vanished.has(identity));
}
