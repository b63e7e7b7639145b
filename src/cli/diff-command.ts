/** `flamegate diff`: two profiles of any tool; one page, and where it is asked for a verdict. */
import { basename } from 'node:path';
import { type GrowthJudgement, judgeGrowth } from '../detect/profile-growth.ts';
import { renderDiffPage } from '../profile/diff-page.ts';
import { foldingOf } from '../profile/folding.ts';
import { type StackCount, totalCount } from '../profile/stack-counts.ts';
import { changesText, percent } from './changes-text.ts';
import { CliError, type Outcome } from './cli-error.ts';
import type { Command } from './command.ts';
import { writeText } from './files.ts';
import { readProfiles } from './profile-files.ts';
import { visible } from './visible.ts';

type DiffCommand = Extract<Command, { kind: 'diff' }>;

/** Chance that two equal profiles are called a regression. */
const FALSE_FAILURES = 0.01;
const MOST_NAMED = 5;
const SAMPLES = 'samples';
const EXIT_CODES = { Passed: 0, Failed: 1, Inconclusive: 3 } as const;

export async function runDiff(command: DiffCommand): Promise<Outcome> {
  const { output, raw, title, failOn } = command;
  const { baseline, canary, unit } = await readProfiles(command.baseline, command.canary);
  const profiles = { baseline, canary };
  const names = `${basename(command.canary)} against ${basename(command.baseline)}`;
  const samples = `${count(canary)} against ${count(baseline)} ${unit}`;
  if (output !== undefined) {
    const view = { id: 'samples', label: 'Samples', group: 'Files', what: unit, ...profiles };
    const page = { title: title ?? names, subtitle: samples, views: [view], beginsRaw: raw };
    await writeText(output, renderDiffPage(page));
  }
  const { fold } = foldingOf(profiles.baseline, profiles.canary);
  const shown = raw ? profiles : { baseline: baseline.map(fold), canary: canary.map(fold) };
  const head = output === undefined ? samples : `wrote ${output}: ${samples}`;
  const changes = changesText(shown);
  if (failOn === undefined) return { text: `${head}\n${changes}`, exitCode: 0 };
  if (unit !== SAMPLES) {
    throw new CliError(
      'PROFILE_UNITS_DIFFER',
      `--fail-on needs samples, whose noise is known, not ${visible(unit)}`,
    );
  }
  const judged = judgeGrowth(shown.baseline, shown.canary, { margin: failOn, level: FALSE_FAILURES });
  return {
    text: `${head}\n${verdictText(judged, failOn)}\n${changes}`,
    exitCode: EXIT_CODES[judged.verdict],
  };
}

function verdictText({ verdict, grown, most }: GrowthJudgement, margin: number): string {
  switch (verdict) {
    case 'Failed': {
      const named = grown
        .slice(0, MOST_NAMED)
        .map(
          (each) =>
            `  ${visible(each.name)}: ${percent(each.baseline)} to ${percent(each.canary)} of all samples, by ${percent(each.least)} at least`,
        );
      const others = grown.length > MOST_NAMED ? [`  and ${grown.length - MOST_NAMED} more`] : [];
      return [`Failed: grown by more than ${percent(margin)}`, ...named, ...others].join('\n');
    }
    case 'Passed':
      return `Passed: no function has grown by ${percent(margin)} of all samples; by ${percent(most)} at most`;
    case 'Inconclusive':
      return `Inconclusive: too few samples to tell growth of ${percent(margin)}; a function may have grown by ${percent(most)}`;
  }
}

const count = (stacks: readonly StackCount[]): string =>
  totalCount(stacks).toLocaleString('en', { maximumFractionDigits: 0 });
