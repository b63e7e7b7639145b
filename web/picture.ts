/** A tree with all that is known of its nodes before they are laid out. */
import type { DiffTree } from '../src/profile/diff.ts';
import { shapeOf, type TreeShape } from '../src/profile/flame-layout.ts';
import { type Measure, type MeasureText, measureText, nodeChange } from '../src/profile/flame-measure.ts';
import { type FrameKind, kindsOf } from '../src/profile/frame-kind.ts';
import type { PageFlame } from '../src/profile/page-data.ts';
import { unpackSites } from '../src/profile/page-sites.ts';
import { unpackColumns } from '../src/profile/page-tree.ts';
import { stepOf } from './flame-colours.ts';

export interface Picture {
  readonly tree: DiffTree;
  readonly shape: TreeShape;
  readonly kinds: readonly FrameKind[];
  readonly culprits: ReadonlySet<number>;
  readonly culpritNodes: readonly number[];
  readonly measure: Measure;
  readonly text: MeasureText;
  /** By node, of its colour: 0 where nothing changed beyond noise. */
  readonly steps: Int8Array;
}

/** What stays the same whatever is measured. */
export interface Subject extends Pick<Picture, 'tree' | 'shape' | 'kinds' | 'culprits' | 'culpritNodes'> {}

export function subjectOf(
  { tree, culprits }: PageFlame,
  { names, places }: { readonly names: readonly string[]; readonly places: readonly string[] },
): Subject {
  const columns = unpackColumns(tree);
  let sites: DiffTree['sites'] | undefined;
  const whole = {
    ...{ ...tree, ...columns, names, places },
    /** Unpacked when somebody points at a frame: the picture is drawn without. */
    get sites() {
      sites ??= unpackSites(tree.sites, columns);
      return sites;
    },
  };
  return aSubject(whole, new Set(culprits));
}

export const aSubject = (tree: DiffTree, culprits: ReadonlySet<number>): Subject => ({
  tree,
  shape: shapeOf(tree),
  kinds: kindsOf(tree),
  culprits,
  culpritNodes:
    culprits.size === 0 ? [] : [...tree.name.keys()].filter((node) => culprits.has(tree.name[node] ?? -1)),
});

export function pictureOf(subject: Subject, measure: Measure): Picture {
  const whole = wholeOf(measure);
  const steps = new Int8Array(subject.tree.name.length);
  for (let node = 0; node < steps.length; node += 1) {
    const { delta, beyondNoise } = nodeChange(subject.tree, node, measure);
    if (beyondNoise) steps[node] = stepOf(delta / whole);
  }
  return { ...subject, measure, steps, text: measureText(measure.unit, whole) };
}

/** The larger of the two profiles. */
const wholeOf = ({ baseline, canary }: Measure): number =>
  Math.max(baseline.value * baseline.total, canary.value * canary.total) || 1;

export const nameOf = ({ tree }: Pick<Picture, 'tree'>, node: number): string =>
  tree.names[tree.name[node] ?? 0] ?? '';

/** Of a node that only one of the two has, and not by chance. */
export function onlyIn({ tree, steps }: Picture, node: number): 'baseline' | 'canary' | undefined {
  const step = steps[node] ?? 0;
  if (step > 0 && tree.baseline[node] === 0) return 'canary';
  return step < 0 && tree.canary[node] === 0 ? 'baseline' : undefined;
}
