/** For tests: a JVM running test/jvm/Resumed.kt, sampled and unwound by the addon, and what its coroutines' callers are. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { type ClassReader, createClassReader } from '../../jvm/class-reader.ts';
import { readHeapLayout } from '../../jvm/heap-layout.ts';
import { createHeapReader } from '../../jvm/heap-reader.ts';
import { javaFrame } from '../../jvm/java-frame.ts';
import { createSuspendedFrames } from '../../jvm/suspended-frames.ts';
import { hotspotOf, type Release, startJvm } from '../../jvm/testing/a-jvm.ts';
import { kotlinClassPath } from '../../jvm/testing/kotlin-classes.ts';
import type { ExcludedBytes } from '../../jvm/unsigned5.ts';
import { flatUnwindLayout } from '../../jvm/unwind-layout.ts';
import { continuationClassOf, functionOfContinuation } from '../../profile/kotlin-names.ts';
import type { NativeMethod } from '../addon.ts';
import { type Frame, frameOf } from '../frame-word.ts';
import type { SampleBatch } from '../sample-batch.ts';
import { openSampler, type Sampler } from '../sampler.ts';
import { eventually, samplerOptions } from '../sampler-fixture.ts';
import { processCpuSeconds } from './unwound-jvm.ts';

const MAIN = ['main', 'main', '[launch]'];
const COLLECTING = ['streamed$4.emit', 'streamed$$inlined$map$1$2.emit', 'streamed', 'AbstractFlow.collect'];
const PIPED = ['piped', 'piped', ...MAIN];
/** By the number of the leaf: who waits for it in test/jvm/Resumed.kt, innermost first, and the coroutine's builder. */
const CALLERS: readonly (readonly string[])[] = [
  [],
  ['Orders.checkout', 'Orders.handle', ...MAIN],
  ['Orders.handle', ...MAIN],
  ['Orders.stored', ...MAIN],
  ['Orders.priced', ...MAIN],
  ['Orders.both', 'Orders.both', ...MAIN],
  ['Orders.awaited', '[async]'],
  MAIN,
  ['main', 'Orders.twice', ...MAIN],
  ['deep', 'deep', 'deep', 'deep', ...MAIN],
  ['climbing', 'climbing', 'climb', ...MAIN],
  ['measured', ...MAIN],
  [...COLLECTING, 'streamed', ...MAIN],
  ['blocking', 'main', '[runBlocking]'],
  ['switched', 'switched', 'switched', ...MAIN],
  MAIN,
  ['knot', 'main', '[launch]'],
  [],
  PIPED,
  PIPED,
  ['piped', 'outer', ...PIPED],
  ['inner', 'piped', 'middle', 'piped', 'outer', ...PIPED],
  ['piped', 'middle', 'piped', 'outer', ...PIPED],
  ['piped', 'outer', ...PIPED],
  ['around', 'direct', 'direct', ...MAIN],
  ['ask', 'around', 'ask', 'ask', 'served', 'around', 'served', 'served', ...MAIN],
  ['spoil', 'spoil', 'main', '[launch]'],
];

/** Who calls that leaf; in it a coroutine is as it works between one caller and the next. */
const CALLED_BY = [
  '',
  'Orders.price',
  'Orders.checkout',
  'Orders.stored',
  'Prices.of',
  'Orders.inside',
  'Orders.delayed',
  'Orders.awaited',
  'Orders$Companion.shared',
  'deep',
  'climbing',
  'lengthOf',
  'collected',
  'nested',
  'near',
  'supervised',
  'knotted',
  'paused',
  'outer',
  'outer',
  'middle',
  'asked',
  'inner',
  'middle',
  'direct',
  'answer',
  'spoilt',
];
const SEQUENCES = [
  ...CALLERS.map((callers, leaf) => [CALLED_BY[leaf] ?? '', ...callers]),
  ['climbing', 'climbing', 'climbing', 'climbing', 'climbing', 'climbing', 'climb', ...MAIN],
  ['main', ...MAIN],
  ['supervised', '[launch]'],
];

