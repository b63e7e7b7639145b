/** The table beside the picture: the same figures for who cannot see it, or would rather read. */
import { changeOf } from '../src/profile/flame-measure.ts';
import { plainName } from '../src/profile/frame-kind.ts';
import type { FunctionTable } from '../src/profile/function-table.ts';
import { visibleName } from '../src/profile/visible-name.ts';
import type { Picture } from './picture.ts';

const MOST_ROWS = 100;

export const COLUMNS = ['name', 'baselineSelf', 'canarySelf', 'selfChange', 'totalChange'] as const;
export type Column = (typeof COLUMNS)[number];

export interface RowsShown {
  readonly functions: FunctionTable;
  readonly picture: Picture;
  /** By name; undefined: all. */
  readonly found: readonly boolean[] | undefined;
  readonly sortedBy: Column;
  readonly onlyChanged: boolean;
}

interface Row {
  readonly name: number;
  readonly text: string;
  readonly baselineSelf: number;
  readonly canarySelf: number;
  readonly selfChange: number;
  readonly totalChange: number;
  readonly selfIsChange: boolean;
  readonly totalIsChange: boolean;
}

/** Fills the body, and says what is not in it. */
export function fillFunctions(body: HTMLTableSectionElement, shown: RowsShown): string {
  const rows = rowsOf(shown);
  const first = rows.slice(0, MOST_ROWS);
  body.replaceChildren(...first.map((row) => rowElement(row, shown.picture)));
  const hidden = rows.length - first.length + (shown.found === undefined ? shown.functions.others : 0);
  return hidden === 0
    ? ''
    : `${hidden.toLocaleString('en')} more that changed less, or take less; a search finds them in the picture.`;
}

function rowsOf({ functions, picture, found, sortedBy, onlyChanged }: RowsShown): Row[] {
  const { measure, tree } = picture;
  const rows = functions.name.map((name, at): Row => {
    const self = changeOf(functions.baselineSelf[at] ?? 0, functions.canarySelf[at] ?? 0, measure);
    const total = changeOf(functions.baselineTotal[at] ?? 0, functions.canaryTotal[at] ?? 0, measure);
    return {
      ...{ name, text: visibleName(plainName(tree.names[name] ?? '')) },
      ...{ baselineSelf: self.baseline, canarySelf: self.canary },
      ...{ selfChange: self.delta, totalChange: total.delta },
      ...{ selfIsChange: self.beyondNoise, totalIsChange: total.beyondNoise },
    };
  });
  return rows
    .filter(({ name }) => found === undefined || found[name] === true)
    .filter(({ selfIsChange, totalIsChange }) => !onlyChanged || selfIsChange || totalIsChange)
    .sort(orderBy(sortedBy));
}

const orderBy =
  (column: Column) =>
  (a: Row, b: Row): number =>
    column === 'name' ? (a.text < b.text ? -1 : 1) : Math.abs(b[column]) - Math.abs(a[column]);

function rowElement(row: Row, { text }: Picture): HTMLTableRowElement {
  const element = document.createElement('tr');
  const head = document.createElement('th');
  head.scope = 'row';
  const button = document.createElement('button');
  button.type = 'button';
  button.className = 'function';
  button.dataset['name'] = String(row.name);
  button.textContent = row.text;
  head.append(button);
  element.append(head);
  for (const value of [row.baselineSelf, row.canarySelf]) element.insertCell().textContent = text.bare(value);
  for (const [delta, isChange] of [
    [row.selfChange, row.selfIsChange],
    [row.totalChange, row.totalIsChange],
  ] as const) {
    const cell = element.insertCell();
    cell.textContent = text.bareDelta(delta);
    if (isChange) cell.className = delta > 0 ? 'grew' : 'shrank';
  }
  return element;
}
