/** Colours of frames: a diverging ramp from blue (shrank) over grey (same) to red (grew), read from the page's style. */
import type { DiffTree } from '../src/profile/diff.ts';
import { shareChange } from '../src/profile/flame-layout.ts';

export interface FramePaint {
  readonly fill: string;
  readonly ink: string;
}

export interface FlameColours {
  readonly accent: string;
  /** Of text on the page or on a faded frame. */
  readonly ink: string;
  readonly page: string;
  /** By node. */
  paint(node: number): FramePaint;
}

const STEPS = 24;
const FAINT = 0.14; // the least that still reads as a colour beside grey
const FULL_DELTA = 0.1; // ten points of CPU and more have the full colour
const HALF_DELTA = 0.002; // the logarithm's knee: a tenth of a point must already show

/** Reads the style once; read again when the colour scheme changes. */
export function readColours(tree: DiffTree): FlameColours {
  const style = getComputedStyle(document.documentElement);
  const variable = (name: string): string => style.getPropertyValue(name).trim();
  const frameInk = variable('--frame-ink');
  const fullInk = variable('--full-ink');
  const inks = [frameInk, fullInk];
  const ramp = (full: string): FramePaint[] =>
    Array.from({ length: STEPS + 1 }, (_, step) => {
      const fill = mix(channels(variable('--frame')), channels(variable(full)), step / STEPS);
      return { fill: `rgb(${fill.join(' ')})`, ink: mostReadable(inks, fill) };
    });
  const grew = ramp('--grew-full');
  const shrank = ramp('--shrank-full');
  const same: FramePaint = { fill: variable('--frame'), ink: frameInk };
  const paints = tree.name.map((_, node) => {
    const step = stepOf(tree, node);
    return (step < 0 ? shrank[-step] : grew[step]) ?? same;
  });
  return {
    accent: variable('--accent'),
    ink: frameInk,
    page: variable('--page'),
    paint: (node) => paints[node] ?? same,
  };
}

/** Negative: shrank; 0: no change beyond sampling noise. */
function stepOf(tree: DiffTree, node: number): number {
  const { delta, beyondNoise } = shareChange(tree, node);
  if (!beyondNoise) {
    return 0;
  }
  const strength = Math.log1p(Math.abs(delta) / HALF_DELTA) / Math.log1p(FULL_DELTA / HALF_DELTA);
  return Math.sign(delta) * Math.round(Math.min(1, Math.max(FAINT, strength)) * STEPS);
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
