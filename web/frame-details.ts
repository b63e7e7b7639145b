/** What is known of one frame, as a tooltip and as a line of status. Names only ever become text nodes. */
import type { DiffTree } from '../src/profile/diff.ts';
import type { PageSides } from '../src/profile/diff-page.ts';
import { shareChange } from '../src/profile/flame-layout.ts';

export const percent = (share: number): string => `${(share * 100).toFixed(2)} %`;
/** A difference of two shares; percentage points, since a percentage of a percentage misleads. */
export function points(delta: number): string {
  const digits = (Math.abs(delta) * 100).toFixed(2);
  const sign = digits === '0.00' ? '' : delta > 0 ? '+' : '−';
  return `${sign}${digits} points`;
}

export function describeFrame(tree: DiffTree, node: number, sides: PageSides): string {
  const { baselineShare, canaryShare, delta } = shareChange(tree, node);
  const [site] = sitesOf(tree, node);
  const place = site === undefined ? '' : ` (${site.place})`;
  const name = tree.names[tree.name[node] ?? 0] ?? '';
  const shares = `${sides.baseline} ${percent(baselineShare)}, ${sides.canary} ${percent(canaryShare)}`;
  return `${name}${place}: ${shares}, ${points(delta)}`;
}

export function fillTooltip(tooltip: HTMLElement, tree: DiffTree, node: number, sides: PageSides): void {
  const change = shareChange(tree, node);
  const name = document.createElement('div');
  name.className = 'name';
  name.textContent = tree.names[tree.name[node] ?? 0] ?? '';
  const table = document.createElement('table');
  addRow(table, titled(sides.baseline), percent(change.baselineShare), tree.baseline[node] ?? 0);
  addRow(table, titled(sides.canary), percent(change.canaryShare), tree.canary[node] ?? 0);
  const delta = addRow(table, 'Change', points(change.delta));
  if (change.beyondNoise) {
    delta.classList.add(change.delta > 0 ? 'grew' : 'shrank');
  }
  for (const site of sitesOf(tree, node)) addSite(table, tree, node, site);
  const note = document.createElement('p');
  note.className = 'note';
  note.textContent = noteOf(tree, node, { beyondNoise: change.beyondNoise, sides });
  tooltip.replaceChildren(name, table, ...(note.textContent === '' ? [] : [note]));
}

interface Site {
  readonly place: string;
  readonly baseline: number;
  readonly canary: number;
}

const NUMBERS_PER_SITE = 3;

/** The commonest first. */
function sitesOf(tree: DiffTree, node: number): readonly Site[] {
  const numbers = tree.sites[node] ?? [];
  return Array.from({ length: numbers.length / NUMBERS_PER_SITE }, (_, site) => {
    const [place = 0, baseline = 0, canary = 0] = numbers.slice(NUMBERS_PER_SITE * site);
    return { place: tree.places[place] ?? '', baseline, canary };
  });
}

/** Shares of the frame's own samples: how it divides among its lines. */
function addSite(table: HTMLTableElement, tree: DiffTree, node: number, site: Site): void {
  const part = (seen: number, all = 0) => (all === 0 ? '–' : `${Math.round((100 * seen) / all)} %`);
  const before = part(site.baseline, tree.baseline[node]);
  const after = part(site.canary, tree.canary[node]);
  const row = table.insertRow();
  row.className = 'site';
  row.insertCell().textContent = site.place;
  const cell = row.insertCell();
  cell.className = 'value';
  cell.colSpan = 2;
  cell.textContent = `${before} → ${after} of the frame`;
}

const titled = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1);

function noteOf(
  tree: DiffTree,
  node: number,
  { beyondNoise, sides }: { readonly beyondNoise: boolean; readonly sides: PageSides },
): string {
  if (beyondNoise && tree.baseline[node] === 0) {
    return `New: the ${sides.baseline} never ran this path.`;
  }
  return beyondNoise ? '' : 'Within sampling noise.';
}

function addRow(table: HTMLTableElement, label: string, value: string, samples?: number): HTMLElement {
  const row = table.insertRow();
  row.insertCell().textContent = label;
  const cell = row.insertCell();
  cell.className = 'value';
  cell.textContent = value;
  const counted = row.insertCell();
  counted.className = 'value';
  counted.textContent = samples === undefined ? '' : `${samples.toLocaleString('en')} samples`;
  return cell;
}

/** Beside the point, but inside the window. */
export function placeTooltip(tooltip: HTMLElement, x: number, y: number): void {
  const gap = 14;
  const { offsetWidth, offsetHeight } = tooltip;
  const left = x + gap + offsetWidth > innerWidth ? Math.max(4, x - gap - offsetWidth) : x + gap;
  const top = y + gap + offsetHeight > innerHeight ? Math.max(4, y - gap - offsetHeight) : y + gap;
  tooltip.style.left = `${left}px`;
  tooltip.style.top = `${top}px`;
  tooltip.style.visibility = 'visible';
}
