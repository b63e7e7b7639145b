/**
 * Records what src/jvm reads of real JVMs into test/fixtures/jvm: JDK 17, 21 (with whole references), 25, and 25 with compact object headers, each
 * running test/jvm/Chains.kt. Beside each recording stands as text what it has to tell.
 * Usage: record-jvm-memory.ts
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { jdkHome, type Release, startJvm } from '../src/jvm/testing/a-jvm.ts';
import { createRecorder } from '../src/jvm/testing/recorded-memory.ts';
import { survey } from '../src/jvm/testing/survey.ts';

const VARIANTS: readonly (readonly [name: string, release: Release, flags: readonly string[]])[] = [
  ['jdk-17', 17, []],
  ['jdk-21', 21, ['-XX:+UnlockDiagnosticVMOptions', '-XX:+DebugNonSafepoints', '-XX:-UseCompressedOops']],
  ['jdk-25', 25, ['-XX:+PreserveFramePointer']],
  ['jdk-25-compact', 25, ['-XX:+UseCompactObjectHeaders']],
];
const PROGRAMS = fileURLToPath(new URL('../test/jvm/', import.meta.url));
const FIXTURES = fileURLToPath(new URL('../test/fixtures/jvm/', import.meta.url));

const work = mkdtempSync(join(tmpdir(), 'flamegate-recording-'));
try {
  const classPath = compile(work);
  mkdirSync(FIXTURES, { recursive: true });
  for (const [name, release, flags] of VARIANTS) await record(name, release, [...flags, '-cp', classPath]);
} finally {
  rmSync(work, { recursive: true });
}

/** The program's classes and Kotlin's libraries. */
function compile(directory: string): string {
  const jars = join(directory, 'jars');
  const pom = join(PROGRAMS, 'pom.xml');
  execFileSync('mvn', ['-q', '-B', '-f', pom, 'dependency:copy-dependencies', `-DoutputDirectory=${jars}`], {
    stdio: 'inherit',
  });
  const all = readdirSync(jars).map((jar) => join(jars, jar));
  const libraries = all
    .filter((jar) => /\/kotlin(-stdlib|x-coroutines-core-jvm)-[\d.]+\.jar$/.test(jar))
    .join(':');
  const classes = join(directory, 'classes');
  const compiler = ['-cp', all.join(':'), 'org.jetbrains.kotlin.cli.jvm.K2JVMCompiler'];
  const options = ['-no-stdlib', '-no-reflect', '-classpath', libraries, '-d', classes];
  execFileSync(join(jdkHome(17), 'bin/java'), [...compiler, ...options, join(PROGRAMS, 'Chains.kt')], {
    stdio: 'inherit',
  });
  return `${classes}:${libraries}`;
}

async function record(name: string, release: Release, argv: readonly string[]): Promise<void> {
  await using jvm = await startJvm(release, ['-XX:+UseSerialGC', ...argv, 'shop.ChainsKt']);
  const recorder = createRecorder(jvm.read);
  const text = survey({ read: recorder.read, libjvm: jvm.libjvm });
  const file = join(FIXTURES, `${name}.memory.br`);
  recorder.save(file, jvm.libjvm);
  writeFileSync(join(FIXTURES, `${name}.txt`), text);
  console.log(`${name}: ${statSync(file).size} bytes`);
}
