/** What is shown of the page's data, and where a reader is in it: every change goes through here and is drawn at once. */
import { matchedCounts } from '../src/profile/flame-layout.ts';
import { changeOf, requestMeasure, shareMeasure } from '../src/profile/flame-measure.ts';
import type { PageData, PageFlame, PageView } from '../src/profile/page-data.ts';
import { sandwichOf } from '../src/profile/sandwich.ts';
import { visibleName } from '../src/profile/visible-name.ts';
import { addressOf, readAddress, type Shown } from './address.ts';
import { createFlameView, type FlameView } from './flame-view.ts';
import { describeFrame } from './frame-details.ts';
import { type Column, fillFunctions } from './function-rows.ts';
import { element, type PageElements } from './page-elements.ts';
import { aSubject, nameOf, type Picture, pictureOf, type Subject, subjectOf } from './picture.ts';
import { searched } from './searched.ts';

const TABLE_AFTER_MS = 100; // a few frames; a frame that is asked for would not come while the page is in the background

export class Explorer {
  readonly whole: FlameView;
  /** The picture that keys and buttons are about. */
  active: FlameView;
  sortedBy: Column = 'selfChange';
  /** For views that are made later, as the first was. */
  onView: (view: FlameView) => void = () => {};
  readonly #data: PageData;
  readonly #page: PageElements;
  readonly #opening: PageView;
  readonly #first: Shown;
  #shown: Shown;
  #picture: Picture;
  #search = searched('', []);
  #halves: { readonly callers: FlameView; readonly callees: FlameView } | undefined;
  readonly #subjects = new Map<PageFlame, Subject>();

  constructor(data: PageData, opening: PageView, page: PageElements) {
    this.#data = data;
    this.#page = page;
    this.#opening = opening;
    this.#first = {
      view: opening.id,
      isRaw: data.beginsRaw,
      unit: data.views.some(({ costs }) => costs !== undefined) ? 'perRequest' : 'share',
      ...{ width: 'both', onlyChanges: false, find: '', of: '' },
    };
    this.#shown = this.#addressed();
    this.#picture = this.#pictureShown();
    this.whole = createFlameView(page.whole, this.#picture);
    this.active = this.whole;
  }

  get shown(): Shown {
    return this.#shown;
  }

  get view(): PageView {
    return this.#data.views.find(({ id }) => id === this.#shown.view) ?? this.#opening;
  }

  get unit() {
    return this.#picture.measure.unit;
  }

  change(part: Partial<Shown>, words: string): void {
    this.#shown = { ...this.#shown, ...part };
    history.replaceState(null, '', addressOf(this.#shown, this.#first));
    this.render();
    this.say(words);
  }

  followAddress(): void {
    this.#shown = this.#addressed();
    this.render();
  }

  say(text: string): void {
    this.#page.status.textContent = text;
  }

  /** The picture at once, the table once that is on the screen: the picture is what a reader waits for. */
  begin(): void {
    this.#draw();
    setTimeout(() => this.fillFunctions(), TABLE_AFTER_MS);
  }

  render(): void {
    this.#draw();
    this.fillFunctions();
  }

  fillFunctions(): void {
    const [body] = this.#page.functions.tBodies;
    if (body === undefined) return;
    for (const unit of document.querySelectorAll('.unit')) unit.textContent = this.#picture.text.columnUnit;
    this.#page.more.textContent = fillFunctions(body, {
      functions: this.#flame().functions,
      picture: this.#picture,
      found: this.#search.of(this.#data.names),
      sortedBy: this.sortedBy,
      onlyChanged: this.#shown.onlyChanges,
    });
  }

