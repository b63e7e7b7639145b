/** The graph on its canvas: what is zoomed, found and focused, drawn row by row; only what is visible is visited. */
import type { DiffTree } from '../src/profile/diff.ts';
import { type FlameLayout, layoutFlame, type WidthBasis } from '../src/profile/flame-layout.ts';
import { type FlameColours, readColours } from './flame-colours.ts';
import { labelIn } from './flame-label.ts';

const ROW = 20;
const LEAST_PIXELS = 0.5; // narrower frames, and all below them, are not drawn
const LABEL_FROM_PIXELS = 26;
const FONT = '12px ui-monospace, "SF Mono", Menlo, "DejaVu Sans Mono", monospace';
const ZOOM_MS = 180;
const CULPRIT_MARK = '◆ ';
const DIMMED = 0.3;
const DIMMED_INK = 0.75; // still read, but no longer loud

/** A tree, and the function in it that is marked. */
export interface Flame {
  readonly tree: DiffTree;
  readonly culprit: string | undefined;
}

export interface FlameElements {
  readonly canvas: HTMLCanvasElement;
  readonly scroller: HTMLElement;
  readonly spacer: HTMLElement;
}

interface Drawn extends Flame {
  readonly layouts: Readonly<Record<WidthBasis, FlameLayout>>;
}

interface State {
  basis: WidthBasis;
  zoomed: number;
  /** The part of the whole that fills the width. */
  from: number;
  to: number;
  focused: number;
  found: readonly boolean[] | undefined;
  colours: FlameColours;
}

export type FlameView = ReturnType<typeof createFlameView>;

export function createFlameView(first: Flame, elements: FlameElements) {
  const { canvas, scroller, spacer } = elements;
  const context = canvas.getContext('2d');
  if (context === null) {
    throw new Error('this browser has no 2d canvas');
  }
  let drawn = laidOut(first);
  const state: State = {
    basis: 'canary',
    zoomed: 0,
    from: 0,
    to: 1,
    focused: -1,
    found: undefined,
    colours: readColours(first.tree),
  };
  let frame = 0;
  let isMoving = false; // while it is, every frame is drawn anyway
  const layout = (): FlameLayout => drawn.layouts[state.basis];
  const nameOf = (node: number): string => drawn.tree.names[drawn.tree.name[node] ?? 0] ?? '';
  const paint = (): void => draw(context, { ...drawn, layout: layout(), state, elements });

  const redraw = (): void => {
    if (isMoving) {
      return;
    }
    cancelAnimationFrame(frame);
    frame = requestAnimationFrame(paint);
  };
  const resize = (): void => {
    const { clientWidth, clientHeight } = scroller;
    const ratio = devicePixelRatio;
    canvas.width = Math.round(clientWidth * ratio);
    canvas.height = Math.round(clientHeight * ratio);
    canvas.style.width = `${clientWidth}px`;
    canvas.style.height = `${clientHeight}px`;
    spacer.style.height = `${Math.max(0, (layout().rows + 1) * ROW - clientHeight)}px`;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    redraw();
  };
  const moveTo = (from: number, to: number): void => {
    const began = { from: state.from, to: state.to, at: performance.now() };
    const duration = matchMedia('(prefers-reduced-motion: reduce)').matches ? 0 : ZOOM_MS;
    const step = (now: number): void => {
      const linear = duration === 0 ? 1 : Math.min(1, (now - began.at) / duration);
      const eased = 1 - (1 - linear) ** 3;
      state.from = began.from + (from - began.from) * eased;
      state.to = began.to + (to - began.to) * eased;
      paint();
      isMoving = linear < 1;
      if (isMoving) {
        frame = requestAnimationFrame(step);
      }
    };
    cancelAnimationFrame(frame);
    isMoving = true;
    frame = requestAnimationFrame(step);
  };
  const zoom = (node: number): void => {
    const { x, width } = layout();
    if ((width[node] ?? 0) <= 0) {
      return;
    }
    state.zoomed = node;
    canvas.dataset['zoomed'] = nameOf(node);
    scroller.scrollTop = Math.max(0, ((drawn.tree.depth[node] ?? 0) - 2) * ROW);
    moveTo(x[node] ?? 0, (x[node] ?? 0) + (width[node] ?? 1));
  };

  scroller.addEventListener('scroll', redraw, { passive: true });
  new ResizeObserver(resize).observe(scroller);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
    state.colours = readColours(drawn.tree);
    redraw();
  });

  return {
    tree: (): DiffTree => drawn.tree,
    /** Shows another tree, whole: its nodes are not the old one's. What was found has to be found again. */
    show: (flame: Flame): void => {
      drawn = laidOut(flame);
      state.colours = readColours(flame.tree);
      state.focused = -1;
      state.found = undefined;
      resize();
      zoom(0);
    },
    nameOf,
    layout,
    zoom,
    zoomed: (): number => state.zoomed,
    focused: (): number => state.focused,
    setBasis: (basis: WidthBasis): void => {
      state.basis = basis;
      // What is gone from the other profile has no width to zoom into.
      zoom((layout().width[state.zoomed] ?? 0) > 0 ? state.zoomed : 0);
    },
    setFound: (matches: ((name: string) => boolean) | undefined): void => {
      state.found = matches === undefined ? undefined : drawn.tree.names.map(matches);
      redraw();
    },
    focus: (node: number): void => {
      state.focused = node;
      const top = (drawn.tree.depth[node] ?? 0) * ROW;
      if (node >= 0 && (top < scroller.scrollTop || top + ROW > scroller.scrollTop + scroller.clientHeight)) {
        scroller.scrollTop = Math.max(0, top - scroller.clientHeight / 2);
      }
      redraw();
    },
    /** The node under a point of the window, or undefined. */
    nodeAt: (clientX: number, clientY: number): number | undefined => {
      const box = canvas.getBoundingClientRect();
      const row = Math.floor((clientY - box.top + scroller.scrollTop) / ROW);
      const at = state.from + ((clientX - box.left) / box.width) * (state.to - state.from);
      return nodeIn(layout(), drawn.tree, row, at);
    },
    /** The frame's place in the window, for a tooltip that follows the keyboard. */
    placeOf: (node: number): { x: number; y: number } => {
      const box = canvas.getBoundingClientRect();
      const left = (((layout().x[node] ?? 0) - state.from) / (state.to - state.from)) * box.width;
      const top = ((drawn.tree.depth[node] ?? 0) + 1) * ROW - scroller.scrollTop;
      return { x: box.left + Math.min(Math.max(0, left), box.width), y: box.top + top };
    },
  };
}

