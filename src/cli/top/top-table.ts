/** One look at what runs, for a terminal or a script: tables follow each other, and so do documents of JSON (one a line) and YAML. Pure. */
import { stringify } from 'yaml';
import { type StackCount, totalCount } from '../../profile/stack-counts.ts';
import { functionRows, functionsText } from '../functions-text.ts';
import type { OutputFormat } from '../output-format.ts';
import { visible } from '../visible.ts';

export interface Look {
  readonly atMs: number;
  /** Whose functions. */
  readonly of: string;
  readonly cpuPercentOfCore: number;
  readonly stacks: readonly StackCount[];
}

export interface TopShape {
  readonly format: OutputFormat;
  /** Tables follow each other in one place; else below each other. */
  readonly isTerminal: boolean;
  readonly rows: number;
}

const HEAD_ROWS = 4;
const MOST_FUNCTIONS = 100; // of what a script reads
const FROM_THE_TOP = '\u001b[H\u001b[2J'; // ECMA-48: cursor to the first place, erase the screen

export function topText(look: Look, { format, isTerminal, rows }: TopShape): string {
  switch (format) {
    case 'table': {
      const time = new Date(look.atMs).toISOString().slice(11, 19);
      const seen = `${look.cpuPercentOfCore.toFixed(0)}% of a CPU, ${totalCount(look.stacks).toLocaleString('en')} samples`;
      const head = `${time}  ${visible(look.of)}: ${seen}\n\n`;
      const table = functionsText(look.stacks, Math.max(1, rows - HEAD_ROWS));
      return isTerminal ? `${FROM_THE_TOP}${head}${table}` : `${head}${table}\n`;
    }
    case 'json':
      return `${JSON.stringify(asObject(look))}\n`;
    case 'yaml':
      return `---\n${stringify(asObject(look))}`;
  }
}

const asObject = ({ atMs, of, cpuPercentOfCore, stacks }: Look) => ({
  at: new Date(atMs).toISOString(),
  of,
  cpuPercentOfCore: Number(cpuPercentOfCore.toFixed(1)),
  samples: totalCount(stacks),
  functions: functionRows(stacks, MOST_FUNCTIONS),
});
