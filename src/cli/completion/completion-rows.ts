/** The table of commands as shells need it: which options have values, and what may stand where. Pure. */
import {
  COMMANDS,
  type CommandName,
  type Known,
  knownValues,
  knownWords,
  OPTIONS,
  type OptionName,
  optionsOf,
} from '../command-table.ts';

export interface OptionRow {
  /** With its dashes. */
  readonly long: string;
  readonly short: string | undefined;
  readonly hasValue: boolean;
  /** Undefined: shells have nothing to say about its value. */
  readonly known: Known | undefined;
}

export interface CommandRow {
  readonly name: CommandName;
  readonly says: string;
  readonly options: readonly OptionRow[];
  readonly words: Known | undefined;
}

export const commandRows = (): readonly CommandRow[] =>
  (Object.keys(COMMANDS) as CommandName[]).map((name) => ({
    ...{ name, says: COMMANDS[name].says, words: knownWords(name) },
    options: optionsOf(name).map((option) => optionRow(name, option)),
  }));

/** Words with which commands begin, in the order of the table: `gate` once. */
export const firstWords = (rows: readonly CommandRow[]): readonly string[] => [
  ...new Set([...rows.map(({ name }) => name.split(' ')[0] ?? ''), 'help']),
];

/** By first word, of commands of two words the second ones. */
export const secondWords = (rows: readonly CommandRow[]): ReadonlyMap<string, readonly CommandRow[]> =>
  Map.groupBy(
    rows.filter(({ name }) => name.includes(' ')),
    ({ name }) => name.split(' ')[0] ?? '',
  );

/** As they are typed, of all commands: what stands behind them is a value. */
export const valueOptions = (rows: readonly CommandRow[]): readonly string[] => [
  ...new Set(rows.flatMap(({ options }) => options.filter(({ hasValue }) => hasValue).flatMap(spellings))),
];

export const spellings = ({ long, short }: OptionRow): readonly string[] =>
  short === undefined ? [long] : [short, long];

function optionRow(command: CommandName, name: OptionName): OptionRow {
  const option: { readonly type: string; readonly short?: string } = OPTIONS[name];
  return {
    long: `--${name}`,
    short: option.short === undefined ? undefined : `-${option.short}`,
    hasValue: option.type === 'string',
    known: knownValues(command, name),
  };
}