export interface ResumedStack {
  readonly count: number;
  /** Leaf first, in words; suspended callers as `~ suspend resumed.Orders.handle(Resumed.kt:81)`. */
  readonly frames: readonly string[];
}

/** The leaf that was running, by its number, if that is certain. */
export function leafOf({ frames }: ResumedStack): number | undefined {
  const leaf = frames
    .map((frame) => /^resumed\.ResumedKt\.leaf(\d+)(?: \(i\))?$/.exec(frame)?.[1])
    .find(Boolean);
  return leaf === undefined ? undefined : Number(leaf);
}

/** Its suspended callers as CALLERS has them. */
export function callersOf({ frames }: ResumedStack): readonly string[] {
  return frames
    .filter((frame) => frame.startsWith('~'))
    .map((frame) =>
      frame
        .slice(2)
        .replace(/\(.*/, '')
        .replace(/^suspend (resumed\.(ResumedKt[.$])?|kotlinx\.coroutines\.flow\.)/, ''),
    );
}

/** Of stacks that have callers, those whose callers are not their leaf's. */
export function falseChains(stacks: readonly ResumedStack[]): ResumedStack[] {
  return stacks.filter((stack) => {
    const leaf = leafOf(stack);
    const callers = callersOf(stack);
    if (callers.length === 0) return false;
    if (leaf === undefined) return !isPartOfSequence(stack, callers);
    const all = CALLERS[leaf] ?? [];
    return !isDeepStrictEqual(callers, all.slice(Math.max(0, all.length - callers.length)));
  });
}

/** Of stacks that have true callers, those that lack frames between the leaf and them: the stack itself was unwound wrongly. */
export function tornStacks(stacks: readonly ResumedStack[]): ResumedStack[] {
  return stacks.filter((stack) => {
    const leaf = leafOf(stack);
    const callers = callersOf(stack);
    if (callers.length === 0 || leaf === undefined) return false;
    const all = CALLERS[leaf] ?? [];
    return !haveCalled(stack, all.slice(0, Math.max(0, all.length - callers.length)));
  });
}

function isPartOfSequence({ frames }: ResumedStack, callers: readonly string[]): boolean {
  const resumed = frames[frames.findIndex((frame) => frame.startsWith('~')) - 1] ?? '';
  const name = functionOfFrame(resumed).replace(
    /^resumed\.(ResumedKt[.$])?|^kotlinx\.coroutines\.flow\./,
    '',
  );
  return SEQUENCES.some((sequence) =>
    sequence.some(
      (each, i) =>
        each.replace(/\$.*\.emit$/, '') === name && isDeepStrictEqual(callers, sequence.slice(i + 1)),
    ),
  );
}

function functionOfFrame(frame: string): string {
  const name = frame.replace(/ .*/, '');
  const continuation = continuationClassOf(name);
  return continuation === undefined ? name : functionOfContinuation(continuation);
}

/** A pause may be over before its function is left: then those who called it are on the stack itself. */
function haveCalled({ frames }: ResumedStack, callers: readonly string[]): boolean {
  const waiting = frames.findIndex((frame) => frame.startsWith('~'));
  const called = [...callers];
  for (const frame of frames.slice(0, waiting).map(functionOfFrame)) {
    if (called.length > 0 && frame.endsWith(`.${called[0]}`)) called.shift();
  }
  return called.length === 0;
}

export interface ResumedJvm extends AsyncDisposable {
  readonly pid: number;
  readonly sampler: Sampler;
  /** What is sampled while the JVM burns so much CPU. */
  profile(cpuSeconds: number): Promise<readonly ResumedStack[]>;
  /** So far; undefined where the heap is not known. */
  collections(): number | undefined;
}

interface Circumstances {
  readonly flags?: readonly string[];
  /** What the addon is told of the heap. */
  readonly told?: (heap: BigInt64Array) => BigInt64Array;
}

/** It ends with the test. */
export async function aResumedJvm(
  t: TestContext,
  release: Release,
  words: readonly string[],
  circumstances: Circumstances = {},
): Promise<ResumedJvm> {
  const jvm = await startResumedJvm(release, words, circumstances);
  t.after(() => jvm[Symbol.asyncDispose]());
  return jvm;
}

export async function startResumedJvm(
  release: Release,
  words: readonly string[],
  { flags = [], told = (heap) => heap }: Circumstances = {},
): Promise<ResumedJvm> {
  await using started = new AsyncDisposableStack();
  const classPath = kotlinClassPath('Resumed.kt', 'SuspendFunctionGun.kt');
  const jvm = started.use(
    await startJvm(release, [...flags, '-cp', classPath, 'resumed.ResumedKt', ...words]),
  );
  const hotspot = hotspotOf(jvm);
  const sampler = openSampler(
    samplerOptions({ filter: 'pid', frequencyHz: 199, ringBytes: 1 << 23, maxStacks: 50_000 }),
  );
  started.defer(() => sampler.close());
  sampler.addProcess({ pid: jvm.pid, layout: flatUnwindLayout(hotspot.layout) });
  const heap = readHeapLayout(jvm.read, hotspot);
  if (heap.kind === 'layout') sampler.followCoroutines(jvm.pid, told(heap.layout));
  const classes = createClassReader(jvm.read, hotspot) ?? assert.fail('no classes');
  const named = stackWords(hotspot.layout.get('unsigned5_excluded') === 1n ? 1 : 0, classes);
  const reader = createHeapReader(jvm.read, hotspot);
  const running = started.move();
  return {
    [Symbol.asyncDispose]: () => running.disposeAsync(),
    pid: jvm.pid,
    sampler,
    collections: () => (reader.kind === 'reader' ? reader.reader.collections() : undefined),
    async profile(cpuSeconds) {
      sampler.addTarget(BigInt(jvm.pid));
      const before = processCpuSeconds(jvm.pid);
      await eventually('it has had the CPU', () => processCpuSeconds(jvm.pid) - before > cpuSeconds);
      sampler.removeTarget(BigInt(jvm.pid));
      return named(sampler.take());
    },
  };
}

/** Interpreted, or certain only for the next safepoint. */
function markOf({ isInterpreted, isSafepointPlace }: Extract<Frame, { kind: 'java' }>): string {
  return isInterpreted ? ' (i)' : isSafepointPlace ? ' (s)' : '';
}

function stackWords(excluded: ExcludedBytes, reader: ClassReader) {
  const methods = new Map<number, NativeMethod>();
  const suspended = createSuspendedFrames();
  const wordsOf = (frame: Frame): string => {
    switch (frame.kind) {
      case 'address':
        return `0x${frame.address.toString(16)}`;
      case 'stub':
        return '[stub]';
      case 'mark':
        return `<${frame.mark}>`;
      case 'java': {
        const method = methods.get(frame.methodId);
        return method ? javaFrame(method, frame.bci, excluded).name + markOf(frame) : 'unknown method';
      }
      case 'wait':
        return `<${frame.wait}>`;
      case 'suspended': {
        const caller = suspended.callerAt(frame) ?? {
          name: 'unknown class',
          file: undefined,
          line: undefined,
        };
        return caller.file === undefined
          ? `~ ${caller.name}`
          : `~ ${caller.name}(${caller.file}:${caller.line})`;
      }
    }
  };
  return ({ addresses, classes, methods: found, rows }: SampleBatch): ResumedStack[] => {
    for (const method of found) methods.set(method.id, method);
    suspended.learn(classes, reader);
    return rows.map(({ count, user }) => ({
      count,
      frames: Array.from(user, (index) => wordsOf(frameOf(addresses[index] ?? 0n))),
    }));
  };
}
