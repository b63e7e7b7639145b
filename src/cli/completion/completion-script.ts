/** `flamegate completion`: a script that makes a shell complete commands, options and values, all of them out of the table of commands. Pure. */
import type { SHELLS } from '../command-table.ts';
import { bashScript } from './bash-script.ts';
import { commandRows } from './completion-rows.ts';
import { fishScript } from './fish-script.ts';
import { zshScript } from './zsh-script.ts';

export function completionScript(shell: (typeof SHELLS)[number]): string {
  const rows = commandRows();
  switch (shell) {
    case 'bash':
      return bashScript(rows);
    case 'zsh':
      return zshScript(rows);
    case 'fish':
      return fishScript(rows);
  }
}
