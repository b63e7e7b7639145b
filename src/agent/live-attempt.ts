/** From a process that was met to the one byte that mode Live writes into it, or the reason why not (docs/adr/0010). */
import { hotspotReader } from '../jvm/hotspot.ts';
import { decideLive, LIVE_FLAG } from '../jvm/live-flag.ts';
import { type FlagByteOutcome, setFlagByte } from '../native/flag-byte.ts';
import { createProcMapsParser, type MappedFile } from '../symbols/proc-maps.ts';
import type { PodWindow } from '../wire/batch-schema.ts';
import { codeOf } from './agent-error.ts';
import { pause } from './backoff.ts';
import { readChunks } from './bounded-read.ts';
import { readLibjvm } from './jvm-layout.ts';
import { ageMs, isAlive, type ProcessFacts } from './process-facts.ts';
import { openProcessMemory, type ProcessMemory } from './process-memory.ts';

export type LiveOutcome = NonNullable<PodWindow['jvm']['live']>;

export interface LiveAttempt {
  readonly facts: ProcessFacts;
  /** When it began to run its program, by CLOCK_MONOTONIC; undefined if that was not seen: then the process's age counts. */
  readonly execMs: number | undefined;
  /** The process runs another program now, or nobody wants to know any more. */
  readonly signal: AbortSignal;
}

export interface LiveAttemptAccess {
  readonly procRoot: string;
  readonly addonPath: string;
}

/** A JVM that had started when it was met and is older than this has compiled much of what is hot, or soon will have. */
export const LATE_MS = 3_000;
const NO_JVM_MS = 10_000; // a launcher maps libjvm.so within 30 ms; a shell that waits for a database, never
const STARTING_MS = 30_000; // from mapping libjvm.so to the code cache: 40 ms, on a starved node seconds
const EAGER_MS = 1_000;
const [EAGER_PAUSE_MS, PAUSE_MS] = [10, 100];
const MAX_MAPS_BYTES = 1024 * 1024; // a JVM that starts has 30 KB
const MAX_MESSAGE = 1024;

/** Undefined when there is no JVM in the process, or no more. Never throws for anything the process is or does. */
export async function attemptLive(
  attempt: LiveAttempt,
  access: LiveAttemptAccess,
): Promise<LiveOutcome | undefined> {
  const { procRoot } = access;
  const { facts } = attempt;
  // probes of the kubelet come and go: they must not keep the places of JVMs
  const found = await untilThere(
    attempt,
    NO_JVM_MS,
    () => mappedLibjvm(procRoot, facts.pid) ?? (isAlive(procRoot, facts) ? undefined : 'ended'),
  );
  if (found === undefined || found === 'ended') return undefined;
  const loaded = await readLibjvm(facts, found, procRoot);
  if (!isAlive(procRoot, facts)) return undefined;
  const tell = (state: LiveOutcome['state'], reason: string, message: string): LiveOutcome => ({
    ...{ state, reason, message: message.slice(0, MAX_MESSAGE) },
    ...{ ageMs: Math.max(0, Math.round(ageOf(attempt, access))), atMs: Date.now() },
  });
  if (!loaded) return tell('Refused', 'LibjvmUnreadable', `${found.path} cannot be read`);
  try {
    using memory = openProcessMemory(procRoot, facts.pid);
    const read = hotspotReader(memory.read, loaded);
    let last = read();
    const wasStarting = last.kind === 'failed';
    if (last.kind === 'failed') {
      await untilThere(attempt, STARTING_MS, () => {
        last = read();
        return last.kind === 'read' || !isAlive(procRoot, facts) ? last : undefined;
      });
    }
    if (attempt.signal.aborted || !isAlive(procRoot, facts)) return undefined;
    if (last.kind === 'failed') return tell('Refused', last.reason, last.message);
    const decision = decideLive(memory.read, last.structs, loaded.isWritableData);
    switch (decision.kind) {
      case 'on':
        return decision.origin === 'DEFAULT'
          ? tell('AlreadyOn', 'SetBefore', `${LIVE_FLAG} was set before this agent began`)
          : tell('AlreadyOn', 'AlreadyOn', `${LIVE_FLAG} is on by ${decision.origin}`);
      case 'refused':
        return tell('Refused', decision.reason, decision.message);
      case 'set': {
        const age = ageOf(attempt, access);
        if (!wasStarting && age > LATE_MS)
          return tell('TooLate', 'JvmTooOld', `the JVM was ${Math.round(age)} ms old when it was met`);
        const refusal = write(attempt, access, memory, decision.address);
        if (refusal === 'ended') return undefined;
        if (refusal) return tell('Refused', refusal.reason, refusal.message);
        return tell('Set', 'Set', `${LIVE_FLAG} is on`);
      }
    }
  } catch (error) {
    return tell('Refused', 'MemoryRefused', `/proc/${facts.pid}/mem: ${codeOf(error)}`);
  }
}

