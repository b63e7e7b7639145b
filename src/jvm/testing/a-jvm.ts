/** For tests: real JVMs of every release that is supported, of a small heap. */
import assert from 'node:assert/strict';
import { type ChildProcess, type ChildProcessByStdio, execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import type { TestContext } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import { type Hotspot, type HotspotOutcome, type LoadedLibjvm, readHotspot } from '../hotspot.ts';
import type { ReadMemory } from '../read-memory.ts';
import { madeOnce } from './made-once.ts';
import { loadedLibjvm, openMemory } from './process-memory.ts';

export const RELEASES = [17, 21, 25] as const;
export type Release = (typeof RELEASES)[number];

export interface TestJvm extends AsyncDisposable {
  readonly pid: number;
  readonly read: ReadMemory;
  readonly libjvm: LoadedLibjvm;
}

export interface WaitingJvm extends TestJvm {
  /** Where Waiting.class is. */
  readonly classes: string;
}

const START_MS = 30_000;
const JDK_HOME = fileURLToPath(new URL('../../../scripts/jdk-home.sh', import.meta.url));
const SMALL = ['-Xmx32m', '-Xss512k', '-XX:CICompilerCount=2'];
/** Lines far apart, bytecodes far apart, and a line that goes back by 96: the shortest step of two bytes. */
const WAITING = `public class Waiting {
  interface Price { long of(int id); }
  static long sum(int[] values, Price price) {
    long sum = 0;
    for (int i = 0,
         step = values.length > 100 ? 2 : 1;
         i < values.length;
         i += step)
${'\n'.repeat(94)}
      sum += price.of(values[i]);
${'\n'.repeat(200)}
    return sum;
  }
  static int big(int n) {
    return ${Array.from({ length: 60 }, (_, i) => `n * ${100_000 + i}`).join(' + ')};
  }
  public static void main(String[] args) throws Exception {
    long sum = sum(new int[] {1, 2, 3}, id -> big(id) + 1L);
    System.out.println(sum == 0 ? "odd" : "running");
    System.in.read();
  }
}`;

/** A JVM that waits until the test is over. */
export async function aJvm(
  t: TestContext,
  release: Release,
  flags: readonly string[] = [],
): Promise<WaitingJvm> {
  const classes = compiled();
  const jvm = await startJvm(release, [...flags, '-cp', classes, 'Waiting']);
  t.after(() => jvm[Symbol.asyncDispose]());
  return { ...jvm, classes };
}

/** Fails when its tables cannot be read. */
export function hotspotOf({ read, libjvm }: Pick<TestJvm, 'read' | 'libjvm'>): Hotspot {
  const outcome = readHotspot(read, libjvm);
  assert(outcome.kind === 'read', outcome.kind === 'failed' ? outcome.message : '');
  return outcome;
}

/** A JVM whose program prints "running" when it is ready, and ends with its standard input. */
export async function startJvm(release: Release, argv: readonly string[]): Promise<TestJvm> {
  const child = spawnJvm(release, argv);
  const [line] = await once(child.stdout, 'data');
  assert.equal(String(line).trim(), 'running');
  assert(child.pid !== undefined);
  const memory = openMemory(child.pid);
  return {
    pid: child.pid,
    read: memory.read,
    libjvm: loadedLibjvm(child.pid) ?? assert.fail('no libjvm'),
    async [Symbol.asyncDispose]() {
      memory[Symbol.dispose]();
      await endOf(child);
    },
  };
}

/** A JVM in the first moment in which its layout can be read: stopped, until somebody has it go on. */
export async function startJvmStopped(release: Release, argv: readonly string[]): Promise<TestJvm> {
  const child = spawnJvm(release, argv);
  const { pid } = child;
  assert(pid !== undefined);
  for (const end = Date.now() + START_MS; Date.now() < end; await setImmediate()) {
    const libjvm = loadedLibjvm(pid);
    const memory = openMemory(pid); // anew, for exec gives the process another memory
    if (libjvm && readHotspot(memory.read, libjvm).kind === 'read') {
      child.kill('SIGSTOP');
      return {
        pid,
        read: memory.read,
        libjvm,
        async [Symbol.asyncDispose]() {
          memory[Symbol.dispose]();
          await endOf(child);
        },
      };
    }
    memory[Symbol.dispose]();
  }
  await endOf(child);
  assert.fail('no layout');
}

/** What is seen of a JVM from its first moment until its layout can be read, each outcome once. */
export async function firstMomentsOf(release: Release): Promise<HotspotOutcome[]> {
  const child = spawnJvm(release, ['-cp', compiled(), 'Waiting']); // it waits: one that ends may end unseen
  const seen: HotspotOutcome[] = [];
  assert(child.pid !== undefined);
  for (const end = Date.now() + START_MS; seen.at(-1)?.kind !== 'read' && Date.now() < end; ) {
    await setImmediate();
    const libjvm = loadedLibjvm(child.pid);
    using memory = openMemory(child.pid); // anew, for exec gives the process another memory
    const outcome = libjvm && readHotspot(memory.read, libjvm);
    if (outcome && !isDeepStrictEqual(outcome, seen.at(-1))) seen.push(outcome);
  }
  await endOf(child);
  return seen;
}

function spawnJvm(release: Release, argv: readonly string[]): ChildProcessByStdio<Writable, Readable, null> {
  return spawn(join(jdkHome(release), 'bin/java'), [...SMALL, ...argv], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
}

async function endOf(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}

export function jdkHome(release: Release): string {
  return execFileSync(JDK_HOME, [String(release)], { encoding: 'utf8' }).trim();
}

function compiled(): string {
  const hash = createHash('sha256').update(WAITING).digest('hex').slice(0, 16);
  return madeOnce(join(tmpdir(), `flamegate-jvm-${hash}`), (directory) => {
    const source = join(directory, 'Waiting.java');
    writeFileSync(source, WAITING);
    execFileSync(join(jdkHome(17), 'bin/javac'), ['-d', directory, source]);
  });
}
