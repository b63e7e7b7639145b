/**
 * Records what src/jvm reads of real JVMs into test/fixtures/jvm: JDK 17, 21 (with whole references), 25, and 25 with compact object headers, each
 * running test/jvm/Chains.kt. Beside each recording stands as text what it has to tell.
 * Usage: record-jvm-memory.ts
 */
import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Release, startJvm } from '../src/jvm/testing/a-jvm.ts';
import { kotlinClassPath } from '../src/jvm/testing/kotlin-classes.ts';
import { createRecorder } from '../src/jvm/testing/recorded-memory.ts';
import { survey } from '../src/jvm/testing/survey.ts';

const VARIANTS: readonly (readonly [name: string, release: Release, flags: readonly string[]])[] = [
  ['jdk-17', 17, []],
  ['jdk-21', 21, ['-XX:+UnlockDiagnosticVMOptions', '-XX:+DebugNonSafepoints', '-XX:-UseCompressedOops']],
  ['jdk-25', 25, ['-XX:+PreserveFramePointer']],
  ['jdk-25-compact', 25, ['-XX:+UseCompactObjectHeaders']],
];
const FIXTURES = fileURLToPath(new URL('../test/fixtures/jvm/', import.meta.url));

const classPath = kotlinClassPath('Chains.kt');
mkdirSync(FIXTURES, { recursive: true });
for (const [name, release, flags] of VARIANTS) await record(name, release, [...flags, '-cp', classPath]);

async function record(name: string, release: Release, argv: readonly string[]): Promise<void> {
  await using jvm = await startJvm(release, ['-XX:+UseSerialGC', ...argv, 'shop.ChainsKt']);
  const recorder = createRecorder(jvm.read);
  const text = survey({ read: recorder.read, libjvm: jvm.libjvm });
  const file = join(FIXTURES, `${name}.memory.br`);
  recorder.save(file, jvm.libjvm);
  writeFileSync(join(FIXTURES, `${name}.txt`), text);
  console.log(`${name}: ${statSync(file).size} bytes`);
}
