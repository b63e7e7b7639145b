/**
 * Draws what is visible of a picture; subtrees that are too narrow or out of sight are stepped over. Most of a large picture are calls
 * that do nothing but call the next, each as wide as the one above: those that look alike are filled as one, and the gaps between
 * all rows are drawn over them. To fill each by itself takes several times as long as a frame of an animation may.
 */
import type { FlameLayout } from '../src/profile/flame-layout.ts';
import type { FlameColours } from './flame-colours.ts';
import { frameText } from './frame-text.ts';
import { onlyIn, type Picture } from './picture.ts';

export const ROW = 22;
const GAP = 1; // between rows, and to the right of frames that are wide enough
const LEAST_PIXELS = 0.5; // narrower frames, and all below them, are not drawn
const PLAIN_UP_TO = 3; // pixels: narrower frames are a colour and nothing else
const LABEL_FROM_PIXELS = 24;
const FONT = '12px ui-monospace, "SF Mono", Menlo, "DejaVu Sans Mono", "Liberation Mono", monospace';
const ITALIC = `italic ${FONT}`; // callers that wait
const PADDING = 5;
const DIMMED = 0.28;
const DIMMED_INK = 0.75; // still read, but no longer loud

export interface Scene {
  readonly picture: Picture;
  readonly layout: FlameLayout;
  readonly colours: FlameColours;
  /** The part of the whole that fills the width. */
  readonly from: number;
  readonly to: number;
  readonly zoomed: number;
  readonly focused: number;
  /** By name. */
  readonly found: readonly boolean[] | undefined;
  readonly size: { readonly width: number; readonly height: number; readonly top: number };
}

interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
}

export function paintScene(context: CanvasRenderingContext2D, scene: Scene): void {
  const { picture, focused, size, colours } = scene;
  context.globalAlpha = 1;
  context.fillStyle = colours.page;
  context.fillRect(0, 0, size.width, size.height);
  const named = fillFrames(context, scene);
  paintGaps(context, scene);
  context.font = FONT;
  context.textBaseline = 'middle';
  const character = context.measureText('0').width;
  for (const node of named) paintName(context, scene, node, character);
  for (const node of picture.culpritNodes) paintMark(context, scene, node);
  if (focused >= 0) paintMark(context, scene, focused);
}

/** Returns those with room for a name. */
function fillFrames(context: CanvasRenderingContext2D, scene: Scene): readonly number[] {
  const { tree, shape } = scene.picture;
  const named: number[] = [];
  for (let node = 0; node < tree.name.length; ) {
    const box = boxOf(scene, node);
    if (box === undefined) {
      node = shape.end[node] ?? tree.name.length;
      continue;
    }
    const last = lastAlike(scene, node);
    fillAlike(context, scene, { node, box, rows: last - node + 1 });
    if (box.width >= LABEL_FROM_PIXELS) for (let one = node; one <= last; one += 1) named.push(one);
    node = last + 1;
  }
  return named;
}

/** Undefined of a frame that is not to be seen, nor what it calls; above the upper edge what it calls may be. */
function boxOf({ picture, layout, size, from, to }: Scene, node: number): Box | undefined {
  const scale = size.width / (to - from);
  const left = ((layout.x[node] ?? 0) - from) * scale;
  const width = (layout.width[node] ?? 0) * scale;
  const top = (picture.tree.depth[node] ?? 0) * ROW - size.top;
  const isOutside = left > size.width || left + width < 0 || top > size.height;
  if (isOutside || width < LEAST_PIXELS) return undefined;
  const begin = Math.max(0, left);
  return { left: begin, top, width: Math.min(size.width, left + width) - begin };
}

