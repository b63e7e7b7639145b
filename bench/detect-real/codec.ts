/** Whether a culprit is the sample's slow codec: one of its functions, or what only it calls. */
import type { CulpritKind } from '../../src/detect/verdict.ts';

const CODEC = /(^|\s|\.)SlowCodec\b/;

interface NamedCulprit {
  readonly function: string;
  readonly kind: CulpritKind;
  /** Leaf first. */
  readonly stack: readonly (string | { readonly name: string })[];
}

export function namesCodec({ function: name, kind, stack }: NamedCulprit): boolean {
  if (kind === 'Moved') return false;
  if (CODEC.test(name)) return true;
  // A report's frames have their lines behind them.
  const frames = stack.map((frame) => (typeof frame === 'string' ? frame : frame.name));
  const own = frames.findIndex((frame) => frame === name || frame.startsWith(`${name} `));
  return own >= 0 && frames.slice(own + 1).some((frame) => CODEC.test(frame));
}
