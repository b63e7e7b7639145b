/** `flamegate diff`: two files of collapsed stacks, one page. */
import { basename } from 'node:path';
import { CollapsedError, parseCollapsed } from '../profile/collapsed.ts';
import { renderDiffPage } from '../profile/diff-page.ts';
import { type StackCount, totalCount } from '../profile/stack-counts.ts';
import type { Command } from './command-line.ts';
import { readText, writeText } from './files.ts';

export async function runDiff(command: Extract<Command, { kind: 'diff' }>): Promise<string> {
  const baseline = await readStacks(command.baseline);
  const canary = await readStacks(command.canary);
  const names = `${basename(command.canary)} against ${basename(command.baseline)}`;
  const samples = `${count(canary)} against ${count(baseline)} samples`;
  const page = renderDiffPage({ title: command.title ?? names, subtitle: samples, baseline, canary });
  await writeText(command.output, page);
  return `wrote ${command.output}: ${samples}\n`;
}

async function readStacks(path: string): Promise<StackCount[]> {
  try {
    return parseCollapsed(await readText(path));
  } catch (error) {
    throw error instanceof CollapsedError
      ? new CollapsedError(`${path}: ${error.message}`, { cause: error })
      : error;
  }
}

const count = (stacks: readonly StackCount[]): string => totalCount(stacks).toLocaleString('en');
