/** What a child process says, of which the end is kept for a failed test. */
import type { Readable } from 'node:stream';

const MOST_CHARACTERS = 1_000_000;

/** Reads the streams from now on; returns what came last of them, in the order in which it came. */
export function childLog(streams: readonly Readable[]): () => string {
  let log = '';
  for (const stream of streams) {
    stream.on('data', (chunk: Buffer) => {
      log = (log + chunk.toString()).slice(-MOST_CHARACTERS);
    });
  }
  return () => log;
}
