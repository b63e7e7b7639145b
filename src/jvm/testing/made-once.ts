/** For tests: what takes longer to make than most of them take, kept under a name that has the hash of what it is made of. */
import { existsSync, mkdtempSync, renameSync, rmSync } from 'node:fs';

/** `kept`: a directory that is filled by `make` unless it is there. A cache: no test removes it. */
export function madeOnce(kept: string, make: (directory: string) => void): string {
  if (existsSync(kept)) return kept;
  const directory = mkdtempSync(`${kept}-`);
  try {
    make(directory);
    renameSync(directory, kept); // whole or not at all: other test files look for it meanwhile
  } catch (error) {
    rmSync(directory, { recursive: true });
    if (!existsSync(kept)) throw error; // else another test file was first
  }
  return kept;
}
