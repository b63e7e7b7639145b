/** `flamegate diff`: two files of collapsed stacks, one page. */
import { basename } from 'node:path';
import { CollapsedError, parseCollapsed } from '../profile/collapsed.ts';
import { renderDiffPage } from '../profile/diff-page.ts';
import { foldingOf } from '../profile/folding.ts';
import { type StackCount, totalCount } from '../profile/stack-counts.ts';
import { changesText } from './changes-text.ts';
import type { Command } from './command-line.ts';
import { readText, writeText } from './files.ts';

export async function runDiff(command: Extract<Command, { kind: 'diff' }>): Promise<string> {
  const baseline = await readStacks(command.baseline);
  const canary = await readStacks(command.canary);
  const profiles = { baseline, canary };
  const { output, raw } = command;
  const names = `${basename(command.canary)} against ${basename(command.baseline)}`;
  const samples = `${count(canary)} against ${count(baseline)} samples`;
  const page = renderDiffPage({
    title: command.title ?? names,
    subtitle: samples,
    views: [{ id: 'samples', label: 'Samples', group: 'Files', what: 'samples', ...profiles }],
    beginsRaw: raw,
  });
  await writeText(output, page);
  const { fold } = foldingOf(baseline, canary);
  const shown = raw ? profiles : { baseline: baseline.map(fold), canary: canary.map(fold) };
  return `wrote ${output}: ${samples}\n${changesText(shown)}`;
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
