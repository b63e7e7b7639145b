/** What a comparison has found, for people, scripts, pull requests and build servers. Pure. */

import { LEAST_ROUNDS, type RunGrowth, type RunsJudgement } from '../../detect/paired-runs.ts';
import { percent } from '../changes-text.ts';
import { visible } from '../visible.ts';
import type { CompareFormat } from './compare-options.ts';

export interface Compared {
  readonly judged: RunsJudgement;
  /** The margin: a share of named code. */
  readonly failOn: number;
  readonly seconds: number;
}

const MOST_NAMED = 10;

export function rendered(compared: Compared, format: CompareFormat): string {
  switch (format) {
    case 'text':
      return textOf(compared);
    case 'json':
      return `${JSON.stringify(documentOf(compared), null, 2)}\n`;
    case 'markdown':
      return markdownOf(compared);
    case 'junit':
      return junitOf(compared);
  }
}

/** The verdict in one sentence. */
export function headline({ judged, failOn }: Pick<Compared, 'judged' | 'failOn'>): string {
  const { verdict, rounds, grown, most } = judged;
  const after = `after ${rounds} ${rounds === 1 ? 'round' : 'rounds'}`;
  const [first] = grown;
  const who = most.name === '' ? 'a function' : visible(most.name);
  switch (verdict) {
    case 'Failed':
      return `Failed ${after}: ${first === undefined ? 'a function' : visible(first.name)} takes more CPU`;
    case 'Passed':
      return `Passed ${after}: no function has grown by ${percent(failOn)} of the CPU; by ${percent(most.growth)} at most`;
    case 'Inconclusive':
      return rounds < LEAST_ROUNDS
        ? `Inconclusive ${after}: ${LEAST_ROUNDS} are needed at least`
        : `Inconclusive ${after}: ${who} may have grown by ${percent(most.growth)} of the CPU, ${percent(failOn)} would fail`;
  }
}

function textOf(compared: Compared): string {
  const named = compared.judged.grown.slice(0, MOST_NAMED).map((each) => `  ${growthText(each)}`);
  return [headline(compared), ...named, factsText(compared), ''].join('\n');
}

const growthText = ({ name, callers, baseline, canary, least }: RunGrowth): string =>
  `${visible(name)}: ${percent(baseline)} to ${percent(canary)} of the CPU, by ${percent(least)} at least${calledFrom(callers)}`;

const calledFrom = (callers: readonly string[]): string =>
  callers.length === 0 ? '' : `; called from ${callers.map(visible).join(', ')}`;

function factsText({ judged: { samples }, seconds }: Compared): string {
  const count = (n: number) => n.toLocaleString('en');
  return `${count(samples.canary)} samples of the canary against ${count(samples.baseline)}, in ${seconds.toFixed(0)} s`;
}

function documentOf({ judged, failOn, seconds }: Compared) {
  const { verdict, rounds, grown, most, samples } = judged;
  return { verdict, margin: failOn, rounds, seconds, samples, functions: grown, most };
}

function markdownOf(compared: Compared): string {
  const rows = compared.judged.grown
    .slice(0, MOST_NAMED)
    .map(
      ({ name, baseline, canary, least }) =>
        `| ${cell(name)} | ${percent(baseline)} | ${percent(canary)} | ${percent(least)} |`,
    );
  const table =
    rows.length === 0
      ? []
      : ['', '| function | baseline | canary | more by at least |', '|---|---|---|---|', ...rows];
  return [`**${cell(headline(compared))}**`, ...table, '', factsText(compared), ''].join('\n');
}

/** Names come from other people's processes: no markup of theirs may take effect. */
const cell = (text: string): string =>
  visible(text).replaceAll(/[\\`*_{}[\]<>()#+!|~&@]/g, (character) => `&#${character.codePointAt(0)};`);

function junitOf(compared: Compared): string {
  const { judged, seconds } = compared;
  const said = xml(headline(compared));
  const named = judged.grown.slice(0, MOST_NAMED).map((each) => xml(growthText(each)));
  const result = {
    Passed: '',
    Failed: `<failure message="${said}">${named.join('\n')}</failure>`,
    Inconclusive: `<error message="${said}"/>`, // no pass: the exit code is not 0 either
  }[judged.verdict];
  const [failures, errors] = [judged.verdict === 'Failed' ? 1 : 0, judged.verdict === 'Inconclusive' ? 1 : 0];
  const time = seconds.toFixed(1);
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites><testsuite name="flamegate compare" tests="1" failures="${failures}" errors="${errors}" time="${time}">`,
    `<testcase classname="flamegate" name="CPU by function" time="${time}">${result}</testcase>`,
    '</testsuite></testsuites>',
    '',
  ].join('\n');
}

/** What XML 1.0 has no character for is written out first. */
const xml = (text: string): string =>
  visible(text)
    .replaceAll(/[\uFFFE\uFFFF]|\p{Cs}/gu, '\uFFFD')
    .replaceAll(/[&<>"']/g, (character) => `&#${character.codePointAt(0)};`);
