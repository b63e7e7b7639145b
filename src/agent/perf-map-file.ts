/** The file /tmp/perf-<pid>.map of a container: who may have written it, and its content. */
import type { FileHandle } from 'node:fs/promises';
import type { NameStore } from '../symbols/name-store.ts';
import { createPerfMapParser, type PerfMap } from '../symbols/perf-map.ts';
import { AttachFailure } from './attach-outcome.ts';
import type { NameStores } from './file-name-store.ts';
import type { ForeignDirectory, ForeignEntry } from './foreign-directory.ts';
import { ageMs, type ProcessFacts } from './process-facts.ts';

export interface MapAccess {
  readonly procRoot: string;
  readonly stores: NameStores;
}

const MAX_MAP_BYTES = 64 * 1024 * 1024;
const CHUNK_BYTES = 64 * 1024;
const CLOCK_SLACK_MS = 2_000; // start times have a resolution of 10 ms, file times of a tick

export function perfMapName(process: ProcessFacts): string {
  return `perf-${process.nsPid}.map`;
}

/** A map that was there before us: perf-map-agent's, or another tool's. It is read, never changed. */
export async function foreignPerfMap(
  tmp: ForeignDirectory,
  process: ProcessFacts,
  { procRoot, stores }: MapAccess,
): Promise<PerfMap | undefined> {
  const entry = await tmp.entry(perfMapName(process));
  if (!entry) return undefined;
  checkEntry(entry, process);
  const startedMs = Date.now() - ageMs(procRoot, process);
  if (entry.modifiedMs < startedMs - CLOCK_SLACK_MS) {
    throw new AttachFailure(
      'PerfMapStale',
      `/tmp/${perfMapName(process)} is older than the JVM; it is not ours to replace: delete it`,
    );
  }
  return readMap(tmp, process, stores);
}

/** The map the JVM has just written at our request. */
export async function ownPerfMap(
  tmp: ForeignDirectory,
  process: ProcessFacts,
  { stores }: MapAccess,
): Promise<PerfMap> {
  const entry = await tmp.entry(perfMapName(process));
  if (!entry) throw new AttachFailure('PerfMapNotWritten', `the JVM wrote no /tmp/${perfMapName(process)}`);
  checkEntry(entry, process);
  return readMap(tmp, process, stores);
}

function checkEntry(entry: ForeignEntry, process: ProcessFacts): void {
  const name = `/tmp/${perfMapName(process)}`;
  if (entry.kind !== 'file') throw new AttachFailure('PerfMapRefused', `${name} is not a regular file`);
  if (entry.uid !== process.uid && entry.uid !== 0) {
    throw new AttachFailure(
      'PerfMapRefused',
      `${name} belongs to uid ${entry.uid}, the JVM to ${process.uid}`,
    );
  }
}

async function readMap(tmp: ForeignDirectory, process: ProcessFacts, stores: NameStores): Promise<PerfMap> {
  const file = await tmp.openFile(perfMapName(process));
  if (!file) throw new AttachFailure('PerfMapNotWritten', `/tmp/${perfMapName(process)} vanished`);
  try {
    return await parsed(file, perfMapName(process), stores.open());
  } finally {
    await file.close();
  }
}

async function parsed(file: FileHandle, name: string, names: NameStore): Promise<PerfMap> {
  const parser = createPerfMapParser(names);
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  try {
    for (let total = 0; ; ) {
      const { bytesRead } = await file.read(chunk, 0, CHUNK_BYTES, null);
      if (bytesRead === 0) return parser.finish();
      total += bytesRead;
      if (total > MAX_MAP_BYTES) throw new AttachFailure('PerfMapRefused', `/tmp/${name} has over 64 MB`);
      parser.feed(chunk.subarray(0, bytesRead));
    }
  } catch (error) {
    names.close();
    throw error;
  }
}
