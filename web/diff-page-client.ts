/** Entry of the diff page's script: reads the tree out of the page and joins pointer, keys and search to the graph. */
import type { DiffPageData, PageFlame, PageStacks } from '../src/profile/diff-page.ts';
import { matchedCounts } from '../src/profile/flame-layout.ts';
import { createFlameView, type FlameView } from './flame-view.ts';
import { describeFrame, fillTooltip, percent, placeTooltip, points } from './frame-details.ts';

function element<T extends HTMLElement>(id: string, type: new () => T): T {
  const found = document.getElementById(id);
  if (!(found instanceof type)) {
    throw new Error(`the page has no ${type.name} with the id ${id}`);
  }
  return found;
}

// The same build writes data and script into one file, so the data is not checked again.
const data: DiffPageData = JSON.parse(element('data', HTMLScriptElement).text);
interface Stacks {
  readonly raw: PageFlame;
  readonly folded: PageFlame;
}
const bothOf = ({ raw, folded }: PageStacks): Stacks => ({ raw, folded: folded ?? raw });
const cpu = bothOf(data);
/** What can be seen besides, by its name in addresses and of its button. */
const OTHERS = (
  [
    ['waiting', data.waiting, 'the time that threads waited'],
    ['io', data.io, 'the time of slow reads and writes, and of syncs'],
  ] as const
).flatMap(([name, both, what]) => (both === undefined ? [] : [{ name, what, stacks: bothOf(both) }]));
const otherOf = (stacks: Stacks) => OTHERS.find((other) => other.stacks === stacks);
/** By what the address calls them. */
const FLAMES: ReadonlyMap<string, PageFlame> = new Map([
  ...OTHERS.flatMap(({ name, stacks: { raw, folded } }) => [
    [`#${name}-raw`, raw] as const,
    [`#${name}`, folded] as const,
  ]),
  ['#raw', cpu.raw],
  ['#folded', cpu.folded],
]);
let stacks = cpu;
let shown: PageFlame = data.beginsRaw ? cpu.raw : cpu.folded;
const canvas = element('canvas', HTMLCanvasElement);
const search = element('search', HTMLInputElement);
const reset = element('reset', HTMLButtonElement);
const tooltip = element('tooltip', HTMLElement);
const status = element('status', HTMLElement);
const foldButton = document.getElementById('fold'); // null where there is nothing to fold
const view: FlameView = createFlameView(shown, {
  canvas,
  scroller: element('scroller', HTMLElement),
  spacer: element('spacer', HTMLElement),
});

const hideTooltip = (): void => {
  tooltip.style.visibility = 'hidden';
};

function zoomTo(node: number): void {
  view.zoom(node);
  reset.disabled = view.zoomed() === 0;
  hideTooltip();
}

function focusOn(node: number): void {
  view.focus(node);
  status.textContent = describeFrame(shown.tree, node, data.sides);
  fillTooltip(tooltip, shown.tree, node, data.sides);
  const { x, y } = view.placeOf(node);
  placeTooltip(tooltip, x, y);
}

function find(text: string): void {
  const wanted = text.trim().toLowerCase();
  const matches = wanted === '' ? undefined : (name: string) => name.toLowerCase().includes(wanted);
  view.setFound(matches);
  element('found', HTMLElement).textContent = matches === undefined ? '' : describeMatches(matches);
}

function describeMatches(matches: (name: string) => boolean): string {
  const { tree } = shown;
  const { nodes, baseline, canary } = matchedCounts(tree, view.layout(), matches);
  const before = baseline / Math.max(1, tree.baseline[0] ?? 0);
  const after = canary / Math.max(1, tree.canary[0] ?? 0);
  const frames = `${nodes} ${nodes === 1 ? 'frame' : 'frames'}`;
  return nodes === 0
    ? 'nothing found'
    : `${frames} · ${percent(before)} → ${percent(after)} · ${points(after - before)}`;
}

/** The widest frame of that name, which is where a reader wants to be taken. */
function widestNamed(name: string): number | undefined {
  const { tree } = shown;
  const { width } = view.layout();
  let widest: number | undefined;
  for (let node = 0; node < tree.name.length; node += 1) {
    if (
      view.nameOf(node) === name &&
      (width[node] ?? 0) > (widest === undefined ? 0 : (width[widest] ?? 0))
    ) {
      widest = node;
    }
  }
  return widest;
}

function show(name: string): void {
  const node = widestNamed(name);
  if (node === undefined) {
    search.value = name;
    find(name);
    return;
  }
  // Two frames up: a reader wants to see who called it.
  const { parent } = view.layout();
  zoomTo(Math.max(0, parent[Math.max(0, parent[node] ?? 0)] ?? 0));
  view.focus(node);
  status.textContent = describeFrame(shown.tree, node, data.sides);
}

/** Machinery can be the culprit too: then it is in the raw stacks only. */
function showCulprit(): void {
  if (stacks !== cpu) {
    showStacks(shown === stacks.folded ? cpu.folded : cpu.raw);
  }
  if (shown === cpu.folded && widestNamed(shown.culprit ?? '') === undefined) {
    toggleFolding();
  }
  show(shown.culprit ?? '');
}

function neighbour(node: number, key: string): number | undefined {
  const { parent, end, width } = view.layout();
  const siblings: number[] = [];
  const family = key === 'ArrowDown' ? node : (parent[node] ?? -1);
  if (key === 'ArrowUp') {
    return family;
  }
  for (
    let child = family + 1;
    family >= 0 && child < (end[family] ?? 0);
    child = end[child] ?? shown.tree.name.length
  ) {
    if ((width[child] ?? 0) > 0) {
      siblings.push(child);
    }
  }
  return key === 'ArrowDown'
    ? siblings[0]
    : siblings[siblings.indexOf(node) + (key === 'ArrowRight' ? 1 : -1)];
}

