/** Completion for bash 4 and newer, without the package bash-completion. Pure. */
import type { CommandRow } from './completion-rows.ts';
import { commandCases, valueCases, wordCases } from './posix-cases.ts';

/** Behind `--output` bash makes words of their own of `=` and what follows. */
export const bashScript = (
  rows: readonly CommandRow[],
): string => `# bash completion of flamegate: source <(flamegate completion bash)
_flamegate() {
  local word command='' skip='' before='' choices='' options='' paths='' i
  local typed=\${COMP_WORDS[COMP_CWORD]}
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    before=$word
    if [[ $word == '=' ]]; then
      before=\${COMP_WORDS[i - 1]}
      skip=1
      continue
    fi
    if [[ -n $skip ]]; then
      skip=''
      before=''
      continue
    fi
${wordCases(rows)}
  done
  if [[ $typed == '=' ]]; then
    before=\${COMP_WORDS[COMP_CWORD - 1]}
    skip=1
    typed=''
  fi
  if [[ -n $skip ]]; then
    case "$command $before" in
${valueCases(rows).join('\n')}
    esac
  else
    case $command in
${commandCases(rows).join('\n')}
    esac
    [[ $typed == -* ]] && choices=$options
  fi
  COMPREPLY=()
  while IFS= read -r word; do COMPREPLY+=("$word"); done < <(
    compgen -W "$choices" -- "$typed"
    case $paths in
    file) compgen -f -- "$typed" ;;
    directory) compgen -d -- "$typed" ;;
    esac
  )
  [[ -z $paths ]] || compopt -o filenames 2>/dev/null
}
complete -F _flamegate flamegate kubectl-flamegate
`;
