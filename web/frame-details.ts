/** What is known of one frame, as a tooltip and as a line of status. Names only ever become text nodes. */
import { changeOf, nodeChange } from '../src/profile/flame-measure.ts';
import { KIND_WORDS, plainName } from '../src/profile/frame-kind.ts';
import type { PageSides } from '../src/profile/page-data.ts';
import { ownCounts } from '../src/profile/sandwich.ts';
import { visibleName } from '../src/profile/visible-name.ts';
import { nameOf, onlyIn, type Picture } from './picture.ts';

export const shownName = (picture: Picture, node: number): string =>
  visibleName(plainName(nameOf(picture, node)));

export function describeFrame(picture: Picture, node: number, sides: PageSides): string {
  const { tree, kinds, measure, text } = picture;
  const { baseline, canary, delta } = nodeChange(tree, node, measure);
  const [site] = sitesOf(picture, node);
  const kind = KIND_WORDS[kinds[node] ?? 'java'];
  const about = [...(kind === '' ? [] : [kind]), ...(site === undefined ? [] : [site.place])].join(', ');
  const amounts = `${sides.baseline} ${text.value(baseline)}, ${sides.canary} ${text.value(canary)}`;
  return `${shownName(picture, node)}${about === '' ? '' : ` (${about})`}: ${amounts}, ${text.delta(delta)}`;
}

export function fillTooltip(tooltip: HTMLElement, picture: Picture, node: number, sides: PageSides): void {
  const { tree, shape, kinds, measure, text } = picture;
  const change = nodeChange(tree, node, measure);
  const name = document.createElement('div');
  name.className = 'name';
  name.textContent = shownName(picture, node);
  const table = document.createElement('table');
  addRow(table, titled(sides.baseline), text.value(change.baseline), tree.baseline[node] ?? 0);
  addRow(table, titled(sides.canary), text.value(change.canary), tree.canary[node] ?? 0);
  const delta = addRow(table, 'Change', text.delta(change.delta));
  if (change.beyondNoise) delta.classList.add(change.delta > 0 ? 'grew' : 'shrank');
  const own = ownCounts(tree, shape, node);
  const self = changeOf(own.baseline, own.canary, measure);
  addRow(table, 'Of it itself', `${text.value(self.baseline)} → ${text.value(self.canary)}`);
  for (const site of sitesOf(picture, node)) addSite(table, picture, node, site);
  const notes = [KIND_WORDS[kinds[node] ?? 'java'], noteOf(picture, node, sides)].filter(
    (note) => note !== '',
  );
  const paragraphs = notes.map((note) => {
    const paragraph = document.createElement('p');
    paragraph.className = 'note';
    paragraph.textContent = `${titled(note)}.`;
    return paragraph;
  });
  tooltip.replaceChildren(name, table, ...paragraphs);
}

function noteOf(picture: Picture, node: number, sides: PageSides): string {
  const only = onlyIn(picture, node);
  if (only === 'canary') return `new: the ${sides.baseline} never ran this path`;
  if (only === 'baseline') return `gone: the ${sides.canary} never ran this path`;
  return picture.steps[node] === 0 ? 'within noise' : '';
}

interface Site {
  readonly place: string;
  readonly baseline: number;
  readonly canary: number;
}

const NUMBERS_PER_SITE = 3;

/** The commonest first. */
function sitesOf({ tree }: Picture, node: number): readonly Site[] {
  const numbers = tree.sites[node] ?? [];
  return Array.from({ length: numbers.length / NUMBERS_PER_SITE }, (_, site) => {
    const [place = 0, baseline = 0, canary = 0] = numbers.slice(NUMBERS_PER_SITE * site);
    return { place: visibleName(tree.places[place] ?? ''), baseline, canary };
  });
}

/** Shares of the frame's own samples: how it divides among its lines. */
function addSite(table: HTMLTableElement, { tree }: Picture, node: number, site: Site): void {
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
