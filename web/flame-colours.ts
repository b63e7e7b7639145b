/** Colours of frames: from blue (more in the baseline) over grey (the same) to orange (more in the canary), read from the page's style. */
import type { FrameKind } from '../src/profile/frame-kind.ts';

export interface FramePaint {
  readonly fill: string;
  readonly ink: string;
}

export interface FlameColours {
  readonly accent: string;
  /** Of text on the page or on a faded frame. */
  readonly ink: string;
  readonly page: string;
  /** `step`: negative where the baseline has more; -STEPS to STEPS. */
  paint(kind: FrameKind, step: number): FramePaint;
  /** Stripes over a frame that only one of the two has, by its ink. */
  readonly stripes: ReadonlyMap<string, CanvasPattern>;
}

export const STEPS = 24;
const FAINT = 0.16; // the least that still reads as a colour beside grey
const FULL = 0.1; // a tenth of the whole and more has the full colour
const HALF = 0.002; // the logarithm's knee: a thousandth must already show

/** Of a change beyond noise, as a part of the whole. */
export function stepOf(change: number): number {
  const strength = Math.log1p(Math.abs(change) / HALF) / Math.log1p(FULL / HALF);
  return Math.sign(change) * Math.round(Math.min(1, Math.max(FAINT, strength)) * STEPS);
}

const GROUNDS: Readonly<Record<FrameKind, string>> = {
  java: '--frame',
  inlined: '--frame',
  suspended: '--frame-suspended',
  kernel: '--frame-kernel',
  collector: '--frame-runtime',
  jvm: '--frame-runtime',
  native: '--frame-runtime',
  waiting: '--frame-kernel',
  machinery: '--frame-suspended',
};

/** Reads the style once; read again when the colour scheme changes. */
export function readColours(context: CanvasRenderingContext2D): FlameColours {
  const style = getComputedStyle(document.documentElement);
  const variable = (name: string): string => style.getPropertyValue(name).trim();
  const inks = [variable('--frame-ink'), variable('--full-ink')];
  const ramps = new Map(
    [...new Set(Object.values(GROUNDS))].map((ground) => [
      ground,
      Array.from({ length: 2 * STEPS + 1 }, (_, at) => {
        const full = channels(variable(at < STEPS ? '--shrank-full' : '--grew-full'));
        const fill = mix(channels(variable(ground)), full, Math.abs(at - STEPS) / STEPS);
        return { fill: `rgb(${fill.join(' ')})`, ink: mostReadable(inks, fill) };
      }),
    ]),
  );
  const none: FramePaint = { fill: variable('--frame'), ink: inks[0] ?? '' };
  return {
    accent: variable('--accent'),
    ink: inks[0] ?? '',
    page: variable('--page'),
    paint: (kind, step) => ramps.get(GROUNDS[kind])?.[step + STEPS] ?? none,
    stripes: new Map(inks.flatMap((ink) => stripe(context, ink) ?? [])),
  };
}

const STRIPE = 8;

function stripe(context: CanvasRenderingContext2D, ink: string): [[string, CanvasPattern]] | undefined {
  const tile = document.createElement('canvas');
  tile.width = STRIPE;
  tile.height = STRIPE;
  const pen = tile.getContext('2d');
  if (pen === null) return undefined;
  pen.strokeStyle = ink;
  pen.globalAlpha = 0.28;
  pen.lineWidth = 1.5;
  pen.beginPath();
  for (const shift of [-STRIPE, 0, STRIPE]) {
    pen.moveTo(shift, STRIPE);
    pen.lineTo(shift + STRIPE, 0);
  }
  pen.stroke();
  const pattern = context.createPattern(tile, 'repeat');
  return pattern === null ? undefined : [[ink, pattern]];
}

function mix(from: readonly number[], to: readonly number[], share: number): number[] {
  return from.map((value, i) => Math.round(value + ((to[i] ?? value) - value) * share));
}

function mostReadable(inks: readonly string[], fill: readonly number[]): string {
  const contrasts = inks.map((ink) => contrast(luminance(channels(ink)), luminance(fill)));
  return inks[contrasts.indexOf(Math.max(...contrasts))] ?? '';
}

// w3.org/TR/WCAG22/#dfn-contrast-ratio and #dfn-relative-luminance
function contrast(a: number, b: number): number {
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}

function luminance(rgb: readonly number[]): number {
  const [red = 0, green = 0, blue = 0] = rgb.map((value) => {
    const channel = value / 255;
    return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** "#rrggbb", or "#rgb" as minifiers write it. */
function channels(hex: string): number[] {
  const digits = hex.slice(1);
  const size = digits.length === 3 ? 1 : 2;
  return [0, 1, 2].map((i) => {
    const channel = digits.slice(i * size, (i + 1) * size);
    return Number.parseInt(size === 1 ? channel + channel : channel, 16);
  });
}
