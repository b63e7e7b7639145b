/** For tests: programs beside this file, compiled. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jdkHome } from '../../jvm/testing/a-jvm.ts';
import { madeOnce } from '../../jvm/testing/made-once.ts';

/** A class path. */
export function javaClassPath(program: string): string {
  const source = join(import.meta.dirname, program);
  const hash = createHash('sha256').update(readFileSync(source)).digest('hex').slice(0, 16);
  return madeOnce(join(tmpdir(), `flamegate-java-${hash}`), (directory) => {
    execFileSync(join(jdkHome(17), 'bin/javac'), ['-g:source,lines', '-d', directory, source]);
  });
}
