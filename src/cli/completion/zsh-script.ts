/** Completion for zsh 5. Pure. */
import type { CommandRow } from './completion-rows.ts';
import { commandCases, valueCases, wordCases } from './posix-cases.ts';

export const zshScript = (rows: readonly CommandRow[]): string => `#compdef flamegate kubectl-flamegate
# zsh completion of flamegate: source <(flamegate completion zsh), or as the file _flamegate in a directory of $fpath
_flamegate() {
  local word command='' skip='' before='' choices='' options='' paths='' i
  local typed=\${words[CURRENT]}
  for ((i = 2; i < CURRENT; i++)); do
    word=\${words[i]}
    before=$word
    if [[ -n $skip ]]; then
      skip=''
      continue
    fi
${wordCases(rows)}
  done
  if [[ -z $skip && $typed == --*=* ]]; then
    before=\${typed%%=*}
    skip=1
    compset -P '*='
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
  [[ -z $choices ]] || compadd -- \${=choices}
  case $paths in
  file) _files ;;
  directory) _files -/ ;;
  esac
}
if [[ $funcstack[1] == _flamegate ]]; then
  _flamegate "$@"
else
  compdef _flamegate flamegate kubectl-flamegate
fi
`;
