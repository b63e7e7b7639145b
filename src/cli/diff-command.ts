/** `flamegate diff`: two profiles from files, one page. */
import { basename } from 'node:path';
import { renderDiffPage } from '../profile/diff-page.ts';
import { foldingOf } from '../profile/folding.ts';
import { type StackCount, totalCount } from '../profile/stack-counts.ts';
import { changesText } from './changes-text.ts';
import type { Command } from './command-line.ts';
import { writeText } from './files.ts';
import { readProfiles } from './profile-files.ts';

export async function runDiff(command: Extract<Command, { kind: 'diff' }>): Promise<string> {
  const { baseline, canary, unit } = await readProfiles(command.baseline, command.canary);
  const profiles = { baseline, canary };
  const { output, raw } = command;
  const names = `${basename(command.canary)} against ${basename(command.baseline)}`;
  const samples = `${count(canary)} against ${count(baseline)} ${unit}`;
  const page = renderDiffPage({
    title: command.title ?? names,
    subtitle: samples,
    views: [{ id: 'samples', label: 'Samples', group: 'Files', what: unit, ...profiles }],
    beginsRaw: raw,
  });
  await writeText(output, page);
  const { fold } = foldingOf(baseline, canary);
  const shown = raw ? profiles : { baseline: baseline.map(fold), canary: canary.map(fold) };
  return `wrote ${output}: ${samples}\n${changesText(shown)}`;
}

const count = (stacks: readonly StackCount[]): string =>
  totalCount(stacks).toLocaleString('en', { maximumFractionDigits: 0 });
