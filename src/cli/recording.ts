/**
 * A recording: a directory of one NDJSON.gz file per hour and an index.json, as docs/recordings.md describes.
 * What was polled is appended as a gzip member of its own, so that a recorder that was killed leaves whole windows.
 */
import { createReadStream } from 'node:fs';
import { appendFile, mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { constants, createGunzip, gzip } from 'node:zlib';
import { createWindowDecoder, createWindowEncoder, type RecordedWindow } from '../wire/window-lines.ts';
import { CliError } from './cli-error.ts';
import { reasonOf, writing } from './files.ts';

export interface RecordingIndex {
  readonly version: 1;
  readonly namespace: string;
  readonly selector: string;
  readonly startedAtMs: number;
  /** Absent while the recording goes on, and when it was killed. */
  readonly endedAtMs?: number;
  readonly windows: number;
  readonly pods: number;
  /** Polls that failed; the next one asked again for what they missed. */
  readonly failedPolls: number;
  readonly files: readonly RecordedFile[];
}

export interface RecordedFile {
  readonly name: string;
  readonly windows: number;
  readonly firstStartMs: number;
  readonly lastEndMs: number;
}

export interface RecordingWriter {
  /** Windows that were recorded before are left out. Returns how many were new. */
  append(windows: readonly RecordedWindow[]): Promise<number>;
  pollFailed(): void;
  finish(endedAtMs: number): Promise<RecordingIndex>;
}

const HOUR_MS = 3_600_000;
const INDEX = 'index.json';
/** A file of one hour of 100 pods unpacks to some 200 MB. */
const MAX_FILE_BYTES = 1024 * 1024 * 1024;
const compress = promisify(gzip);

/** Throws RECORDING_EXISTS rather than mix two recordings in one directory. All of it throws FILE_UNWRITABLE. */
export async function createRecording(
  directory: string,
  about: Pick<RecordingIndex, 'namespace' | 'selector' | 'startedAtMs'>,
): Promise<RecordingWriter> {
  await writing(directory, () => mkdir(directory, { recursive: true }));
  if (await exists(join(directory, INDEX))) {
    throw new CliError('RECORDING_EXISTS', `${directory} holds a recording already; give another directory`);
  }
  const seen = new Set<string>();
  const pods = new Set<string>();
  const files = new Map<string, RecordedFile>();
  const encoders = new Map<string, ReturnType<typeof createWindowEncoder>>();
  let failedPolls = 0;

  const indexOf = (): RecordingIndex => ({
    version: 1,
    ...about,
    windows: seen.size,
    pods: pods.size,
    failedPolls,
    files: [...files.values()],
  });
  const appendTo = async (name: string, windows: readonly RecordedWindow[]): Promise<void> => {
    const encode = encoders.get(name) ?? createWindowEncoder();
    encoders.set(name, encode);
    // Throws, and so ends the recording: behind half a member nothing can be read.
    const member = await compress(windows.map(encode).join(''));
    await writing(join(directory, name), () => appendFile(join(directory, name), member));
    files.set(name, describe(name, files.get(name), windows));
  };
  await writeIndex(directory, indexOf());

  return {
    async append(windows) {
      const fresh = windows.filter(({ meta }) => !seen.has(keyOf(meta)));
      for (const [name, ofFile] of Map.groupBy(fresh, ({ meta }) => fileName(meta.startMs))) {
        await appendTo(name, ofFile);
      }
      for (const { meta } of fresh) {
        seen.add(keyOf(meta));
        pods.add(meta.podUid);
      }
      await writeIndex(directory, indexOf());
      return fresh.length;
    },
    pollFailed() {
      failedPolls += 1;
    },
    async finish(endedAtMs) {
      const index = { ...indexOf(), endedAtMs };
      await writeIndex(directory, index);
      return index;
    },
  };
}

const keyOf = ({ podUid, container, startMs }: RecordedWindow['meta']): string =>
  `${podUid}/${container}/${startMs}`;

/** `windows-2026-11-23T07.ndjson.gz`: the hour, in UTC, in which its windows began. */
const fileName = (startMs: number): string =>
  `windows-${new Date(Math.floor(startMs / HOUR_MS) * HOUR_MS).toISOString().slice(0, 13)}.ndjson.gz`;

function describe(
  name: string,
  before: RecordedFile | undefined,
  windows: readonly RecordedWindow[],
): RecordedFile {
  const starts = windows.map(({ meta }) => meta.startMs);
  const ends = windows.map(({ meta }) => meta.endMs);
  return {
    name,
    windows: (before?.windows ?? 0) + windows.length,
    firstStartMs: Math.min(before?.firstStartMs ?? Number.POSITIVE_INFINITY, ...starts),
    lastEndMs: Math.max(before?.lastEndMs ?? 0, ...ends),
  };
}

/** By rename, so that a reader never sees half an index. */
async function writeIndex(directory: string, index: RecordingIndex): Promise<void> {
  const path = join(directory, INDEX);
  await writing(path, async () => {
    await writeFile(`${path}.new`, `${JSON.stringify(index, null, 2)}\n`);
    await rename(`${path}.new`, path);
  });
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

export interface Recording {
  readonly index: RecordingIndex;
  readonly windows: readonly RecordedWindow[];
}

/** Everything a recording holds, ordered by start. Throws RECORDING_INVALID that names the file and what is wrong. */
export async function readRecording(directory: string): Promise<Recording> {
  const index = await readIndex(directory);
  const windows: RecordedWindow[] = [];
  for await (const window of windowsOf(directory, index)) windows.push(window);
  return { index, windows: windows.sort((a, b) => a.meta.startMs - b.meta.startMs) };
}

/** The windows one at a time, as they were written: for recordings of hours, of which few have to be held at once. */
export async function* windowsOf(directory: string, index: RecordingIndex): AsyncGenerator<RecordedWindow> {
  for (const { name } of index.files) yield* readWindows(join(directory, name));
}

/** Throws RECORDING_INVALID. */
export async function readIndex(directory: string): Promise<RecordingIndex> {
  const path = join(directory, INDEX);
  try {
    const index = JSON.parse(await readFile(path, 'utf8'));
    const names: unknown = index?.files?.map((file: { name?: unknown }) => file.name);
    const namesAreOurs =
      Array.isArray(names) && names.every((name) => /^windows-[0-9T-]+\.ndjson\.gz$/.test(String(name)));
    if (index?.version !== 1 || !namesAreOurs) {
      throw new Error('not the index of a recording of version 1');
    }
    return index;
  } catch (cause) {
    throw new CliError('RECORDING_INVALID', `${path}: ${reasonOf(cause)}`, cause);
  }
}

async function* readWindows(path: string): AsyncGenerator<RecordedWindow> {
  const decode = createWindowDecoder();
  // Sync flush: what a killed recorder began to append ends in the middle, and is left out with its last line.
  const bytes = createReadStream(path).compose(createGunzip({ finishFlush: constants.Z_SYNC_FLUSH }));
  const text = new TextDecoder();
  let rest = '';
  let read = 0;
  try {
    for await (const chunk of bytes) {
      read += chunk.length;
      if (read > MAX_FILE_BYTES) throw new Error(`more than ${MAX_FILE_BYTES} bytes`);
      const lines = (rest + text.decode(chunk, { stream: true })).split('\n');
      rest = lines.pop() ?? '';
      yield* lines.map(decode).flatMap((line) => (line.kind === 'window' ? [line.window] : []));
    }
  } catch (cause) {
    throw new CliError('RECORDING_INVALID', `${path}: ${reasonOf(cause)}`, cause);
  }
}