type Refusal = { readonly reason: string; readonly message: string };

/** `memory` stays with the program that was looked at: a process that has changed since does not read as it did. */
function write(
  { facts, signal }: LiveAttempt,
  { procRoot, addonPath }: LiveAttemptAccess,
  memory: ProcessMemory,
  address: bigint,
): Refusal | 'ended' | undefined {
  const isSame = () => !signal.aborted && memory.read(address, 1) !== undefined && isAlive(procRoot, facts);
  if (!isSame()) return 'ended';
  const outcome = setFlagByte(addonPath, facts.pid, address);
  if (!isSame()) return 'ended';
  const kept = memory.read(address, 1)?.[0] === 1;
  return refusalOf(outcome, kept);
}

function refusalOf({ result, error }: FlagByteOutcome, kept: boolean): Refusal | undefined {
  const why = error === '' ? '' : `: ${error}`;
  switch (result) {
    case 'Set':
      return kept ? undefined : { reason: 'FlagNotKept', message: 'the flag reads off again' };
    case 'Unreadable':
      return { reason: 'FlagUnreadable', message: `the flag cannot be read${why}` };
    case 'NotZero':
      return { reason: 'FlagChanged', message: 'the flag changed while it was looked at' };
    case 'Unwritable':
      return {
        reason: 'FlagUnwritable',
        message: `the flag cannot be written${why}; it takes CAP_SYS_PTRACE`,
      };
    case 'NotKept':
      return { reason: 'FlagNotKept', message: `the flag was written and reads off${why}` };
  }
}

/** Of the program, where its exec was seen; else of the process. */
function ageOf({ facts, execMs }: LiveAttempt, { procRoot }: LiveAttemptAccess): number {
  return execMs === undefined ? ageMs(procRoot, facts) : monotonicMs() - execMs;
}

const monotonicMs = (): number => Number(process.hrtime.bigint()) / 1e6;

/** Often at first: what counts are the first moments. Undefined when time is up. */
async function untilThere<T>(
  { signal }: LiveAttempt,
  limitMs: number,
  look: () => T | undefined,
): Promise<T | undefined> {
  const begin = monotonicMs();
  while (!signal.aborted) {
    const found = look();
    const passedMs = monotonicMs() - begin;
    if (found !== undefined || passedMs > limitMs) return found;
    await pause(passedMs < EAGER_MS ? EAGER_PAUSE_MS : PAUSE_MS, signal);
  }
  return undefined;
}

/** Undefined while there is none, and when the process ended. */
function mappedLibjvm(procRoot: string, pid: number): MappedFile | undefined {
  const parser = createProcMapsParser((bytes) => Buffer.from(bytes).toString('utf8'));
  try {
    const there = readChunks(`${procRoot}/${pid}/maps`, MAX_MAPS_BYTES, parser.feed);
    return there ? parser.finish().libjvm : undefined;
  } catch {
    return undefined; // refused: the look that finds it at leisure says so
  }
}