function laidOut(flame: Flame): Drawn {
  const { tree } = flame;
  return {
    ...flame,
    layouts: { canary: layoutFlame(tree, 'canary'), baseline: layoutFlame(tree, 'baseline') },
  };
}

function nodeIn(layout: FlameLayout, tree: DiffTree, row: number, at: number): number | undefined {
  for (let node = 0; node < tree.name.length; ) {
    const left = layout.x[node] ?? 0;
    const isInside = at >= left && at < left + (layout.width[node] ?? 0);
    if (isInside && tree.depth[node] === row) {
      return node;
    }
    node = isInside ? node + 1 : (layout.end[node] ?? tree.name.length);
  }
  return undefined;
}

interface Scene extends Flame {
  readonly layout: FlameLayout;
  readonly state: State;
  readonly elements: FlameElements;
}

interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
}

function draw(context: CanvasRenderingContext2D, scene: Scene): void {
  const { tree, layout, state, elements } = scene;
  const { clientWidth, clientHeight, scrollTop } = elements.scroller;
  const scale = clientWidth / (state.to - state.from);
  context.fillStyle = state.colours.page;
  context.fillRect(0, 0, clientWidth, clientHeight);
  context.font = FONT;
  context.textBaseline = 'middle';
  for (let node = 0; node < tree.name.length; ) {
    const left = ((layout.x[node] ?? 0) - state.from) * scale;
    const width = (layout.width[node] ?? 0) * scale;
    const top = (tree.depth[node] ?? 0) * ROW - scrollTop;
    const isOutside = left > clientWidth || left + width < 0 || top > clientHeight;
    if (isOutside || width < LEAST_PIXELS) {
      node = layout.end[node] ?? tree.name.length;
      continue;
    }
    if (top > -ROW) {
      const from = Math.max(0, left);
      drawFrame(context, scene, node, { left: from, top, width: Math.min(clientWidth, left + width) - from });
    }
    node += 1;
  }
}

function drawFrame(context: CanvasRenderingContext2D, scene: Scene, node: number, box: Box): void {
  const { tree, state, culprit } = scene;
  const nameIndex = tree.name[node] ?? 0;
  const isCulprit = culprit !== undefined && tree.names[nameIndex] === culprit;
  const isUnmatched = state.found !== undefined && state.found[nameIndex] !== true;
  const isAboveZoom = (tree.depth[node] ?? 0) < (tree.depth[state.zoomed] ?? 0);
  const isDimmed = isUnmatched || isAboveZoom;
  const paint = state.colours.paint(node);
  const width = Math.max(LEAST_PIXELS, box.width - (box.width > 3 ? 1 : 0));
  context.globalAlpha = isDimmed ? DIMMED : 1;
  context.fillStyle = paint.fill;
  context.fillRect(box.left, box.top, width, ROW - 1);
  if (box.width >= LABEL_FROM_PIXELS) {
    const name = tree.names[nameIndex] ?? '';
    const room = Math.floor((box.width - 9) / context.measureText('0').width);
    context.globalAlpha = isDimmed ? DIMMED_INK : 1;
    context.fillStyle = isDimmed ? state.colours.ink : paint.ink;
    const mark = isCulprit ? CULPRIT_MARK : '';
    context.fillText(`${mark}${labelIn(name, room - mark.length)}`, box.left + 4, box.top + ROW / 2);
  }
  context.globalAlpha = 1;
  if (isCulprit || node === state.focused) {
    context.strokeStyle = state.colours.accent;
    context.lineWidth = node === state.focused ? 3 : 2;
    context.strokeRect(box.left + 1, box.top + 1, Math.max(1, width - 2), ROW - 3);
  }
}
