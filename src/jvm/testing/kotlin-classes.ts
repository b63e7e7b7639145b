/** For tests and recordings: the programs of test/jvm, compiled. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { jdkHome } from './a-jvm.ts';
import { madeOnce } from './made-once.ts';

const PROGRAMS = fileURLToPath(new URL('../../../test/jvm/', import.meta.url));

/** A class path: the program's classes and Kotlin's libraries. */
export function kotlinClassPath(...program: readonly string[]): string {
  const sources = program.map((source) => join(PROGRAMS, source));
  const hash = createHash('sha256');
  for (const source of [...sources, join(PROGRAMS, 'pom.xml')]) hash.update(readFileSync(source));
  const named = join(tmpdir(), `flamegate-kotlin-${hash.digest('hex').slice(0, 16)}`);
  const kept = madeOnce(named, (directory) => compileInto(directory, sources));
  return [join(kept, 'classes'), ...jarsOf(kept).filter(isLibrary)].join(':');
}

function compileInto(directory: string, sources: readonly string[]): void {
  const pom = join(PROGRAMS, 'pom.xml');
  const copy = ['dependency:copy-dependencies', `-DoutputDirectory=${join(directory, 'jars')}`];
  execFileSync('mvn', ['-q', '-B', '-f', pom, ...copy], { stdio: 'inherit' });
  const jars = jarsOf(directory);
  const compiler = ['-cp', jars.join(':'), 'org.jetbrains.kotlin.cli.jvm.K2JVMCompiler'];
  const libraries = ['-no-stdlib', '-no-reflect', '-classpath', jars.filter(isLibrary).join(':')];
  const argv = [...compiler, ...libraries, '-d', join(directory, 'classes'), ...sources];
  execFileSync(join(jdkHome(17), 'bin/java'), argv, { stdio: 'inherit' });
}

function jarsOf(directory: string): string[] {
  const jars = join(directory, 'jars');
  return readdirSync(jars).map((jar) => join(jars, jar));
}

function isLibrary(jar: string): boolean {
  return /\/kotlin(-stdlib|x-coroutines-core-jvm)-[\d.]+\.jar$/.test(jar);
}
