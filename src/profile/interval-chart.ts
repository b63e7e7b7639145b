/** Each check's change with its interval, in multiples of its margin, so that all stand on one scale. */
import { escapeHtml } from './html.ts';

export interface IntervalRow {
  readonly label: string;
  /** Passed, Failed, Inconclusive, … */
  readonly verdict: string;
  /** "2.97 → 7.15ms" */
  readonly levels: string;
  /** "+4.18ms (+2.13 to +7.05ms), margin 2ms" */
  readonly text: string;
  /** In the check's own unit; undefined: nothing could be compared. */
  readonly numbers?: {
    readonly change: number;
    readonly low: number;
    readonly high: number;
    readonly margin: number;
  };
}

const LEFT = -2; // margins
const RIGHT = 4;
const WIDTH = 300;
const HEIGHT = 26;

const xOf = (margins: number): number =>
  ((Math.min(RIGHT, Math.max(LEFT, margins)) - LEFT) / (RIGHT - LEFT)) * WIDTH;

/** A table with a picture in each row: its words are the picture's, too. */
export function intervalChart(rows: readonly IntervalRow[]): string {
  const body = rows.map(
    (row) => `<tr><th scope="row">${escapeHtml(row.label)}</th>
<td><span class="badge ${toneOf(row.verdict)}">${escapeHtml(row.verdict)}</span></td>
<td class="number">${escapeHtml(row.levels)}</td><td class="plot">${plotOf(row)}</td><td class="change">${escapeHtml(row.text)}</td></tr>`,
  );
  return `<table class="checks"><thead><tr><th scope="col">Check</th><th scope="col">Verdict</th><th scope="col" class="number">Baseline → canary</th>
<th scope="col" class="plot">${axis()}</th><th scope="col">Change, with its interval</th></tr></thead><tbody>${body.join('')}</tbody></table>`;
}

export const toneOf = (verdict: string): string =>
  verdict === 'Failed' ? 'failed' : verdict === 'Passed' ? 'passed' : 'open';

const axis = (): string =>
  `<svg viewBox="0 0 ${WIDTH} 18" class="axis" role="img" aria-label="left: less than the baseline; middle line: no change; dashed line: the margin; right of it: too much"><text x="${xOf(0)}" y="13" text-anchor="middle">no change</text><text x="${xOf(1) + 4}" y="13">margin</text><text x="${WIDTH}" y="13" text-anchor="end">worse →</text></svg>`;

function plotOf({ numbers, text }: IntervalRow): string {
  if (numbers === undefined || !(numbers.margin > 0)) return '';
  const { change, low, high, margin } = numbers;
  const [from, to, at] = [low, high, change].map((value) => xOf(value / margin)) as [number, number, number];
  const middle = HEIGHT / 2;
  const isOver = change > margin;
  const clipped =
    high / margin > RIGHT ? `<path d="M${WIDTH - 7} ${middle - 5}l6 5l-6 5" class="over"/>` : '';
  return `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escapeHtml(text)}"><rect x="${xOf(1)}" y="0" width="${WIDTH - xOf(1)}" height="${HEIGHT}" class="beyond"/>
<line x1="${xOf(0)}" x2="${xOf(0)}" y1="0" y2="${HEIGHT}" class="zero"/><line x1="${xOf(1)}" x2="${xOf(1)}" y1="0" y2="${HEIGHT}" class="margin"/>
<line x1="${from}" x2="${to}" y1="${middle}" y2="${middle}" class="interval${isOver ? ' over' : ''}"/>${[from, to].map((x) => `<line x1="${x}" x2="${x}" y1="${middle - 4}" y2="${middle + 4}" class="interval${isOver ? ' over' : ''}"/>`).join('')}
${clipped}<circle cx="${at}" cy="${middle}" r="4.5" class="point${isOver ? ' over' : ''}"/></svg>`;
}
