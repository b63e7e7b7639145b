/** For tests: real JVMs, running a small program compiled once. */
import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { madeOnce } from '../jvm/testing/made-once.ts';
import type { AttachOptions } from './attach.ts';
import { openAttachJournal } from './attach-journal.ts';
import { fileNameStores } from './file-name-store.ts';
import { type ProcessFacts, readProcessFacts } from './process-facts.ts';

export const JDKS = ['/usr/lib/jvm/java-17-openjdk-amd64', '/usr/lib/jvm/temurin-25-jdk-amd64'] as const;

const BUSY = `public class Busy {
  static volatile long sink;
  static long encodeSlowly(long x) { for (int i = 0; i < 2000; i++) x = x * 6364136223846793005L + i; return x; }
  public static void main(String[] args) throws Exception {
    System.out.println("running");
    for (long end = System.nanoTime() + 120_000_000_000L; System.nanoTime() < end; ) sink = encodeSlowly(sink);
  }
}
`;

/** `middle` is inlined into `outer` and calls `count`, which calls itself; `inner` is inlined into that. */
const INLINED = `public class Inlined {
  static volatile long sink;
  static long inner(long x) { return x * 6364136223846793005L + 1442695040888963407L; }
  static long count(int n, long x) { long y = inner(x ^ n); return n < 2 ? y : count(n - 1, y) + count(n - 2, y); }
  static long middle(long x) { long y = count(18, x); return y ^ inner(y); }
  static long outer(long x) { long y = x; for (int i = 0; i < 4; i++) y = middle(y); return y; }
  static void work() {
    for (long end = System.nanoTime() + 120_000_000_000L; System.nanoTime() < end; ) sink = outer(sink);
  }
  public static void main(String[] args) throws Exception {
    Thread worker = new Thread(Inlined::work, "worker");
    worker.start();
    System.out.println("running");
    worker.join();
  }
}
`;
const PROGRAMS = { Busy: BUSY, Inlined: INLINED };

export interface RunningJvm {
  readonly child: ChildProcess;
  readonly facts: ProcessFacts;
  /** Its /tmp, as seen from here. */
  readonly tmp: string;
  output(): string;
}

export interface JvmOptions {
  readonly jdk?: string;
  readonly flags?: readonly string[];
  /** Nobody prepared it: the flags above, and none else. */
  readonly untouched?: boolean;
  readonly program?: keyof typeof PROGRAMS;
  /** Variables beside those of the test. */
  readonly env?: Readonly<Record<string, string>>;
  /** In pid and mount namespaces of its own, with a /tmp of its own, as uid 65534. */
  readonly contained?: boolean;
  /** A directory of cgroup v2 to run in. */
  readonly cgroup?: string;
}

/** A JVM that computes; it ends with the test. */
export async function aJvm(t: TestContext, options: JvmOptions = {}): Promise<RunningJvm> {
  const { jdk = JDKS[0], program = 'Busy' } = options;
  // a perf map has one name for a method with all that is inlined in it
  const outOfLine = ['-XX:CompileCommand=quiet', '-XX:CompileCommand=dontinline,Busy.encodeSlowly'];
  const prepared = options.untouched ? [] : ['-XX:+PreserveFramePointer', '-Xmx32m', ...outOfLine];
  const java = [`${jdk}/bin/java`, ...prepared, ...(options.flags ?? [])];
  const line = [...java, '-cp', classes(program), program].join(' ');
  const join = options.cgroup === undefined ? '' : `echo $$ > ${options.cgroup}/cgroup.procs; `;
  const inside = `mount -t tmpfs tmpfs /tmp/.; chmod 1777 /tmp/.; exec setpriv --reuid 65534 --regid 65534 --clear-groups`;
  const command = options.contained
    ? `unshare -p -m -f --mount-proc -- sh -c 'cd /tmp; ${inside} ${line}'`
    : line;
  const child = spawn('sh', ['-c', `${join}exec ${command}`], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...options.env },
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  t.after(() => stop(child));
  await eventually('the program runs', () => output.includes('running'));
  const pid = options.contained ? childOf(childPid(child)) : childPid(child);
  const facts = readProcessFacts('/proc', pid);
  assert(facts);
  return { child, facts, tmp: `/proc/${pid}/root/tmp`, output: () => output };
}

/** What the agent has at hand when it asks a JVM. */
export async function attachOptions(
  t: TestContext,
  grant: AttachOptions['grant'] = 'signal',
): Promise<AttachOptions> {
  const directory = aDirectory(t);
  const journal = await openAttachJournal(`${directory}/attach`);
  return { procRoot: '/proc', journal, stores: fileNameStores(directory), grant };
}

export function aDirectory(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'flamegate-agent-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** Polls for a minute at most. */
export async function eventually(
  what: string,
  isSo: () => boolean | Promise<boolean>,
  limitMs = 60_000,
): Promise<void> {
  for (const deadline = Date.now() + limitMs; Date.now() < deadline; ) {
    if (await isSo()) return;
    await delay(50);
  }
  assert.fail(`not within ${limitMs} ms: ${what}`);
}

/** Of the oldest JDK: the others run them too. */
function classes(program: keyof typeof PROGRAMS): string {
  const hash = createHash('sha256').update(PROGRAMS[program]).digest('hex').slice(0, 16);
  // not in /tmp, which contained JVMs have of their own
  return madeOnce(`/var/tmp/flamegate-${program}-${hash}`, (directory) => {
    chmodSync(directory, 0o755); // contained JVMs are of another user
    const source = join(directory, `${program}.java`);
    writeFileSync(source, PROGRAMS[program]);
    execFileSync(`${JDKS[0]}/bin/javac`, ['-d', directory, source]);
  });
}

function childPid(child: ChildProcess): number {
  assert(child.pid !== undefined);
  return child.pid;
}

function childOf(pid: number): number {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number);
  assert.equal(children.length, 1);
  return children[0] ?? 0;
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  // unshare's child is the init of its pid namespace, and goes when it is killed
  const children = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').trim();
  for (const pid of children === '' ? [] : children.split(' ')) process.kill(Number(pid), 'SIGKILL');
  child.kill('SIGKILL');
  await ended;
}
