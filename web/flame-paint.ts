/** Draws what is visible of a picture, row by row; subtrees that are too narrow or out of sight are stepped over. */
import type { FlameLayout } from '../src/profile/flame-layout.ts';
import type { FlameColours } from './flame-colours.ts';
import { frameText } from './frame-text.ts';
import { onlyIn, type Picture } from './picture.ts';

export const ROW = 22;
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

/** What the context was set to last: to set it again for each of twenty thousand frames takes longer than to draw them. */
interface Pen {
  fill: string;
  alpha: number;
}

interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
}

export function paintScene(context: CanvasRenderingContext2D, scene: Scene): void {
  const { picture, layout, size, from, to } = scene;
  const { tree, shape } = picture;
  const scale = size.width / (to - from);
  context.globalAlpha = 1;
  context.fillStyle = scene.colours.page;
  context.fillRect(0, 0, size.width, size.height);
  context.font = FONT;
  context.textBaseline = 'middle';
  const character = context.measureText('0').width;
  const pen: Pen = { fill: '', alpha: 1 };
  for (let node = 0; node < tree.name.length; ) {
    const left = ((layout.x[node] ?? 0) - from) * scale;
    const width = (layout.width[node] ?? 0) * scale;
    const top = (tree.depth[node] ?? 0) * ROW - size.top;
    const isOutside = left > size.width || left + width < 0 || top > size.height;
    if (isOutside || width < LEAST_PIXELS) {
      node = shape.end[node] ?? tree.name.length;
      continue;
    }
    if (top > -ROW) {
      const begin = Math.max(0, left);
      const box = { left: begin, top, width: Math.min(size.width, left + width) - begin };
      paintFrame(context, scene, node, { box, character, pen });
    }
    node += 1;
  }
}

function paintFrame(
  context: CanvasRenderingContext2D,
  scene: Scene,
  node: number,
  { box, character, pen }: { readonly box: Box; readonly character: number; readonly pen: Pen },
): void {
  const { picture, colours, found, zoomed, focused } = scene;
  const { tree, kinds, steps, culprits } = picture;
  const name = tree.name[node] ?? 0;
  const isDimmed =
    (found !== undefined && found[name] !== true) || (tree.depth[node] ?? 0) < (tree.depth[zoomed] ?? 0);
  const kind = kinds[node] ?? 'java';
  const paint = colours.paint(kind, steps[node] ?? 0);
  const width = Math.max(LEAST_PIXELS, box.width - (box.width > PLAIN_UP_TO ? 1 : 0));
  const alpha = isDimmed ? DIMMED : 1;
  if (alpha !== pen.alpha) context.globalAlpha = alpha;
  if (paint.fill !== pen.fill) context.fillStyle = paint.fill;
  pen.alpha = alpha;
  pen.fill = paint.fill;
  context.fillRect(box.left, box.top, width, ROW - 1);
  const isMarked = culprits.has(name) || node === focused;
  if (box.width <= PLAIN_UP_TO && !isMarked) return;
  pen.fill = '';
  pen.alpha = 1;
  if (box.width > PLAIN_UP_TO && onlyIn(picture, node) !== undefined) {
    context.fillStyle = colours.stripes.get(paint.ink) ?? paint.fill;
    context.fillRect(box.left, box.top, width, ROW - 1);
  }
  if (box.width >= LABEL_FROM_PIXELS) {
    const { left, right } = frameText(picture, node, Math.floor((box.width - 2 * PADDING) / character));
    context.globalAlpha = isDimmed ? DIMMED_INK : 1;
    context.fillStyle = isDimmed ? colours.ink : paint.ink;
    const middle = box.top + ROW / 2;
    if (kind === 'suspended') context.font = ITALIC;
    context.fillText(left, box.left + PADDING, middle);
    if (kind === 'suspended') context.font = FONT;
    if (right !== '')
      context.fillText(right, box.left + box.width - PADDING - right.length * character, middle);
  }
  context.globalAlpha = 1;
  if (!isMarked) return;
  context.strokeStyle = colours.accent;
  context.lineWidth = node === focused ? 3 : 2;
  context.strokeRect(box.left + 1, box.top + 1, Math.max(1, width - 2), ROW - 3);
}
