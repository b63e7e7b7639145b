/**
 * Collapsed-stack text, one stack per line, root first: `main;run;inner 7`.
 * The format of Brendan Gregg's stackcollapse scripts (github.com/brendangregg/FlameGraph), read by every flame graph tool.
 */
import type { StackCount } from './stack-counts.ts';

export class CollapsedError extends Error {
  readonly code = 'COLLAPSED_INVALID';
  override readonly name = 'CollapsedError';
}

const MAX_FRAMES = 2_048; // four times the deepest Java stack a default 512 KB to 1 MB thread is seen to hold
const MAX_LINE_CHARS = 1_048_576;

/**
 * One line per stack, in the order given. A semicolon or a line break inside a name would read as another
 * frame or stack, so they become ":" and " ", as other writers of this format do.
 */
export function encodeCollapsed(stacks: Iterable<StackCount>): string {
  let text = '';
  for (const { frames, count } of stacks) {
    const names = frames.map((frame) => frame.replaceAll(';', ':').replaceAll(/[\r\n\u2028\u2029]/g, ' '));
    text += `${names.reverse().join(';')} ${count}\n`;
  }
  return text;
}

/** The stacks of collapsed text, leaf first. Blank lines and lines that begin with # are left out. */
export function parseCollapsed(text: string): StackCount[] {
  const stacks: StackCount[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    const trimmed = line.trimEnd();
    if (trimmed !== '' && !trimmed.startsWith('#')) {
      stacks.push(parseLine(trimmed, index + 1));
    }
  }
  return stacks;
}

function parseLine(line: string, number: number): StackCount {
  if (line.length > MAX_LINE_CHARS) {
    throw new CollapsedError(`line ${number}: ${line.length} characters, the most is ${MAX_LINE_CHARS}`);
  }
  const space = line.lastIndexOf(' ');
  const countText = line.slice(space + 1);
  const count = Number(countText);
  if (space <= 0 || !/^\d+$/.test(countText) || !Number.isSafeInteger(count)) {
    throw new CollapsedError(`line ${number}: no sample count at its end: "${line.slice(-60)}"`);
  }
  const frames = line.slice(0, space).split(';');
  if (frames.length > MAX_FRAMES) {
    throw new CollapsedError(`line ${number}: ${frames.length} frames, the most is ${MAX_FRAMES}`);
  }
  return { frames: frames.reverse(), count };
}
