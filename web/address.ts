/** What is shown, in the address, so that a link leads to what its sender saw. */
import type { Unit } from '../src/profile/flame-measure.ts';

export interface Shown {
  readonly view: string;
  readonly isRaw: boolean;
  readonly unit: Unit;
  readonly width: 'both' | 'canary' | 'baseline';
  /** Only what changed: then the width is the change. */
  readonly onlyChanges: boolean;
  readonly find: string;
  /** Name of the function whose callers and callees are shown; '' for none. */
  readonly of: string;
}

const WIDTHS = ['both', 'canary', 'baseline'] as const;

/** Anything else than a page writes itself is as if it were not there. */
export function readAddress(hash: string, first: Shown, views: readonly string[]): Shown {
  const said = new URLSearchParams(hash.replace(/^#/, ''));
  const view = said.get('view') ?? first.view;
  const stacks = said.get('stacks');
  const unit = said.get('unit');
  return {
    view: views.includes(view) ? view : first.view,
    isRaw: stacks === null ? first.isRaw : stacks === 'raw',
    unit: unit === 'share' || unit === 'perRequest' ? unit : first.unit,
    width: WIDTHS.find((width) => width === said.get('width')) ?? first.width,
    onlyChanges: said.get('only') === 'changes',
    find: said.get('find') ?? '',
    of: said.get('of') ?? '',
  };
}

/** Only what differs from how the page begins. */
export function addressOf(shown: Shown, first: Shown): string {
  const said = new URLSearchParams();
  if (shown.view !== first.view) said.set('view', shown.view);
  if (shown.isRaw !== first.isRaw) said.set('stacks', shown.isRaw ? 'raw' : 'folded');
  if (shown.unit !== first.unit) said.set('unit', shown.unit);
  if (shown.width !== first.width) said.set('width', shown.width);
  if (shown.onlyChanges) said.set('only', 'changes');
  if (shown.find !== '') said.set('find', shown.find);
  if (shown.of !== '') said.set('of', shown.of);
  return `#${said}`;
}
