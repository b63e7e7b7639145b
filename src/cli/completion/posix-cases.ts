/** What bash and zsh share: lines of a `case` that say what may be typed. No word of the table needs quotes but `'`-quoted lists. Pure. */
import type { Known } from '../command-table.ts';
import { type CommandRow, firstWords, secondWords, spellings, valueOptions } from './completion-rows.ts';

/** `'status -o' | 'status --output') choices='table json yaml' ;;` */
export const valueCases = (rows: readonly CommandRow[]): readonly string[] =>
  rows.flatMap(({ name, options }) =>
    options
      .filter(({ hasValue }) => hasValue)
      .map((option) => {
        const patterns = spellings(option).map((spelling) => `'${name} ${spelling}'`);
        return `    ${patterns.join(' | ')}) ${assigned(option.known)} ;;`;
      }),
  );

/** What may stand behind a command: its options, and words where they are known. */
export const commandCases = (rows: readonly CommandRow[]): readonly string[] => [
  `    '') choices='${firstWords(rows).join(' ')}' options='--help' ;;`,
  ...[...secondWords(rows)].map(
    ([first, commands]) =>
      `    '${first}') choices='${commands.map(({ name }) => name.slice(first.length + 1)).join(' ')}' options='--help' ;;`,
  ),
  ...rows.map(({ name, options, words }) => {
    const long = [...options.map((option) => option.long), '--help'].join(' ');
    return `    '${name}') ${assigned(words)} options='${long}' ;;`;
  }),
];

/** What a word before the cursor says of the command; `skip` is set where the next one is its value. */
export const wordCases = (rows: readonly CommandRow[]): string => `    case $word in
    --) return ;; # a command of its own
    ${valueOptions(rows).join(' | ')}) skip=1 ;;
    -*) ;;
    *)
      case $command in
      '') command=$word ;;
      ${[...secondWords(rows).keys()].join(' | ')}) command="$command $word" ;;
      esac
      ;;
    esac`;

const assigned = ({ choices = [], path }: Known = {}): string =>
  `choices='${choices.join(' ')}' paths='${path ?? ''}'`;
