/**
 * Asks a HotSpot JVM for the names of its compiled code, from outside its container and without entering it.
 * Follows the JVM's own attach protocol (hotspot/os/posix/attachListener_posix.cpp): a file .attach_pid and a SIGQUIT
 * make the JVM open the socket .java_pid in its /tmp, which then takes one command per connection.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { codeOf, messageOf } from './agent-error.ts';
import type { AttachJournal } from './attach-journal.ts';
import { AttachFailure, type AttachOutcome } from './attach-outcome.ts';
import { callJvm } from './attach-socket.ts';
import type { NameStores } from './file-name-store.ts';
import { type ForeignDirectory, openForeignDirectory } from './foreign-directory.ts';
import { foreignPerfMap, ownPerfMap, perfMapName } from './perf-map-file.ts';
import { catchesSigquit, isAlive, type ProcessFacts } from './process-facts.ts';

export interface AttachOptions {
  readonly procRoot: string;
  readonly journal: AttachJournal;
  readonly stores: NameStores;
  /** What may be done to the JVM: read what lies there, talk to an open socket, or open one by a signal too. */
  readonly grant: 'read' | 'connect' | 'signal';
}

const SOCKET_TIMEOUT_MS = 5_000; // 12 to 16 ms on an idle machine; a JVM in a long pause answers after it
const TOTAL_TIMEOUT_MS = 12_000;
const POLL_MS = 20;

/** Reads somebody else's perf map if there is one, else has the JVM write one, reads it and deletes it. Never throws. */
export async function namesOfJvm(process: ProcessFacts, options: AttachOptions): Promise<AttachOutcome> {
  const asked = askForNames(process, options);
  try {
    return await bounded(asked);
  } catch (error) {
    void asked.then(letGo, () => undefined); // it may come yet, when nobody waits any more
    if (!isAlive(options.procRoot, process)) return { kind: 'gone' };
    if (error instanceof AttachFailure) return { kind: 'failed', reason: error.code, message: error.message };
    const denied = ['EPERM', 'EACCES'].includes(codeOf(error));
    const reason = denied ? 'AttachNotGranted' : 'TmpNotUsable';
    return { kind: 'failed', reason, message: `/tmp of the container: ${messageOf(error)}` };
  }
}

function letGo(late: AttachOutcome): void {
  if (late.kind === 'named') late.map.close();
}

async function askForNames(process: ProcessFacts, options: AttachOptions): Promise<AttachOutcome> {
  const tmp = await openForeignDirectory(`${options.procRoot}/${process.pid}/root`, ['tmp']);
  try {
    if (options.journal.has(process)) await removeOurs(tmp, process, options); // written after we stopped waiting
    const foreign = await foreignPerfMap(tmp, process, options);
    if (foreign) return { kind: 'named', map: foreign, source: 'ForeignPerfMap' };
    if (options.grant === 'read') {
      throw new AttachFailure('AttachNotGranted', 'the install does not allow the attach protocol');
    }
    return await attached(tmp, process, options);
  } finally {
    await tmp.close();
  }
}

async function attached(
  tmp: ForeignDirectory,
  process: ProcessFacts,
  options: AttachOptions,
): Promise<AttachOutcome> {
  await options.journal.begin(process);
  let answered = true;
  try {
    const answer = (await request(tmp, process)) ?? (await openSocketThenRequest(tmp, process, options));
    checkAnswer(answer);
    return { kind: 'named', map: await ownPerfMap(tmp, process, options), source: 'PerfMap' };
  } catch (error) {
    answered = !(error instanceof AttachFailure && error.code === 'AttachTimeout');
    throw error;
  } finally {
    if (answered) await removeOurs(tmp, process, options);
    else await tmp.remove(perfMapName(process)); // the JVM may write it yet: it stays in the journal
  }
}

async function removeOurs(
  tmp: ForeignDirectory,
  process: ProcessFacts,
  { journal }: AttachOptions,
): Promise<void> {
  await tmp.remove(perfMapName(process));
  await journal.end(process);
}

/** One try; undefined if nothing listens. */
async function request(tmp: ForeignDirectory, process: ProcessFacts): Promise<string | undefined> {
  const name = `.java_pid${process.nsPid}`;
  const entry = await tmp.entry(name);
  if (!entry) return undefined;
  if (entry.kind !== 'socket' || (entry.uid !== process.uid && entry.uid !== 0)) {
    throw new AttachFailure('AttachRefused', `/tmp/${name} is not a socket of the JVM (uid ${entry.uid})`);
  }
  const socket = await tmp.socketPath(name);
  if (!socket) return undefined;
  try {
    return await callJvm(socket.path, ['jcmd', 'Compiler.perfmap', '', '']);
  } finally {
    await socket.close();
  }
}

async function openSocketThenRequest(
  tmp: ForeignDirectory,
  process: ProcessFacts,
  options: AttachOptions,
): Promise<string> {
  const trigger = `.attach_pid${process.nsPid}`;
  checkSignalIsSafe(process, options);
  await createTrigger(tmp, trigger, process);
  try {
    if (!isAlive(options.procRoot, process)) throw new AttachFailure('AttachTimeout', 'the JVM ended');
    globalThis.process.kill(process.pid, 'SIGQUIT');
    for (const deadline = Date.now() + SOCKET_TIMEOUT_MS; Date.now() < deadline; ) {
      const answer = await request(tmp, process);
      if (answer !== undefined) return answer;
      if (!isAlive(options.procRoot, process)) break;
      await delay(POLL_MS);
    }
    throw new AttachFailure('AttachTimeout', `no attach socket ${SOCKET_TIMEOUT_MS} ms after SIGQUIT`);
  } finally {
    await tmp.remove(trigger);
  }
}

function checkSignalIsSafe(process: ProcessFacts, { grant, procRoot }: AttachOptions): void {
  if (grant !== 'signal')
    throw new AttachFailure('AttachTimeout', 'no attach socket, and no more signals are sent');
  if (catchesSigquit(procRoot, process.pid)) return;
  throw new AttachFailure('SigquitNotCaught', 'the JVM does not catch SIGQUIT (-Xrs), which would end it');
}

/** One that is there already is another tool's; the JVM takes it as well. */
async function createTrigger(tmp: ForeignDirectory, name: string, process: ProcessFacts): Promise<void> {
  try {
    await tmp.createFile(name, process);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
  }
}

/** "0\n" and the command's output, or another number and what was wrong. */
function checkAnswer(answer: string): void {
  const [code, ...output] = answer.split('\n');
  const text = output.join(' ').trim().slice(0, 200);
  if (code === '')
    throw new AttachFailure('AttachRefused', 'the JVM closed the connection without an answer');
  if (code === '0' && !/fail/i.test(text)) return;
  const unknown = /unknown diagnostic command/i.test(text);
  throw new AttachFailure(unknown ? 'PerfMapUnsupported' : 'PerfMapNotWritten', `the JVM answered: ${text}`);
}

/** The container's file system may hang (a network or user-space mount), so nothing is waited for without end. */
async function bounded<T>(work: Promise<T>): Promise<T> {
  const timer = new AbortController();
  const timeout = delay(TOTAL_TIMEOUT_MS, undefined, { signal: timer.signal }).then(() => {
    throw new AttachFailure('AttachTimeout', `not done after ${TOTAL_TIMEOUT_MS} ms`);
  });
  timeout.catch(() => undefined); // the abort below rejects it, when nobody listens any more
  try {
    return await Promise.race([work, timeout]);
  } finally {
    timer.abort();
  }
}
