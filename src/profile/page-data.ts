/** What a page's script reads: each view of both profiles as trees and tables of numbers, and every name once. */
import { type DiffTree, diffTree, type TreeNumbering, treeNumbering } from './diff.ts';
import type { ArmCosts } from './flame-measure.ts';
import { foldingOf } from './folding.ts';
import { type FunctionTable, functionTable } from './function-table.ts';
import { packSites } from './page-sites.ts';
import { packColumns } from './page-tree.ts';
import type { StackCount } from './stack-counts.ts';

export interface Profiles {
  readonly baseline: readonly StackCount[];
  readonly canary: readonly StackCount[];
}

/** One thing that can be looked at: CPU, what was waited for, CPU of one route's requests. */
export interface ViewInput extends Profiles {
  /** In addresses: letters and digits. */
  readonly id: string;
  readonly label: string;
  /** Views of a group stand together where one is chosen. */
  readonly group: string;
  /** What the widths are shares of: "CPU", "the time that threads waited". */
  readonly what: string;
  /** What one request costs of it; without, there are shares only. */
  readonly costs?: ArmCosts | undefined;
}

/** What the two are called. */
export interface PageSides {
  readonly baseline: string;
  readonly canary: string;
}

export interface PageData {
  readonly sides: PageSides;
  readonly names: readonly string[];
  readonly places: readonly string[];
  /** The first is shown first. */
  readonly views: readonly PageView[];
  /** Begin with stacks as they were sampled. */
  readonly beginsRaw: boolean;
}

export interface PageView extends Pick<ViewInput, 'id' | 'label' | 'group' | 'what' | 'costs'> {
  readonly raw: PageFlame;
  /** Missing where there is nothing to fold. */
  readonly folded: PageFlame | undefined;
}

export interface PageFlame {
  readonly tree: PageTree;
  readonly functions: FunctionTable;
  /** Functions that a verdict names, in its order: indices into the names; -1 for one that this tree does not have. */
  readonly culprits: readonly number[];
}

/** Depths and counts as page-tree.ts packs them. */
export interface PageTree extends Omit<DiffTree, 'names' | 'places' | 'sites'> {
  /** As page-sites.ts packs them. */
  readonly sites: readonly number[];
}

export interface PageDataInput {
  readonly views: readonly ViewInput[];
  readonly sides: PageSides;
  /** As they were sampled. */
  readonly culprits: readonly string[];
  readonly beginsRaw: boolean;
}

/** Throws a ProfileError. */
export function pageData({ views, sides, culprits, beginsRaw }: PageDataInput): PageData {
  const numbering = treeNumbering();
  return {
    sides,
    views: views.map((view) => viewOf(view, culprits, numbering)),
    beginsRaw,
    names: numbering.names.texts,
    places: numbering.places.texts,
  };
}

function viewOf(input: ViewInput, culprits: readonly string[], numbering: TreeNumbering): PageView {
  const { id, label, group, what, costs } = input;
  const folded = foldedProfiles(input, culprits);
  return {
    ...{ id, label, group, what, costs },
    raw: flameOf(input, culprits, numbering),
    folded: folded && flameOf(folded.profiles, folded.culprits, numbering),
  };
}

function flameOf(
  { baseline, canary }: Profiles,
  culprits: readonly string[],
  numbering: TreeNumbering,
): PageFlame {
  const { names, places: _, sites, ...tree } = diffTree(baseline, canary, { numbering });
  const functions = functionTable(baseline, canary, numbering.names);
  const known = new Set(tree.name.map((name) => names[name]));
  return {
    tree: { ...tree, ...packColumns(tree), sites: packSites({ ...tree, sites }) },
    functions,
    culprits: culprits.map((name) => (known.has(name) ? numbering.names.of(name) : -1)),
  };
}

function foldedProfiles({ baseline, canary }: Profiles, culprits: readonly string[]) {
  const { fold, nameOf } = foldingOf(baseline, canary);
  const profiles = { baseline: baseline.map(fold), canary: canary.map(fold) };
  const isSame = (before: readonly StackCount[], after: readonly StackCount[]) =>
    before.every(({ frames }, i) => frames.join('\0') === after[i]?.frames.join('\0'));
  if (isSame(baseline, profiles.baseline) && isSame(canary, profiles.canary)) return undefined;
  return { profiles, culprits: culprits.map(nameOf) };
}
