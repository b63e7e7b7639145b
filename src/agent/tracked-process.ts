/** A process of a watched container: what is mapped where, and the JVM in it, if there is one. */
import { createProcMapsParser, type ProcMaps, type Region } from '../symbols/proc-maps.ts';
import { codeOf } from './agent-error.ts';
import { readChunks } from './bounded-read.ts';
import { inspectJvm, type Jvm, type JvmAccess } from './jvm.ts';
import { ageMs, isAlive, type ProcessFacts, readProcessFacts } from './process-facts.ts';

export interface TrackedProcess {
  readonly facts: ProcessFacts;
  readonly jvm: Jvm | undefined;
  /** Why its maps could not be read: EACCES without CAP_SYS_PTRACE. */
  readonly unreadable: string | undefined;
  /** The executable region that holds the address. Maps that are older than the call before are read again, once. */
  regionAt(address: number): Region | undefined;
  /** Looks again for a libjvm.so if there was none, then at the JVM; cheap when nothing is to be done. */
  look(nowMs: number): Promise<void>;
  /** A new window begins: maps may be read again. */
  age(): void;
  isAlive(): boolean;
}

const MAX_MAPS_BYTES = 16 * 1024 * 1024; // 65 530 mappings, the kernel's default bound, of 250 bytes
const YOUNG_MS = 60_000; // a launcher or a shell maps libjvm.so or starts a JVM soon, or never
const LOOK_AGAIN_MS = 60_000;
// One look asks several times, and for each answer the kernel adds up all threads of the process.
const ALIVE_MS = 50;
const decode = (bytes: Uint8Array) =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');

/** Undefined when the process ended. */
export async function trackProcess(pid: number, access: JvmAccess): Promise<TrackedProcess | undefined> {
  const facts = readProcessFacts(access.procRoot, pid);
  if (!facts) return undefined;
  let maps: ProcMaps | undefined;
  let mapsAreFresh = false;
  let lookedMs = Number.NEGATIVE_INFINITY;
  let jvm: Jvm | undefined;
  let unreadable: string | undefined;
  let aliveMs = Number.NEGATIVE_INFINITY;

  const refresh = () => {
    mapsAreFresh = true;
    try {
      maps = readMaps(access.procRoot, facts) ?? maps;
      unreadable = undefined;
    } catch (error) {
      unreadable = codeOf(error);
    }
  };
  const findJvm = async (nowMs: number): Promise<Jvm | undefined> => {
    const restMs = ageMs(access.procRoot, facts) < YOUNG_MS ? 0 : LOOK_AGAIN_MS;
    if (nowMs - lookedMs < restMs) return undefined;
    lookedMs = nowMs;
    refresh();
    if (!maps?.libjvm) return undefined;
    const asJvm = readProcessFacts(access.procRoot, pid) ?? facts; // an entrypoint may have changed its user since
    return inspectJvm(asJvm, maps.libjvm, access);
  };
  const process: TrackedProcess = {
    facts,
    get jvm() {
      return jvm;
    },
    get unreadable() {
      return unreadable;
    },
    regionAt(address) {
      const region = maps?.regionAt(address);
      if (region || mapsAreFresh) return region;
      refresh();
      return maps?.regionAt(address);
    },
    async look(nowMs) {
      jvm ??= await findJvm(nowMs);
      await jvm?.look(nowMs);
    },
    age() {
      mapsAreFresh = false;
    },
    isAlive() {
      const now = performance.now();
      if (now - aliveMs < ALIVE_MS) return true;
      const alive = isAlive(access.procRoot, facts);
      if (alive) aliveMs = now;
      return alive;
    },
  };
  return process;
}

/** Undefined if the process ended. */
function readMaps(procRoot: string, facts: ProcessFacts): ProcMaps | undefined {
  const parser = createProcMapsParser(decode);
  const there = readChunks(`${procRoot}/${facts.pid}/maps`, MAX_MAPS_BYTES, parser.feed);
  return there && isAlive(procRoot, facts) ? parser.finish() : undefined;
}