function onKey(event: KeyboardEvent): void {
  if (event.key === 'Escape') {
    zoomTo(0);
  } else if (event.key === 'Enter') {
    zoomTo(Math.max(0, view.focused()));
  } else if (event.key.startsWith('Arrow')) {
    const next = view.focused() < 0 ? view.zoomed() : neighbour(view.focused(), event.key);
    if (next !== undefined && next >= 0) {
      focusOn(next);
    }
    event.preventDefault();
  }
}

function chooseBasis(basis: 'canary' | 'baseline'): void {
  view.setBasis(basis);
  reset.disabled = view.zoomed() === 0;
  for (const side of ['canary', 'baseline'] as const) {
    element(`by-${side}`, HTMLButtonElement).setAttribute('aria-pressed', String(side === basis));
  }
}

/** What a reader looks at stays in sight where the other tree has it: the search, and the zoomed function. */
function showStacks(flame: PageFlame): void {
  const zoomed = view.nameOf(view.zoomed());
  shown = flame;
  view.show(flame);
  zoomTo(widestNamed(zoomed) ?? 0);
  find(search.value);
  stacks = OTHERS.find((other) => flame === other.stacks.raw || flame === other.stacks.folded)?.stacks ?? cpu;
  const isFolded = flame === stacks.folded;
  foldButton?.setAttribute('aria-pressed', String(isFolded));
  for (const [name, each] of [
    ['cpu', cpu] as const,
    ...OTHERS.map((other) => [other.name, other.stacks] as const),
  ]) {
    document.getElementById(`by-${name}`)?.setAttribute('aria-pressed', String(stacks === each));
  }
  const [name] = document.querySelectorAll('.culprit b');
  if (name !== undefined && stacks === cpu) {
    name.textContent = flame.culprit ?? '';
  }
  // The tables are of CPU.
  for (const [id, isShown] of [
    ['changes-folded', isFolded],
    ['changes-raw', !isFolded],
  ] as const) {
    document.getElementById(id)?.toggleAttribute('hidden', !isShown);
  }
  document.querySelector('details')?.toggleAttribute('hidden', stacks !== cpu);
}

/** Kept in the address, so that a link leads to what its sender saw. */
function remember(): void {
  const [address] = [...FLAMES].find(([, flame]) => flame === shown) ?? [''];
  location.replace(address);
}

function toggleFolding(): void {
  if (foldButton === null) {
    return;
  }
  showStacks(shown === stacks.folded ? stacks.raw : stacks.folded);
  status.textContent = shown === stacks.folded ? 'Machinery is folded.' : 'Stacks are as they were sampled.';
  remember();
}

function choose(wanted: Stacks): void {
  if (wanted === stacks) {
    return;
  }
  showStacks(shown === stacks.folded ? wanted.folded : wanted.raw);
  status.textContent = `Width is the share of ${otherOf(stacks)?.what ?? 'CPU'}.`;
  remember();
}

function followAddress(): void {
  const wanted = FLAMES.get(location.hash) ?? shown;
  if (wanted !== shown) {
    showStacks(wanted);
  }
}

canvas.addEventListener('pointermove', (event) => {
  const node = view.nodeAt(event.clientX, event.clientY);
  if (node === undefined) {
    hideTooltip();
    return;
  }
  fillTooltip(tooltip, shown.tree, node, data.sides);
  placeTooltip(tooltip, event.clientX, event.clientY);
});
canvas.addEventListener('pointerleave', hideTooltip);
canvas.addEventListener('blur', hideTooltip);
canvas.addEventListener('click', (event) => {
  const node = view.nodeAt(event.clientX, event.clientY);
  if (node !== undefined) {
    view.focus(node);
    status.textContent = describeFrame(shown.tree, node, data.sides);
    zoomTo(node);
  }
});
canvas.addEventListener('keydown', onKey);
reset.addEventListener('click', () => zoomTo(0));
search.addEventListener('input', () => find(search.value));
search.addEventListener('keydown', (event) => {
  if (event.key === 'Escape') {
    search.value = '';
    find('');
    canvas.focus();
  }
});
element('by-canary', HTMLButtonElement).addEventListener('click', () => chooseBasis('canary'));
element('by-baseline', HTMLButtonElement).addEventListener('click', () => chooseBasis('baseline'));
document.getElementById('by-cpu')?.addEventListener('click', () => choose(cpu));
for (const other of OTHERS) {
  document.getElementById(`by-${other.name}`)?.addEventListener('click', () => choose(other.stacks));
}
document.getElementById('show-culprit')?.addEventListener('click', showCulprit);
document.querySelector('.changes')?.addEventListener('click', (event) => {
  const name = event.target instanceof HTMLElement ? event.target.dataset['function'] : undefined;
  if (name !== undefined) {
    show(name);
  }
});
document.addEventListener('keydown', (event) => {
  if (document.activeElement === search || event.ctrlKey || event.metaKey || event.altKey) {
    return;
  }
  if (event.key === '/') {
    search.focus();
    event.preventDefault();
  } else if (event.key === 'm') {
    toggleFolding();
  }
});
foldButton?.addEventListener('click', toggleFolding);
addEventListener('hashchange', followAddress);
followAddress();
canvas.dataset['ready'] = 'true';