/** The last of a chain of calls from `node` on, down to the lower edge at most: each all of the one above it, and of the same look. */
function lastAlike(scene: Scene, node: number): number {
  const { picture, layout, size } = scene;
  const { tree, kinds, steps } = picture;
  const bottomRow = (size.top + size.height) / ROW;
  const [x, width, kind, step] = [layout.x[node], layout.width[node], kinds[node], steps[node]];
  const isDim = isDimmed(scene, node);
  const only = onlyIn(picture, node);
  let depth = tree.depth[node] ?? 0;
  let last = node;
  for (let next = node + 1; depth < bottomRow && tree.depth[next] === depth + 1; next += 1) {
    const isSame = layout.width[next] === width && layout.x[next] === x && kinds[next] === kind;
    if (!isSame || steps[next] !== step || isDimmed(scene, next) !== isDim || onlyIn(picture, next) !== only)
      break;
    last = next;
    depth += 1;
  }
  return last;
}

function isDimmed({ picture, found, zoomed }: Scene, node: number): boolean {
  const { name, depth } = picture.tree;
  return (
    (found !== undefined && found[name[node] ?? 0] !== true) || (depth[node] ?? 0) < (depth[zoomed] ?? 0)
  );
}

function fillAlike(
  context: CanvasRenderingContext2D,
  scene: Scene,
  { node, box, rows }: { readonly node: number; readonly box: Box; readonly rows: number },
): void {
  const { picture, colours } = scene;
  const height = rows * ROW;
  if (box.top + height <= 0) return;
  const { fill, ink } = colours.paint(picture.kinds[node] ?? 'java', picture.steps[node] ?? 0);
  const width = filledWidth(box);
  context.globalAlpha = isDimmed(scene, node) ? DIMMED : 1;
  context.fillStyle = fill;
  context.fillRect(box.left, box.top, width, height);
  if (box.width <= PLAIN_UP_TO || onlyIn(picture, node) === undefined) return;
  context.fillStyle = colours.stripes.get(ink) ?? fill;
  context.fillRect(box.left, box.top, width, height);
}

const filledWidth = ({ width }: Box): number =>
  Math.max(LEAST_PIXELS, width - (width > PLAIN_UP_TO ? GAP : 0));

function paintGaps(context: CanvasRenderingContext2D, { size, colours }: Scene): void {
  context.globalAlpha = 1;
  context.fillStyle = colours.page;
  for (let bottom = ROW - (size.top % ROW); bottom - GAP < size.height; bottom += ROW) {
    context.fillRect(0, bottom - GAP, size.width, GAP);
  }
}

function paintName(context: CanvasRenderingContext2D, scene: Scene, node: number, character: number): void {
  const { picture, colours } = scene;
  const box = boxOf(scene, node);
  if (box === undefined || box.top <= -ROW) return;
  const kind = picture.kinds[node] ?? 'java';
  const { left, right } = frameText(picture, node, Math.floor((box.width - 2 * PADDING) / character));
  const isDim = isDimmed(scene, node);
  context.globalAlpha = isDim ? DIMMED_INK : 1;
  context.fillStyle = isDim ? colours.ink : colours.paint(kind, picture.steps[node] ?? 0).ink;
  const middle = box.top + ROW / 2;
  const amountWidth = right.length * character;
  if (kind === 'suspended') context.font = ITALIC;
  // Scripts whose characters are wider than a Latin one's are narrowed: they would run into the next frame.
  context.fillText(left, box.left + PADDING, middle, box.width - PADDING - amountWidth);
  if (kind === 'suspended') context.font = FONT;
  if (right !== '') context.fillText(right, box.left + box.width - PADDING - amountWidth, middle);
}

function paintMark(context: CanvasRenderingContext2D, scene: Scene, node: number): void {
  const box = boxOf(scene, node);
  if (box === undefined || box.top <= -ROW) return;
  context.globalAlpha = 1;
  context.strokeStyle = scene.colours.accent;
  context.lineWidth = node === scene.focused ? 3 : 2;
  context.strokeRect(box.left + 1, box.top + 1, Math.max(1, filledWidth(box) - 2), ROW - 3);
}
