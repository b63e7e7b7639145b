/** The JVMs of this machine: whether each can be unwound and named as it runs. Reads only. */
import { readdirSync } from 'node:fs';
import { openAttachJournal } from './attach-journal.ts';
import { fileNameStores } from './file-name-store.ts';
import type { Finding } from './probe-machine.ts';
import { type TrackedProcess, trackProcess } from './tracked-process.ts';

const MAX_JVMS = 64;

/** The oldest first; of those that were found the first 64. */
export async function probeJvms(procRoot: string, directory: string): Promise<readonly Finding[]> {
  const access = {
    ...{ procRoot, stores: fileNameStores(directory), attachAllowed: false, followCoroutines: true },
    journal: await openAttachJournal(`${directory}/attach`),
    symbols: () => 'Auto' as const,
  };
  const found: Finding[] = [];
  const pids = readdirSync(procRoot).map(Number).filter(Number.isInteger);
  for (const pid of pids.sort((a, b) => a - b)) {
    const process = await trackProcess(pid, access);
    await process?.look(Date.now());
    if (process?.unreadable !== undefined && process.unreadable !== 'ENOENT') continue; // another user's, said by `capabilities`
    if (process?.jvm) {
      found.push(findingOf(process, process.jvm));
      process.jvm.close();
    }
    if (found.length === MAX_JVMS) break;
  }
  return found;
}

function findingOf({ facts }: TrackedProcess, jvm: NonNullable<TrackedProcess['jvm']>): Finding {
  const { jdk, symbols, message, leaf, coroutines, coroutinesReason } = jvm.report();
  const what = `JVM ${facts.pid}${jdk === '' ? '' : `, JDK ${jdk}`}`;
  if (symbols !== 'VmStructs') {
    const advice = 'a perf map has its names: spec.jvm.symbols, and the attach fallback of the install';
    return { what, state: 'Limited', found: message, advice };
  }
  if (coroutines === 'Unsupported') {
    const found = `its own names, without suspended callers (${coroutinesReason})`;
    return { what, state: 'Limited', found, advice: 'G1, Parallel or Serial as collector' };
  }
  if (leaf === 'Exact') return { what, state: 'Ok', found: 'its own names, leaf exact' };
  return {
    what,
    state: 'Ok',
    found: 'its own names; the leaf as of the next safepoint (mode Live makes it exact)',
  };
}
