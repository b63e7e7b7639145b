/** For tests: programs beside this file, compiled. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jdkHome } from '../../jvm/testing/a-jvm.ts';

/** A class path. Kept under the hash of its source: compiling takes longer than most tests. */
export function javaClassPath(program: string): string {
  const source = join(import.meta.dirname, program);
  const hash = createHash('sha256').update(readFileSync(source)).digest('hex').slice(0, 16);
  const kept = join(tmpdir(), `flamegate-java-${hash}`);
  if (existsSync(kept)) return kept;
  const directory = mkdtempSync(join(tmpdir(), 'flamegate-java-'));
  execFileSync(join(jdkHome(17), 'bin/javac'), ['-g:source,lines', '-d', directory, source]);
  try {
    renameSync(directory, kept);
  } catch {
    rmSync(directory, { recursive: true }); // another test file was first
  }
  return kept;
}
