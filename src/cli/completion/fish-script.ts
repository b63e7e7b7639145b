/** Completion for fish 3. Pure. */
import type { Known } from '../command-table.ts';
import { type CommandRow, type OptionRow, secondWords, valueOptions } from './completion-rows.ts';

/** What has been typed of the command before the cursor is worked out once, as in the other shells. */
export const fishScript = (
  rows: readonly CommandRow[],
): string => `# fish completion of flamegate: flamegate completion fish | source
function __flamegate_command
    set -l command
    set -l skip 0
    for word in (commandline -opc)[2..-1]
        if test $skip = 1
            set skip 0
            continue
        end
        switch $word
            case --
                echo --
                return
            case ${valueOptions(rows).join(' ')}
                set skip 1
            case '-*'
            case '*'
                if test (count $command) = 0
                    set command $word
                else if contains -- $command[1] ${[...secondWords(rows).keys()].join(' ')}; and test (count $command) = 1
                    set -a command $word
                end
        end
    end
    echo "$command"
end
function __flamegate_is
    test (__flamegate_command) = "$argv"
end
complete -c flamegate -f
complete -c flamegate -n '__flamegate_is ""' -a help -d 'what can be typed'
${firstLines(rows).join('\n')}
${rows.flatMap(optionLines).join('\n')}
`;

function firstLines(rows: readonly CommandRow[]): readonly string[] {
  const twoWords = secondWords(rows);
  const singles = rows.filter(({ name }) => !name.includes(' '));
  return [
    ...singles.map(
      ({ name, says }) => `complete -c flamegate -n '__flamegate_is ""' -a ${name} -d ${quoted(says)}`,
    ),
    ...[...twoWords].flatMap(([first, commands]) => [
      `complete -c flamegate -n '__flamegate_is ""' -a ${first}`,
      ...commands.map(
        ({ name, says }) =>
          `complete -c flamegate -n '__flamegate_is ${first}' -a ${name.slice(first.length + 1)} -d ${quoted(says)}`,
      ),
    ]),
  ];
}

function optionLines({ name, options, words }: CommandRow): readonly string[] {
  const condition = `complete -c flamegate -n '__flamegate_is ${name}'`;
  return [
    ...(words === undefined ? [] : [`${condition} ${shown(words)}`]),
    ...options.map((option) => `${condition} ${spelled(option)}${valueText(option)}`),
  ];
}

const spelled = ({ long, short }: OptionRow): string =>
  `${short === undefined ? '' : `-s ${short.slice(1)} `}-l ${long.slice(2)}`;

const valueText = ({ hasValue, known }: OptionRow): string =>
  hasValue ? ` -r ${known === undefined ? '-f' : shown(known)}` : '';

function shown({ choices = [], path }: Known): string {
  const words = choices.length === 0 ? '' : ` -a '${choices.join(' ')}'`;
  if (path === 'file') return `-F${words}`;
  return path === 'directory' ? `-f -a '(__fish_complete_directories)'${words}` : `-f${words}`;
}

const quoted = (text: string): string => `'${text.replaceAll("'", "\\'")}'`;
