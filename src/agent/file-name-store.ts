import { closeSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import {
  MAX_NAME_BYTES,
  NAME_LENGTH_BYTES,
  type NameStore,
  nameLength,
  putName,
} from '../symbols/name-store.ts';

export interface NameStores {
  open(): NameStore;
}

const BUFFER_BYTES = 64 * 1024;
const MAX_BYTES = 24 * 1024 * 1024; // 200 000 names of 120 bytes

/**
 * Keeps names in files of a directory instead of in memory: 1.5 MB less for each JVM of ordinary size. A file has no
 * name in the directory once it is open, so nothing is left behind whatever happens to the agent.
 */
export function fileNameStores(directory: string): NameStores {
  let opened = 0;
  return {
    open() {
      const path = `${directory}/names-${process.pid}-${opened++}.tmp`;
      const fd = openSync(path, 'wx+', 0o600);
      unlinkSync(path);
      return fileNameStore(fd);
    },
  };
}

function fileNameStore(fd: number): NameStore {
  let buffer = Buffer.alloc(0); // only while names are added
  const one = Buffer.allocUnsafeSlow(NAME_LENGTH_BYTES + MAX_NAME_BYTES);
  let written = 0;
  let buffered = 0;
  const flush = () => {
    for (let at = 0; at < buffered; ) at += writeSync(fd, buffer, at, buffered - at, written + at);
    written += buffered;
    buffered = 0;
    buffer = Buffer.alloc(0);
  };
  return {
    add(bytes, start, end) {
      const length = Math.min(end - start, MAX_NAME_BYTES);
      if (written + buffered + NAME_LENGTH_BYTES + length > MAX_BYTES) return undefined;
      if (buffered + NAME_LENGTH_BYTES + length > BUFFER_BYTES) flush();
      if (buffer.length === 0) buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);
      const position = written + buffered;
      putName(buffer, buffered, bytes.subarray(start, start + length));
      buffered += NAME_LENGTH_BYTES + length;
      return position;
    },
    at(position) {
      if (buffered > 0) flush();
      const read = readSync(fd, one, 0, one.length, position);
      const start = NAME_LENGTH_BYTES;
      return one.subarray(start, Math.min(read, start + nameLength(one, 0)));
    },
    close: () => closeSync(fd),
  };
}
