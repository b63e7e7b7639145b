/** For tests: threads that wait, unwound by the addon's own code, and the same threads as the JVM prints them. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type JavaMethod, javaFrame } from '../../jvm/java-frame.ts';
import { jdkHome } from '../../jvm/testing/a-jvm.ts';
import type { ExcludedBytes } from '../../jvm/unsigned5.ts';
import { flatUnwindLayout, type UnwindLayout } from '../../jvm/unwind-layout.ts';
import { type Frame, frameOf } from '../frame-word.ts';
import { methodOf } from './told-method.ts';

export interface PrintedThread {
  readonly name: string;
  /** "java.lang.Thread.run(Thread.java:840)", leaf first. */
  readonly frames: readonly string[];
}

const UNWIND_THREADS = fileURLToPath(new URL('../../../build/unwind-threads', import.meta.url));

/** By thread id, as `jcmd Thread.print` has them; threads without Java frames are left out. */
export function printedThreads(pid: number): ReadonlyMap<number, PrintedThread> {
  const jcmd = join(jdkHome(25), 'bin/jcmd'); // of any release: the runtime images have none
  const text = execFileSync(jcmd, [String(pid), 'Thread.print'], { encoding: 'utf8' });
  const threads = new Map<number, PrintedThread>();
  for (const block of text.split('\n\n')) {
    const header = /^"(.+)" .*\bnid=(0x[0-9a-f]+|\d+)/m.exec(block);
    const frames = Array.from(block.matchAll(/^\tat (\S+?)\((.*)\)$/gm), ([, method = '', place = '']) =>
      plain(method, place),
    );
    if (header && frames.length > 0) threads.set(Number(header[2]), { name: header[1] ?? '', frames });
  }
  return threads;
}

// Without the module, without what tells hidden classes apart, and without the "Native Method" of what has no lines.
function plain(method: string, place: string): string {
  const name = method.replace(/(\$\$Lambda).*\./, '$1.');
  const line = place.replace(/^.*\//, '');
  return /:\d+$/.test(line) ? `${name}(${line})` : name;
}

export interface UnwoundThread {
  /** As printed, Java frames only. */
  readonly frames: readonly string[];
  readonly inlinedFrames: number;
  /** The last frame of any kind. */
  readonly end: Frame | undefined;
}

/** The same threads by the unwinder. */
export function unwoundThreads(
  pid: number,
  layout: UnwindLayout,
  tids: readonly number[],
): ReadonlyMap<number, UnwoundThread> {
  const { status, stdout } = runUnwindThreads(pid, flatUnwindLayout(layout), tids);
  assert.equal(status, 0);
  const lines = stdout.split('\n').map((line) => line.split('\t'));
  const excluded: ExcludedBytes = layout.get('unsigned5_excluded') === 1n ? 1 : 0;
  const methods = new Map(
    lines.filter(([kind]) => kind === 'method').map((words) => [Number(words[1]), methodOf(words)]),
  );
  const threads = new Map<number, UnwoundThread>();
  let stack: Frame[] = [];
  for (const [kind, word = ''] of lines.toReversed()) {
    if (kind === 'frame') stack.unshift(frameOf(BigInt(`0x${word}`)));
    if (kind !== 'thread') continue;
    const java = stack.filter((frame) => frame.kind === 'java');
    threads.set(Number(word), {
      frames: java.map(({ bci, methodId }) => wordsOf(bci, methods.get(methodId), excluded)),
      inlinedFrames: java.filter((frame) => frame.isInlined).length,
      end: stack.at(-1),
    });
    stack = [];
  }
  return threads;
}

function wordsOf(bci: number | undefined, method: JavaMethod | undefined, excluded: ExcludedBytes): string {
  if (!method) return 'unknown method';
  const { name, file, line } = javaFrame(method, bci ?? 0xffff, excluded);
  return line === undefined ? name : `${name}(${file}:${line})`;
}

/** `status` is 2 where the layout is refused. */
export function runUnwindThreads(
  pid: number,
  layout: BigInt64Array,
  tids: readonly number[],
): { readonly status: number | null; readonly signal: string | null; readonly stdout: string } {
  const directory = mkdtempSync(join(tmpdir(), 'flamegate-unwind-'));
  try {
    writeFileSync(join(directory, 'layout'), layout);
    const argv = [String(pid), join(directory, 'layout'), ...tids.map(String)];
    return spawnSync(UNWIND_THREADS, argv, { encoding: 'utf8', timeout: 20_000 });
  } finally {
    rmSync(directory, { recursive: true });
  }
}
