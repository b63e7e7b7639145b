/** A picture on its canvas: what is zoomed, found and in focus. */
import {
  type FlameLayout,
  layoutFlame,
  nodeAt as nodeIn,
  type WidthBasis,
} from '../src/profile/flame-layout.ts';
import { readColours } from './flame-colours.ts';
import { paintScene, ROW } from './flame-paint.ts';
import type { Picture } from './picture.ts';

const ZOOM_MS = 180;

export type FlameView = ReturnType<typeof createFlameView>;

/** `panel`: has a scroller, with a canvas and a spacer in it. */
export function createFlameView(panel: HTMLElement, first: Picture) {
  const [scroller, canvas, spacer] = ['.scroller', 'canvas', '.spacer'].map((part) =>
    panel.querySelector(part),
  );
  if (
    !(scroller instanceof HTMLElement && canvas instanceof HTMLCanvasElement && spacer instanceof HTMLElement)
  ) {
    throw new Error(`${panel.id} is no panel for a picture`);
  }
  const context = canvas.getContext('2d', { alpha: false });
  if (context === null) throw new Error('this browser has no 2d canvas');
  let picture = first;
  let basis: WidthBasis = 'both';
  let layout: FlameLayout = { x: new Float64Array(), width: new Float64Array() }; // until it is shown
  let colours = readColours(context);
  let found: readonly boolean[] | undefined;
  let [zoomed, focused, from, to] = [0, -1, 0, 1];
  let frame = 0;
  let isMoving = false; // while it is, every frame is drawn anyway
  let fitted = { width: 0, height: 0, ratio: 0 };

  const paint = (): void => {
    const size = { width: scroller.clientWidth, height: scroller.clientHeight, top: scroller.scrollTop };
    if (size.width > 0) {
      paintScene(context, { picture, layout, colours, from, to, zoomed, focused, found, size });
    }
  };
  const redraw = (): void => {
    if (isMoving) return;
    cancelAnimationFrame(frame);
    frame = requestAnimationFrame(paint);
  };
  /** True where it has another size than before: then the canvas is black. */
  const fit = (): boolean => {
    const { clientWidth: width, clientHeight: height } = scroller;
    const ratio = devicePixelRatio;
    spacer.style.height = `${Math.max(0, (picture.shape.rows + 1) * ROW - height)}px`;
    if (width === fitted.width && height === fitted.height && ratio === fitted.ratio) return false;
    fitted = { width, height, ratio };
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    return true;
  };
  const moveTo = (wantedFrom: number, wantedTo: number): void => {
    if (from === wantedFrom && to === wantedTo) {
      isMoving = false;
      redraw();
      return;
    }
    const began = { from, to, at: performance.now() };
    const duration = matchMedia('(prefers-reduced-motion: reduce)').matches ? 0 : ZOOM_MS;
    const step = (now: number): void => {
      const linear = duration === 0 ? 1 : Math.min(1, Math.max(0, now - began.at) / duration);
      const eased = 1 - (1 - linear) ** 3;
      from = began.from + (wantedFrom - began.from) * eased;
      to = began.to + (wantedTo - began.to) * eased;
      isMoving = linear < 1;
      paint();
      if (isMoving) frame = requestAnimationFrame(step);
    };
    cancelAnimationFrame(frame);
    isMoving = true;
    frame = requestAnimationFrame(step);
  };
  const widthOf = (node: number): number => layout.width[node] ?? 0;
  /** False where the node has no width. */
  const zoom = (node: number): boolean => {
    if (widthOf(node) <= 0 && node !== 0) return false;
    zoomed = node;
    canvas.dataset['zoomed'] = picture.tree.names[picture.tree.name[node] ?? 0] ?? '';
    scroller.scrollTop = Math.max(0, ((picture.tree.depth[node] ?? 0) - 2) * ROW);
    const left = layout.x[node] ?? 0;
    moveTo(left, left + (widthOf(node) || 1));
    return true;
  };

  scroller.addEventListener('scroll', redraw, { passive: true });
  new ResizeObserver(() => {
    if (fit()) paint(); // at once: what was asked for by the next frame has been drawn already
  }).observe(scroller);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
    colours = readColours(context);
    redraw();
  });

  return {
    canvas,
    picture: (): Picture => picture,
    layout: (): FlameLayout => layout,
    zoomed: (): number => zoomed,
    focused: (): number => focused,
    zoom,
    /** Of another tree nothing is in focus any more; of the same one all stays that still has a width. */
    show: (next: Picture, nextBasis: WidthBasis): void => {
      const isSame = next.tree === picture.tree;
      [picture, basis] = [next, nextBasis];
      layout = layoutFlame(picture.tree, picture.shape, { basis, measure: picture.measure });
      if (!isSame) [focused, zoomed, found] = [-1, 0, undefined];
      fit();
      if (!zoom(zoomed)) zoom(0);
    },
    setFound: (matches: readonly boolean[] | undefined): void => {
      found = matches;
      redraw();
    },
    focus: (node: number): void => {
      focused = node;
      const top = (picture.tree.depth[node] ?? 0) * ROW;
      if (node >= 0 && (top < scroller.scrollTop || top + ROW > scroller.scrollTop + scroller.clientHeight)) {
        scroller.scrollTop = Math.max(0, top - scroller.clientHeight / 2);
      }
      redraw();
    },
    /** The node under a point of the window, or undefined. */
    nodeAt: (clientX: number, clientY: number): number | undefined => {
      const box = canvas.getBoundingClientRect();
      const row = Math.floor((clientY - box.top + scroller.scrollTop) / ROW);
      const at = from + ((clientX - box.left) / box.width) * (to - from);
      return nodeIn(picture.tree, picture.shape, layout, { row, at });
    },
    /** The frame's place in the window, for a tooltip that follows the keyboard. */
    placeOf: (node: number): { x: number; y: number } => {
      const box = canvas.getBoundingClientRect();
      const left = (((layout.x[node] ?? 0) - from) / (to - from)) * box.width;
      const top = ((picture.tree.depth[node] ?? 0) + 1) * ROW - scroller.scrollTop;
      return { x: box.left + Math.min(Math.max(0, left), box.width), y: box.top + top };
    },
    /** The node that an arrow key leads to; only what has a width is there. */
    neighbour: (node: number, key: string): number | undefined => {
      const { parent, end } = picture.shape;
      const above = parent[node] ?? -1;
      if (key === 'ArrowUp') return above < 0 ? undefined : above;
      const family = key === 'ArrowDown' ? node : above;
      if (family < 0) return undefined;
      const siblings: number[] = [];
      for (let child = family + 1; child < (end[family] ?? 0); child = end[child] ?? child + 1) {
        if (widthOf(child) > 0) siblings.push(child);
      }
      return key === 'ArrowDown'
        ? siblings[0]
        : siblings[siblings.indexOf(node) + (key === 'ArrowRight' ? 1 : -1)];
    },
    /** The widest frame of that name, which is where a reader wants to be taken. */
    widest: (name: number): number | undefined => {
      let widest: number | undefined;
      for (let node = 0; node < picture.tree.name.length; node += 1) {
        if (picture.tree.name[node] !== name || widthOf(node) <= 0) continue;
        if (widest === undefined || widthOf(node) > widthOf(widest)) widest = node;
      }
      return widest;
    },
    redraw,
  };
}
