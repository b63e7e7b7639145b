/** For tests: recorded stacks, unwound by the addon's own code without the JVM they are of, in words. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type JavaMethod, javaFrame } from '../../jvm/java-frame.ts';
import type { ExcludedBytes } from '../../jvm/unsigned5.ts';
import { type Frame, frameOf, type JavaFrame, type SuspendedFrame } from '../frame-word.ts';
import { type Piece, streamOf } from './stack-recording.ts';
import { methodOf } from './told-method.ts';

export interface ReplayedStack {
  /** Of which process: "shapes". */
  readonly recording: string;
  /** Of the sample, in words: "in a pause". */
  readonly remarks: readonly string[];
  readonly stackBytes: number;
  /** Leaf first: `kernel 0xffff…`, `[libz.so.1.2.13] +0x1f3a`, `Shapes.inner:14 inlined`, `[call_stub]`, `<stackCut>`. */
  readonly frames: readonly string[];
}

export interface Replay {
  readonly stacks: readonly ReplayedStack[];
  /** Lines of what the addon counted, by process. */
  readonly counts: readonly string[];
}

const BUILD = fileURLToPath(new URL('../../../build/', import.meta.url));
const PATIENCE_MS = 10 * 60_000;
const MIN_REPETITIONS = 4;
const MAX_PERIOD = 24; // compilers inline a recursion some levels deep
// enum fg_sample_flag of bpf/cpu.h
const REMARKS: readonly (readonly [flag: number, remark: string])[] = [
  [2, 'kernel stack cut'],
  [4, 'stack cut'],
  [8, 'in a pause'],
];
// enum ChainEnd of native/coroutine_chains.h
const CHAIN_ENDS = [
  'found',
  'unsupported',
  'not read',
  'no continuation',
  'uncertain',
  'heap moved',
  'not a continuation',
  'no job',
  'too long',
];

