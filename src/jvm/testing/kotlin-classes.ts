/** For tests and recordings: the programs of test/jvm, compiled. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { jdkHome } from './a-jvm.ts';

const PROGRAMS = fileURLToPath(new URL('../../../test/jvm/', import.meta.url));

/** A class path: the program's classes and Kotlin's libraries. Kept under the hash of what it is made of. */
export function kotlinClassPath(...program: readonly string[]): string {
  const sources = program.map((source) => join(PROGRAMS, source));
  const hash = createHash('sha256');
  for (const source of [...sources, join(PROGRAMS, 'pom.xml')]) hash.update(readFileSync(source));
  const kept = join(tmpdir(), `flamegate-kotlin-${hash.digest('hex').slice(0, 16)}`);
  if (!existsSync(kept)) compileInto(kept, sources);
  return [join(kept, 'classes'), ...jarsOf(kept).filter(isLibrary)].join(':');
}

function compileInto(kept: string, sources: readonly string[]): void {
  const directory = mkdtempSync(`${kept}-`);
  const pom = join(PROGRAMS, 'pom.xml');
  const copy = ['dependency:copy-dependencies', `-DoutputDirectory=${join(directory, 'jars')}`];
  execFileSync('mvn', ['-q', '-B', '-f', pom, ...copy], { stdio: 'inherit' });
  const jars = jarsOf(directory);
  const compiler = ['-cp', jars.join(':'), 'org.jetbrains.kotlin.cli.jvm.K2JVMCompiler'];
  const libraries = ['-no-stdlib', '-no-reflect', '-classpath', jars.filter(isLibrary).join(':')];
  const argv = [...compiler, ...libraries, '-d', join(directory, 'classes'), ...sources];
  execFileSync(join(jdkHome(17), 'bin/java'), argv, { stdio: 'inherit' });
  try {
    renameSync(directory, kept);
  } catch {
    rmSync(directory, { recursive: true }); // another test file was first
  }
}

function jarsOf(directory: string): string[] {
  const jars = join(directory, 'jars');
  return readdirSync(jars).map((jar) => join(jars, jar));
}

function isLibrary(jar: string): boolean {
  return /\/kotlin(-stdlib|x-coroutines-core-jvm)-[\d.]+\.jar$/.test(jar);
}
