/** Replayed evaluations for a terminal, and for scripts. */
import { formatDuration } from '../crds/quantities.ts';
import { type OutputFormat, printed } from './output-format.ts';
import type { Said } from './past-evaluations.ts';
import type { Replayed } from './replay.ts';
import { textTable } from './text-table.ts';
import { visible } from './visible.ts';

export const renderReplay = (replayed: readonly Replayed[], format: OutputFormat): string =>
  printed(format, replayed.map(asObject), () => asTable(replayed));

const HEADER = ['EVALUATION', 'BEGAN', 'SAID', 'AFTER', 'BY', 'WOULD SAY', 'AFTER', 'BY'];

function asTable(replayed: readonly Replayed[]): string {
  const rows = replayed.map(({ evaluation, would }) => [
    evaluation.name,
    new Date(evaluation.startedAtMs).toISOString().slice(0, 19),
    ...saidCells(evaluation.said),
    ...saidCells(would),
  ]);
  const messages = replayed.map((one) => `${one.evaluation.name}: ${one.message}${shortfall(one)}`);
  return [...textTable([HEADER, ...rows]), '', ...messages, ''].map(visible).join('\n');
}

const saidCells = (said: Said | undefined): string[] =>
  said === undefined
    ? ['-', '-', '-']
    : [
        said.verdict,
        said.afterMs === undefined ? '-' : formatDuration(said.afterMs),
        said.by.length === 0 ? '-' : said.by.join(', '),
      ];

/** An evaluation that was not decided may have been by windows that nobody kept. */
function shortfall({ would, coveredMs }: Replayed): string {
  if (would.verdict === 'Failed' || would.verdict === 'Passed') return '';
  return coveredMs <= 0 ? ' (its windows are gone)' : ` (its windows end after ${formatDuration(coveredMs)})`;
}

const asObject = ({ evaluation, would, message, pods, looks, coveredMs }: Replayed) => ({
  evaluation: evaluation.name,
  startedAt: new Date(evaluation.startedAtMs).toISOString(),
  said: evaluation.said === undefined ? null : saidObject(evaluation.said),
  would: saidObject(would),
  changed: evaluation.said === undefined ? null : evaluation.said.verdict !== would.verdict,
  message,
  pods,
  looks,
  windowsFor: formatDuration(coveredMs),
});

const saidObject = ({ verdict, reason, afterMs, by }: Said) => ({
  verdict,
  ...(reason === undefined ? {} : { reason }),
  ...(afterMs === undefined ? {} : { after: formatDuration(afterMs) }),
  by,
});