/** Runs a program of native/testing on a recording. Its output; the assertion tells what it had to complain of. */
export function runOnRecording(program: string, pieces: readonly Piece[], words: readonly string[]): string {
  assert(existsSync(join(BUILD, program)), `no build/${program}: make native-recorded`);
  const directory = mkdtempSync(join(tmpdir(), 'flamegate-recording-'));
  try {
    const file = join(directory, 'recording');
    writeFileSync(file, streamOf(pieces));
    const { status, signal, stdout, stderr } = spawnSync(join(BUILD, program), [file, ...words], {
      encoding: 'utf8',
      timeout: PATIENCE_MS,
      maxBuffer: 1 << 28,
    });
    assert.deepEqual({ status, signal, stderr }, { status: 0, signal: null, stderr: '' });
    return stdout;
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/**
 * `cold`: nothing is remembered from one stack to the next. `same-code`, `other-code`: all is read later than the stacks were
 * copied, and what they ran is there still, or something else is.
 */
export function replay(
  pieces: readonly Piece[],
  circumstance?: 'cold' | 'forgetful' | 'same-code' | 'other-code',
): Replay {
  const words = new StackWords(processesIn(pieces));
  for (const line of runOnRecording('replay-stacks', pieces, circumstance ? [circumstance] : []).split(
    '\n',
  )) {
    words.add(line.split('\t'));
  }
  return words;
}

/** As it is kept beside the recording. */
export function replayText({ stacks, counts }: Replay): string {
  const blocks = stacks.map(
    ({ recording, remarks, stackBytes, frames }, i) =>
      `${[`${i + 1} ${recording}`, `${stackBytes} bytes`, ...remarks].join(', ')}\n${folded(frames)
        .map((frame) => `  ${frame}\n`)
        .join('')}`,
  );
  return `${blocks.join('\n')}\n${counts.join('\n')}\n`;
}

/** Recursion said once: "250 times the next 4:" and these. */
function folded(frames: readonly string[]): readonly string[] {
  const lines: string[] = [];
  for (let at = 0; at < frames.length; ) {
    const { period, times } = longestRepetition(frames, at);
    const isWorthIt = times >= MIN_REPETITIONS;
    if (isWorthIt) lines.push(`${times} times the next ${period}:`);
    lines.push(...frames.slice(at, at + period));
    at += isWorthIt ? period * times : period;
  }
  return lines;
}

function longestRepetition(frames: readonly string[], at: number) {
  let best = { period: 1, times: 1 };
  for (let period = 1; period <= MAX_PERIOD; period++) {
    let end = at + period;
    while (end < frames.length && frames[end] === frames[end - period]) end++;
    const times = Math.floor((end - at) / period);
    if (times >= MIN_REPETITIONS && times * period > best.times * best.period) best = { period, times };
  }
  return best;
}

interface RecordedProcess {
  readonly name: string;
  readonly files: readonly MappedFile[];
  readonly excluded: ExcludedBytes;
}
interface MappedFile {
  readonly start: bigint;
  readonly end: bigint;
  readonly offset: bigint;
  readonly name: string;
}

function processesIn(pieces: readonly Piece[]): readonly RecordedProcess[] {
  const texts = (kind: Piece['kind']) =>
    pieces.flatMap((piece) => (piece.kind === kind ? Buffer.from(piece.content).toString() : []));
  const [maps, layouts] = [texts('maps'), texts('layout')];
  return texts('name').map((name, i) => ({
    name,
    files: filesIn(maps[i] ?? ''),
    excluded: /^unsigned5_excluded 1$/m.test(layouts[i] ?? '') ? 1 : 0,
  }));
}

function filesIn(maps: string): readonly MappedFile[] {
  const lines = maps.matchAll(/^([0-9a-f]+)-([0-9a-f]+) \S+ ([0-9a-f]+) \S+ \S+ +(\/|\[vdso\])(.*)$/gm);
  return Array.from(lines, ([, start, end, offset, slash, rest = '']) => ({
    start: BigInt(`0x${start}`),
    end: BigInt(`0x${end}`),
    offset: BigInt(`0x${offset}`),
    name: slash === '/' ? `[${rest}]` : '[vdso]',
  }));
}

/** Takes the lines of replay-stacks one by one. */
class StackWords implements Replay {
  readonly stacks: ReplayedStack[] = [];
  readonly counts: string[] = [];
  readonly #processes: readonly RecordedProcess[];
  #process: RecordedProcess | undefined;
  #frames: string[] = [];
  readonly #methods = new Map<number, JavaMethod>();
  readonly #names = new Map<number, string>();
  readonly #classes = new Map<number, string>();

  constructor(processes: readonly RecordedProcess[]) {
    this.#processes = processes;
  }

  add(words: readonly string[]): void {
    const [kind, first = '', second = ''] = words;
    const id = Number(first);
    if (kind === 'recording') this.#process = this.#processes.find(({ name }) => name === first);
    if (kind === 'method') this.#methods.set(id, methodOf(words));
    if (kind === 'name') this.#names.set(id, second);
    if (kind === 'class') this.#classes.set(id, second);
    if (kind === 'stack') this.#begin(Number.parseInt(first, 16), Number(second));
    if (kind === 'kernel') this.#frames.push(`kernel 0x${first}`);
    if (kind === 'frame') this.#frames.push(this.#wordsOf(frameOf(BigInt(`0x${first}`))));
    if (kind === 'count' && second !== '0')
      this.counts.push(`${this.#process?.name}: ${countName(first)} ${second}`);
  }

  #begin(flags: number, stackBytes: number): void {
    this.#frames = [];
    this.stacks.push({
      recording: this.#process?.name ?? '',
      remarks: REMARKS.flatMap(([flag, remark]) => (flags & flag ? remark : [])),
      stackBytes,
      frames: this.#frames,
    });
  }

  #wordsOf(frame: Frame): string {
    switch (frame.kind) {
      case 'address':
        return this.#placeInFile(frame.address);
      case 'stub':
        return `[${this.#names.get(frame.nameId) ?? '?'}]`;
      case 'mark':
        return `<${frame.mark ?? '?'}>`;
      case 'wait':
        return `<${frame.wait}>`;
      case 'suspended':
        return this.#suspended(frame);
      case 'java':
        return this.#java(frame);
    }
  }

  #java({ methodId, bci, isInterpreted, isInlined, isSafepointPlace }: JavaFrame): string {
    const method = this.#methods.get(methodId);
    if (!method) return 'unknown method';
    const { name, line } = javaFrame(method, bci, this.#process?.excluded ?? 0);
    const how = isInterpreted ? ' interpreted' : isInlined ? ' inlined' : '';
    return `${name}:${line ?? '?'}${how}${isSafepointPlace ? ' ~' : ''}`;
  }

  #suspended({ classId, label, isCoroutine }: SuspendedFrame): string {
    const name = (this.#classes.get(classId) ?? '?').replaceAll('/', '.');
    return isCoroutine ? `suspended ${name}` : `suspended ${name} at ${label ?? '?'}`;
  }

  #placeInFile(address: bigint): string {
    const file = this.#process?.files.find(({ start, end }) => address >= start && address < end);
    return file
      ? `${file.name} +0x${(address - file.start + file.offset).toString(16)}`
      : `0x${address.toString(16)}`;
  }
}

function countName(name: string): string {
  const chain = /^chain(\d+)$/.exec(name)?.[1];
  if (chain !== undefined) return `callers of a coroutine ${CHAIN_ENDS[Number(chain)] ?? chain}`;
  return name === 'inPause' ? 'in a pause' : name;
}
