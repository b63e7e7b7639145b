/** Recordings of real pods on this machine, a directory for each JDK: what of them is missing, and how it is made. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, renameSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { type RecordingIndex, readIndex } from '../../src/cli/recording.ts';

export type Jdk = '17' | '25';

export const defaultDirectory = (): string =>
  join(process.env['FLAMEGATE_CACHE'] ?? join(homedir(), '.cache/flamegate'), 'detect-real');

export const directoryOf = (directory: string, jdk: Jdk): string => join(directory, `jdk${jdk}`);

/** A recorder that has written nothing for so long has ended. */
const ALIVE_MS = 5 * 60_000;
/** The first and the last windows of a recording come when its pods and polls do. */
const SHORT_MS = 3 * 60_000;

/** Whether there is no recording of a JDK as long as asked for, and none that is still being made. */
export async function isMissing(directory: string, jdk: Jdk, minutes: number): Promise<boolean> {
  const path = directoryOf(directory, jdk);
  if (!existsSync(join(path, 'index.json'))) return true;
  const index = await readIndex(path);
  return !isGoingOn(index) && lengthOf(index) < minutes * 60_000 - SHORT_MS;
}

const isGoingOn = ({ endedAtMs, files, startedAtMs }: RecordingIndex): boolean =>
  endedAtMs === undefined &&
  Date.now() - Math.max(startedAtMs, ...files.map(({ lastEndMs }) => lastEndMs)) < ALIVE_MS;

function lengthOf({ files }: RecordingIndex): number {
  if (files.length === 0) return 0;
  const first = Math.min(...files.map(({ firstStartMs }) => firstStartMs));
  return Math.max(...files.map(({ lastEndMs }) => lastEndMs)) - first;
}

/** Records these JDKs at once, on the cluster that is up. What is there of them, too short, is kept under another name. */
export async function record(directory: string, jdks: readonly Jdk[], minutes: number): Promise<void> {
  for (const jdk of jdks) {
    const path = directoryOf(directory, jdk);
    if (existsSync(path)) renameSync(path, `${path}.short-${Date.now()}`);
  }
  const recorder = spawn(process.execPath, [resolve(import.meta.dirname, 'record.ts'), directory], {
    stdio: 'inherit',
    env: { ...process.env, MINUTES: String(minutes), JDKS: jdks.join(',') },
  });
  const [code] = await once(recorder, 'exit');
  if (code !== 0) throw new Error(`record.ts ended with ${String(code)}`);
}
