/**
 * Where the frames of a tree stood, as one list of numbers that is small as JSON: for each node that stood anywhere the distance from
 * the node before, then how many places; of a single one with all of the node's samples (then 0 is said) the place alone, else place,
 * samples of the baseline and of the canary of each. The commonest of all, the very next node and a single place, is that place alone, as a
 * negative number: -1 is the first.
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
    const isAll = counts.length === 2 && counts[0] === baseline[node] && counts[1] === canary[node];
    if (isAll && node === before + 1) packed.push(-1 - place);
    else if (isAll) packed.push(node - before, ALL_AT_ONE, place);
    else packed.push(node - before, ofNode.length / NUMBERS_OF_SITE, ...ofNode);
    before = node;
  }
  return packed;
}

export function unpackSites(
  packed: readonly number[],
  { baseline, canary }: Pick<DiffTree, 'baseline' | 'canary'>,
): Sites {
  const sites: (readonly number[])[] = [];
  const allAt = (node: number, place = 0) => [place, baseline[node] ?? 0, canary[node] ?? 0];
  let node = 0;
  for (let at = 0; at < packed.length; ) {
    const distance = packed[at] ?? 0;
    if (distance < 0) {
      node += 1;
      sites[node] = allAt(node, -1 - distance);
      at += 1;
      continue;
    }
    node += distance;
    const count = packed[at + 1] ?? 0;
    const numbers = count === ALL_AT_ONE ? 1 : count * NUMBERS_OF_SITE;
    sites[node] = count === ALL_AT_ONE ? allAt(node, packed[at + 2]) : packed.slice(at + 2, at + 2 + numbers);
    at += 2 + numbers;
  }
  return sites;
}
