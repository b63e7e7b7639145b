/**
 * Where the frames of a tree stood, as one list of numbers that is small as JSON: for each node that stood anywhere the distance from
 * the node before, then how many places; of a single one with all of the node's samples (then 0 is said) the place alone, else place,
 * samples of the baseline and of the canary of each.
 */
import type { DiffTree } from './diff.ts';

type Sites = DiffTree['sites'];

const NUMBERS_OF_SITE = 3;
const ALL_AT_ONE = 0;

export function packSites({
  sites,
  baseline,
  canary,
}: Pick<DiffTree, 'sites' | 'baseline' | 'canary'>): number[] {
  const packed: number[] = [];
  let before = 0;
  for (const [node, ofNode] of sites.entries()) {
    const [place, ...counts] = ofNode;
    if (place === undefined) continue;
    packed.push(node - before);
    before = node;
    const isAll = counts.length === 2 && counts[0] === baseline[node] && counts[1] === canary[node];
    if (isAll) packed.push(ALL_AT_ONE, place);
    else packed.push(ofNode.length / NUMBERS_OF_SITE, ...ofNode);
  }
  return packed;
}

export function unpackSites(
  packed: readonly number[],
  { baseline, canary }: Pick<DiffTree, 'baseline' | 'canary'>,
): Sites {
  const sites: (readonly number[])[] = [];
  let node = 0;
  for (let at = 0; at < packed.length; ) {
    node += packed[at] ?? 0;
    const count = packed[at + 1] ?? 0;
    const numbers = count === ALL_AT_ONE ? 1 : count * NUMBERS_OF_SITE;
    sites[node] =
      count === ALL_AT_ONE
        ? [packed[at + 2] ?? 0, baseline[node] ?? 0, canary[node] ?? 0]
        : packed.slice(at + 2, at + 2 + numbers);
    at += 2 + numbers;
  }
  return sites;
}
