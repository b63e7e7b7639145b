/** Entry of the page's script: reads the data out of the page and joins pointer, keys and buttons to what is shown. */
import type { PageData } from '../src/profile/page-data.ts';
import { Explorer } from './explorer.ts';
import type { FlameView } from './flame-view.ts';
import { describeFrame, fillTooltip, placeTooltip } from './frame-details.ts';
import { COLUMNS } from './function-rows.ts';
import { element, pageElements } from './page-elements.ts';

// The same build writes data and script into one file, so the data is not checked again.
const data: PageData = JSON.parse(element('data', HTMLScriptElement).text);
const [opening] = data.views;
if (opening !== undefined) joined(new Explorer(data, opening, pageElements()));

function joined(explorer: Explorer): void {
  explorer.onView = (view) => joinPicture(explorer, view);
  joinPicture(explorer, explorer.whole);
  explorer.begin();
  joinTools(explorer);
  joinSearch(explorer);
  joinTables(explorer);
  joinKeys(explorer);
  addEventListener('hashchange', () => explorer.followAddress());
  explorer.whole.canvas.dataset['ready'] = 'true';
}

function joinPicture(explorer: Explorer, view: FlameView): void {
  const { canvas } = view;
  const { tooltip, hideTooltip } = pageElements();
  const tell = (node: number, at: { readonly x: number; readonly y: number }): void => {
    fillTooltip(tooltip, view.picture(), node, data.sides);
    placeTooltip(tooltip, at.x, at.y);
  };
  const focus = (node: number): void => {
    view.focus(node);
    explorer.say(describeFrame(view.picture(), node, data.sides));
    explorer.moved();
  };
  canvas.addEventListener('pointermove', ({ clientX, clientY }) => {
    const node = view.nodeAt(clientX, clientY);
    if (node === undefined) hideTooltip();
    else tell(node, { x: clientX, y: clientY });
  });
  canvas.addEventListener('pointerleave', hideTooltip);
  canvas.addEventListener('blur', hideTooltip);
  canvas.addEventListener('focus', () => {
    explorer.active = view;
    explorer.moved();
  });
  canvas.addEventListener('click', ({ clientX, clientY }) => {
    const node = view.nodeAt(clientX, clientY);
    if (node === undefined) return;
    view.zoom(node);
    focus(node);
  });
  canvas.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') explorer.out();
    else if (event.key === 'Enter') {
      view.zoom(Math.max(0, view.focused()));
      explorer.moved();
    } else if (event.key.startsWith('Arrow')) {
      const next = view.focused() < 0 ? view.zoomed() : view.neighbour(view.focused(), event.key);
      if (next !== undefined) {
        focus(next);
        tell(next, view.placeOf(next));
      }
      event.preventDefault();
    }
  });
}

const WIDTHS = ['both', 'canary', 'baseline'] as const;
type Width = (typeof WIDTHS)[number];

function setWidth(explorer: Explorer, width: Width): void {
  const whose = width === 'both' ? 'the larger of the two' : data.sides[width];
  explorer.change({ width, onlyChanges: false }, `Width: ${whose}.`);
}

function toggleUnit(explorer: Explorer): void {
  const { view, unit } = explorer;
  if (view.costs === undefined) return;
  if (unit === 'share') explorer.change({ unit: 'perRequest' }, `Milliseconds of ${view.what} a request.`);
  else explorer.change({ unit: 'share' }, `Shares of ${view.what}.`);
}

function toggleChanges(explorer: Explorer): void {
  const onlyChanges = !explorer.shown.onlyChanges;
  explorer.change(
    { onlyChanges },
    onlyChanges ? 'Only what changed; the width is the change.' : 'All frames.',
  );
}

function toggleFolding(explorer: Explorer): void {
  if (pageElements().fold === undefined) return;
  const isRaw = !explorer.shown.isRaw;
  explorer.change({ isRaw }, isRaw ? 'Stacks are as they were sampled.' : 'Machinery is folded.');
}

function joinTools(explorer: Explorer): void {
  const { reset, sandwich, fold, chooser } = pageElements();
  reset.addEventListener('click', () => {
    explorer.active.zoom(0);
    explorer.moved();
  });
  sandwich.addEventListener('click', () => explorer.toggleSandwich());
  fold?.addEventListener('click', () => toggleFolding(explorer));
  element('only', HTMLButtonElement).addEventListener('click', () => toggleChanges(explorer));
  chooser?.addEventListener('change', () => {
    const view = data.views.find(({ id }) => id === chooser.value);
    if (view !== undefined) explorer.change({ view: view.id, of: '' }, `Width is ${view.what}.`);
  });
  eachButton('[data-unit]', (button) => {
    if (button.dataset['unit'] !== explorer.unit) toggleUnit(explorer);
  });
  eachButton('[data-width]', (button) =>
    setWidth(explorer, WIDTHS.find((width) => width === button.dataset['width']) ?? 'both'),
  );
}

function eachButton(selector: string, act: (button: HTMLElement) => void): void {
  for (const button of document.querySelectorAll<HTMLElement>(selector)) {
    button.addEventListener('click', () => act(button));
  }
}

function joinSearch(explorer: Explorer): void {
  const { search } = pageElements();
  search.addEventListener('input', () => explorer.change({ find: search.value }, ''));
  search.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') explorer.change({ find: '' }, '');
    if (event.key === 'Escape' || event.key === 'Enter') explorer.active.canvas.focus();
    if (event.key === 'Enter') {
      explorer.active.focus(-1);
      explorer.step(1);
    }
  });
}

function joinTables(explorer: Explorer): void {
  const { functions } = pageElements();
  eachButton('[data-sort]', (button) => {
    explorer.sortedBy = COLUMNS.find((column) => column === button.dataset['sort']) ?? 'selfChange';
    for (const head of functions.querySelectorAll('thead th')) head.removeAttribute('aria-sort');
    const order = explorer.sortedBy === 'name' ? 'ascending' : 'descending';
    button.closest('th')?.setAttribute('aria-sort', order);
    explorer.fillFunctions();
  });
  functions.addEventListener('click', ({ target }) => {
    const name = target instanceof HTMLElement ? target.dataset['name'] : undefined;
    if (name !== undefined) explorer.show(Number(name));
  });
  eachButton('[data-culprit]', (button) => {
    explorer.showCulprit(Number(button.dataset['culprit']));
    element('graph', HTMLElement).scrollIntoView({ block: 'start' });
  });
}

function joinKeys(explorer: Explorer): void {
  const { search } = pageElements();
  const keys: Readonly<Record<string, () => void>> = {
    '/': () => search.focus(),
    m: () => toggleFolding(explorer),
    c: () => toggleChanges(explorer),
    u: () => toggleUnit(explorer),
    w: () => setWidth(explorer, WIDTHS[(WIDTHS.indexOf(explorer.shown.width) + 1) % WIDTHS.length] ?? 'both'),
    s: () => explorer.toggleSandwich(),
    n: () => explorer.step(1),
    p: () => explorer.step(-1),
  };
  document.addEventListener('keydown', (event) => {
    const { target, key, ctrlKey, metaKey, altKey } = event;
    const isTyping = target instanceof HTMLInputElement || target instanceof HTMLSelectElement;
    const act = Object.hasOwn(keys, key) ? keys[key] : undefined;
    if (isTyping || ctrlKey || metaKey || altKey || act === undefined) return;
    act();
    event.preventDefault();
  });
}
