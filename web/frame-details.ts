/** What is known of one frame, as a tooltip and as a line of status. Names only ever become text nodes. */
import type { DiffTree } from '../src/profile/diff.ts';
import { shareChange } from '../src/profile/flame-layout.ts';

export const percent = (share: number): string => `${(share * 100).toFixed(2)} %`;
/** A difference of two shares; percentage points, since a percentage of a percentage misleads. */
export function points(delta: number): string {
  const digits = (Math.abs(delta) * 100).toFixed(2);
  const sign = digits === '0.00' ? '' : delta > 0 ? '+' : '−';
  return `${sign}${digits} points`;
}

export function describeFrame(tree: DiffTree, node: number): string {
  const { baselineShare, canaryShare, delta } = shareChange(tree, node);
  const name = tree.names[tree.name[node] ?? 0] ?? '';
  return `${name}: baseline ${percent(baselineShare)}, canary ${percent(canaryShare)}, ${points(delta)}`;
}

export function fillTooltip(tooltip: HTMLElement, tree: DiffTree, node: number): void {
  const change = shareChange(tree, node);
  const name = document.createElement('div');
  name.className = 'name';
  name.textContent = tree.names[tree.name[node] ?? 0] ?? '';
  const table = document.createElement('table');
  addRow(table, 'Baseline', percent(change.baselineShare), tree.baseline[node] ?? 0);
  addRow(table, 'Canary', percent(change.canaryShare), tree.canary[node] ?? 0);
  const delta = addRow(table, 'Change', points(change.delta));
  if (change.beyondNoise) {
    delta.classList.add(change.delta > 0 ? 'grew' : 'shrank');
  }
  const note = document.createElement('p');
  note.className = 'note';
  note.textContent = noteOf(tree, node, change.beyondNoise);
  tooltip.replaceChildren(name, table, ...(note.textContent === '' ? [] : [note]));
}

function noteOf(tree: DiffTree, node: number, beyondNoise: boolean): string {
  if (beyondNoise && tree.baseline[node] === 0) {
    return 'New: the baseline never ran this path.';
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
