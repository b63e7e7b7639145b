/** What a JVM's command line, environment and installation tell, read once. */
import type { MappedFile } from '../symbols/proc-maps.ts';
import { readText } from './bounded-read.ts';
import { openForeignDirectory } from './foreign-directory.ts';
import { readJavaVariables } from './java-variables.ts';
import { type JvmOptions, jvmOptions } from './jvm-flags.ts';
import { isAlive, type ProcessFacts } from './process-facts.ts';

const MAX_CMDLINE_BYTES = 128 * 1024; // one argument of exec has at most 128 KB
const MAX_RELEASE_BYTES = 16 * 1024;
const MAX_JDK_LENGTH = 64;

export function readOptions(facts: ProcessFacts, procRoot: string): JvmOptions {
  const directory = `${procRoot}/${facts.pid}`;
  const cmdline = unlessRefused(() => readText(`${directory}/cmdline`, MAX_CMDLINE_BYTES)) ?? '';
  const variables = unlessRefused(() => readJavaVariables(`${directory}/environ`));
  // of a process that ended meanwhile only the beginning may have been read
  return jvmOptions(cmdline, isAlive(procRoot, facts) ? variables : undefined);
}

/** Another user's environment takes CAP_SYS_PTRACE; without it the flags and variables stay unknown. */
function unlessRefused<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

/** From the file `release` two levels above lib/server/libjvm.so; empty if it cannot be read. */
export async function readJdkVersion(
  { pid }: ProcessFacts,
  libjvm: MappedFile,
  procRoot: string,
): Promise<string> {
  const home = libjvm.path
    .split('/')
    .filter((each) => each !== '')
    .slice(0, -3);
  try {
    const directory = await openForeignDirectory(`${procRoot}/${pid}/root`, home);
    const file = await directory.openFile('release').finally(() => directory.close());
    if (!file) return '';
    const release = await file.read(Buffer.alloc(MAX_RELEASE_BYTES)).finally(() => file.close());
    const text = release.buffer.toString('utf8', 0, release.bytesRead);
    return /^JAVA_VERSION="([\w.+-]+)"/m.exec(text)?.[1]?.slice(0, MAX_JDK_LENGTH) ?? '';
  } catch {
    return '';
  }
}
