/**
 * Which JVMs are being asked right now, on disk: an agent that was killed between having a perf map written and
 * deleting it finds out at its next start and deletes it then.
 */
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { openForeignDirectory } from './foreign-directory.ts';
import { perfMapName } from './perf-map-file.ts';
import { isAlive, type ProcessFacts, readProcessFacts } from './process-facts.ts';

export interface AttachJournal {
  begin(process: ProcessFacts): Promise<void>;
  /** Whether what is there now is ours: begun and not ended. */
  has(process: ProcessFacts): boolean;
  end(process: ProcessFacts): Promise<void>;
}

const MAX_ENTRIES = 1000; // one at a time is begun; more were a broken disk

export async function openAttachJournal(directory: string): Promise<AttachJournal> {
  await mkdir(directory, { recursive: true });
  const open = new Set<string>();
  const entryOf = (process: ProcessFacts) => `${process.pid}-${process.startTicks}`;
  return {
    async begin(process) {
      await writeFile(`${directory}/${entryOf(process)}`, '');
      open.add(entryOf(process));
    },
    has: (process) => open.has(entryOf(process)),
    async end(process) {
      await rm(`${directory}/${entryOf(process)}`, { force: true });
      open.delete(entryOf(process));
    },
  };
}

/** Removes what an earlier agent left behind in containers that still run; returns how many entries it found. */
export async function recoverFromJournal(directory: string, procRoot: string): Promise<number> {
  const entries = (await readdir(directory)).slice(0, MAX_ENTRIES);
  for (const entry of entries) {
    const [pid = 0, startTicks = 0] = entry.split('-').map(Number);
    const process = Number.isSafeInteger(pid) && pid > 0 ? readProcessFacts(procRoot, pid) : undefined;
    const alive = process && isAlive(procRoot, { pid, startTicks });
    const done = !alive || (await removeOurFiles(process, procRoot));
    if (done) await rm(`${directory}/${entry}`, { force: true });
  }
  return entries.length;
}

/** False if the container does not let us: then it is tried again at the next start. */
async function removeOurFiles(process: ProcessFacts, procRoot: string): Promise<boolean> {
  try {
    const tmp = await openForeignDirectory(`${procRoot}/${process.pid}/root`, ['tmp']);
    try {
      await tmp.remove(`.attach_pid${process.nsPid}`);
      await tmp.remove(perfMapName(process));
    } finally {
      await tmp.close();
    }
    return true;
  } catch {
    return false;
  }
}
