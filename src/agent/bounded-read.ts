/** Reads files of /proc and cgroupfs, which are kernel memory and never block, in bounded pieces. */
import { closeSync, openSync, readSync } from 'node:fs';
import { codeOf } from './agent-error.ts';

const CHUNK_BYTES = 64 * 1024;
const SMALL_CHUNK_BYTES = 2048; // from node's pool: most files of /proc are shorter

/** Hands the file over in chunks (each valid only during the call), at most `maxBytes`. False if it is not there. */
export function readChunks(
  path: string,
  maxBytes: number,
  take: (chunk: Uint8Array) => void,
  chunkBytes = CHUNK_BYTES,
): boolean {
  const fd = openOrGone(path);
  if (fd === undefined) return false;
  try {
    const chunk = Buffer.allocUnsafe(chunkBytes);
    for (let left = maxBytes; left > 0; ) {
      const read = readSync(fd, chunk, 0, Math.min(chunk.length, left), null);
      if (read === 0) break;
      take(chunk.subarray(0, read));
      left -= read;
    }
    return true;
  } catch (error) {
    if (isGone(error)) return false;
    throw error;
  } finally {
    closeSync(fd);
  }
}

/** The first `maxBytes` of a file; undefined if it is not there (a process or cgroup that ended). */
export function readText(path: string, maxBytes: number): string | undefined {
  const pieces: Buffer[] = [];
  const there = readChunks(path, maxBytes, (chunk) => pieces.push(Buffer.from(chunk)), SMALL_CHUNK_BYTES);
  return there ? Buffer.concat(pieces).toString('utf8') : undefined;
}

/** A process that ended answers ESRCH, a cgroup that was removed ENODEV. */
export function isGone(error: unknown): boolean {
  return ['ENOENT', 'ESRCH', 'ENODEV', 'ENOTDIR'].includes(codeOf(error));
}

function openOrGone(path: string): number | undefined {
  try {
    return openSync(path, 'r');
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}
