/** A JVM that was found in a container, and what is known of it. */

import type { PerfMap } from '../symbols/perf-map.ts';
import type { PodWindow } from '../wire/batch-schema.ts';
import { namesOfJvm } from './attach.ts';
import type { AttachJournal } from './attach-journal.ts';
import type { AttachOutcome } from './attach-outcome.ts';
import {
  type AttachHistory,
  afterRequest,
  attachIsDue,
  MIN_JVM_AGE_MS,
  maySignal,
  NEVER_ASKED,
} from './attach-schedule.ts';
import { readText } from './bounded-read.ts';
import type { NameStores } from './file-name-store.ts';
import { openForeignDirectory } from './foreign-directory.ts';
import { readJavaVariables } from './java-variables.ts';
import { type JvmOptions, jvmOptions } from './jvm-flags.ts';
import { ageMs, isAlive, type ProcessFacts } from './process-facts.ts';

export type JvmReport = PodWindow['jvm'];

export interface Jvm {
  readonly facts: ProcessFacts;
  readonly names: PerfMap | undefined;
  needsNames(nowMs: number, unnamedShare: number): boolean;
  /** Asks once. Bounded in time; never throws. */
  askForNames(nowMs: number): Promise<void>;
  report(): JvmReport;
  /** Lets go of its names. */
  close(): void;
}

export interface JvmAccess {
  readonly procRoot: string;
  readonly attachAllowed: boolean;
  readonly journal: AttachJournal;
  readonly stores: NameStores;
}

const MAX_CMDLINE_BYTES = 128 * 1024; // one argument of exec has at most 128 KB
const MAX_RELEASE_BYTES = 16 * 1024;
const MAX_JDK_LENGTH = 64;

/** `libjvmPath` is a path inside the process's root. */
export async function inspectJvm(facts: ProcessFacts, libjvmPath: string, access: JvmAccess): Promise<Jvm> {
  const options = readOptions(facts, access.procRoot);
  const jdk = await readJdkVersion(facts, libjvmPath, access.procRoot);
  let history: AttachHistory = NEVER_ASKED;
  let latest: AttachOutcome | undefined;
  let names: PerfMap | undefined;
  let closed = false;

  const ask = (): Promise<AttachOutcome> => {
    const allowed = access.attachAllowed && !options.attachDisabled;
    const grant = !allowed ? 'read' : maySignal(history) ? 'signal' : 'connect';
    return namesOfJvm(facts, { ...access, grant });
  };
  return {
    facts,
    get names() {
      return names;
    },
    needsNames: (nowMs, unnamedShare) =>
      attachIsDue(history, { nowMs, unnamedShare, jvmAgeMs: ageMs(access.procRoot, facts) }),
    async askForNames(nowMs) {
      const outcome = disabledByFlag(await ask(), options);
      history = afterRequest(history, nowMs, outcome.kind === 'failed' ? outcome.reason : undefined);
      latest = outcome;
      if (outcome.kind !== 'named') return;
      names?.close();
      names = closed ? undefined : outcome.map;
      if (closed) outcome.map.close();
    },
    report: () => ({
      ...stateOf(latest, names !== undefined),
      jdk,
      flags: [...options.flags],
      ...(options.environment === undefined ? {} : { environment: [...options.environment] }),
    }),
    close() {
      closed = true;
      names?.close();
      names = undefined;
    },
  };
}

/** A failure to refresh names leaves those that are there. */
function stateOf(
  latest: AttachOutcome | undefined,
  named: boolean,
): Pick<JvmReport, 'state' | 'reason' | 'message'> {
  if (!latest) {
    const message = `the JVM is younger than ${MIN_JVM_AGE_MS} ms, or its names are being asked for`;
    return { state: 'Starting', reason: 'JvmYoung', message };
  }
  switch (latest.kind) {
    case 'named':
      return { state: 'Profiled', reason: latest.source, message: `${latest.map.entries} names` };
    case 'gone':
      return { state: 'Gone', reason: 'JvmEnded', message: 'the JVM ended' };
    case 'failed':
      return {
        state: named ? 'Profiled' : 'AttachFailed',
        reason: latest.reason,
        message: latest.message.slice(0, 1024),
      };
  }
}

function disabledByFlag(outcome: AttachOutcome, options: JvmOptions): AttachOutcome {
  if (!options.attachDisabled || outcome.kind !== 'failed' || outcome.reason !== 'AttachNotGranted')
    return outcome;
  return { ...outcome, reason: 'AttachDisabled', message: 'the JVM runs with -XX:+DisableAttachMechanism' };
}

function readOptions(facts: ProcessFacts, procRoot: string): JvmOptions {
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
async function readJdkVersion({ pid }: ProcessFacts, libjvmPath: string, procRoot: string): Promise<string> {
  const home = libjvmPath
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