  /** Two frames up: a reader wants to see who called it. */
  take(view: FlameView, node: number): void {
    const { parent } = view.picture().shape;
    view.zoom(Math.max(0, parent[Math.max(0, parent[node] ?? 0)] ?? 0));
    view.focus(node);
    this.say(describeFrame(view.picture(), node, this.#data.sides));
    this.#page.hideTooltip();
    this.moved();
  }

  /** Where it is hidden by what is shown, less is hidden: machinery is in the raw stacks only, what is gone has no width of the canary's. */
  show(name: number): void {
    const wider: readonly Partial<Shown>[] = [
      { of: '' },
      { width: 'both' },
      { onlyChanges: false },
      ...(this.view.folded === undefined ? [] : [{ isRaw: true }]),
    ];
    for (const part of wider) {
      if (this.#shown.of === '' && this.#widest(name) !== undefined) break;
      this.change(part, '');
    }
    const node = this.#widest(name);
    if (node === undefined)
      this.say(`${visibleName(this.#data.names[name] ?? '')}: too little of it to draw.`);
    else this.take(this.whole, node);
  }

  /** The nth function that the verdict names. */
  showCulprit(nth: number): void {
    if (this.#shown.view !== this.#opening.id) this.change({ view: this.#opening.id }, '');
    const inTrees = [this.#flame(), this.view.raw].map(({ culprits }) => culprits[nth] ?? -1);
    const name = inTrees.find((one) => one >= 0);
    if (name === undefined) this.say('There is too little of it to draw.');
    else this.show(name);
  }

  /** To the next frame that was searched for, or the one before. */
  step(by: 1 | -1): void {
    const { tree } = this.active.picture();
    const found = this.#search.of(tree.names);
    if (found === undefined) return;
    const { width } = this.active.layout();
    for (let node = this.active.focused() + by; node >= 0 && node < tree.name.length; node += by) {
      if (found[tree.name[node] ?? 0] !== true || (width[node] ?? 0) <= 0) continue;
      this.take(this.active, node);
      return;
    }
    this.say(by === 1 ? 'That was the last match.' : 'That was the first match.');
  }

  toggleSandwich(): void {
    const node = this.active.focused();
    if (this.#shown.of !== '') this.change({ of: '' }, 'All stacks.');
    else if (node > 0) {
      const of = nameOf(this.active.picture(), node);
      this.change({ of }, `Callers and callees of ${visibleName(of)}.`);
      this.active.canvas.focus();
    }
  }

  /** One step: out of the zoom, then out of the sandwich. */
  out(): void {
    if (this.active.zoomed() === 0 && this.#shown.of !== '') {
      this.change({ of: '' }, 'All stacks.');
      this.whole.canvas.focus();
      return;
    }
    this.active.zoom(0);
    this.#page.hideTooltip();
    this.moved();
  }

  /** Buttons that depend on where a reader is. */
  moved(): void {
    const { reset, sandwich } = this.#page;
    const isSandwich = this.#shown.of !== '';
    reset.disabled = this.active.zoomed() === 0;
    sandwich.disabled = !isSandwich && this.active.focused() <= 0;
    sandwich.setAttribute('aria-pressed', String(isSandwich));
  }

  #draw(): void {
    const before = nameOf(this.#picture, this.whole.zoomed());
    const isOther = this.#subject().tree !== this.#picture.tree;
    this.#picture = this.#pictureShown();
    this.whole.show(this.#picture, this.#basis());
    if (isOther) {
      const node = this.#widest(this.#data.names.indexOf(before));
      if (node !== undefined) this.whole.zoom(node); // what a reader looks at stays in sight
    }
    this.#showSandwich();
    this.#find();
    this.#sayIfEmpty();
    this.#press();
    this.#page.hideTooltip();
  }

  #addressed(): Shown {
    return readAddress(
      location.hash,
      this.#first,
      this.#data.views.map(({ id }) => id),
    );
  }

  #flame(): PageFlame {
    return this.#shown.isRaw ? this.view.raw : (this.view.folded ?? this.view.raw);
  }

  #subject(): Subject {
    const flame = this.#flame();
    const subject = this.#subjects.get(flame) ?? subjectOf(flame, this.#data);
    this.#subjects.set(flame, subject);
    return subject;
  }

  #pictureShown(): Picture {
    const subject = this.#subject();
    const { costs } = this.view;
    const isByRequest = this.#shown.unit === 'perRequest' && costs !== undefined;
    return pictureOf(subject, isByRequest ? requestMeasure(subject.tree, costs) : shareMeasure(subject.tree));
  }

  #basis() {
    return this.#shown.onlyChanges ? 'change' : this.#shown.width;
  }

  #widest(name: number): number | undefined {
    return name < 0 ? undefined : this.whole.widest(name);
  }

  #find(): void {
    const { search, found } = this.#page;
    const { find } = this.#shown;
    this.#search = searched(find, this.#data.names);
    if (search.value !== find) search.value = find;
    for (const view of [this.whole, this.#halves?.callers, this.#halves?.callees]) {
      view?.setFound(this.#search.of(view.picture().tree.names));
    }
    const { refusal } = this.#search;
    search.setAttribute('aria-invalid', String(refusal !== ''));
    found.textContent = refusal === '' ? this.#matches() : refusal;
  }

  #matches(): string {
    const found = this.#search.of(this.#data.names);
    if (found === undefined) return '';
    const { tree, shape, measure, text } = this.#picture;
    const { nodes, baseline, canary } = matchedCounts(tree, shape, found);
    if (nodes === 0) return 'nothing found';
    const all = changeOf(baseline, canary, measure);
    const frames = `${nodes} ${nodes === 1 ? 'frame' : 'frames'}`;
    return `${frames} · ${text.value(all.baseline)} → ${text.value(all.canary)} · ${text.delta(all.delta)}`;
  }

  #showSandwich(): void {
    const { of } = this.#shown;
    const name = of === '' ? -1 : this.#data.names.indexOf(of);
    const { tree, shape, measure } = this.#picture;
    const both = name < 0 ? undefined : sandwichOf(tree, shape, name);
    const { whole, callers, callees } = this.#page;
    whole.hidden = both !== undefined;
    callers.hidden = both === undefined;
    callees.hidden = both === undefined;
    if (both === undefined) {
      this.#shown = { ...this.#shown, of: '' };
      this.active = this.whole;
      this.whole.redraw();
      return;
    }
    for (const title of document.querySelectorAll('.of')) title.textContent = visibleName(of);
    const half = (part: typeof tree): Picture => pictureOf(aSubject(part, new Set()), measure);
    const pictures = { callers: half(both.callers), callees: half(both.callees) };
    if (this.#halves === undefined) {
      const views = {
        callers: createFlameView(callers, pictures.callers),
        callees: createFlameView(callees, pictures.callees),
      };
      this.#halves = views;
      this.onView(views.callers);
      this.onView(views.callees);
    }
    this.#halves.callers.show(pictures.callers, this.#basis());
    this.#halves.callees.show(pictures.callees, this.#basis());
    this.active = this.#halves.callees;
  }

  #sayIfEmpty(): void {
    const { baseline, canary } = this.#picture.measure;
    const hasSamples = baseline.total + canary.total > 0;
    this.#page.empty.textContent = hasSamples
      ? 'Nothing changed by more than noise.'
      : 'There are no samples to draw.';
    this.#page.empty.hidden = (this.whole.layout().width[0] ?? 0) > 0;
  }

  #press(): void {
    const { onlyChanges, isRaw, width, view } = this.#shown;
    for (const button of document.querySelectorAll<HTMLElement>('[data-unit]')) {
      button.setAttribute('aria-pressed', String(button.dataset['unit'] === this.unit));
    }
    for (const button of document.querySelectorAll<HTMLButtonElement>('[data-width]')) {
      button.setAttribute('aria-pressed', String(!onlyChanges && button.dataset['width'] === width));
    }
    document.getElementById('units')?.toggleAttribute('hidden', this.view.costs === undefined);
    element('only', HTMLButtonElement).setAttribute('aria-pressed', String(onlyChanges));
    const { fold, chooser } = this.#page;
    fold?.setAttribute('aria-pressed', String(!isRaw));
    if (chooser !== undefined) chooser.value = view;
    this.moved();
  }
}
