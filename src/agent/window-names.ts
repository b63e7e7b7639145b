/** Names and places for the frames of one window's samples. Each distinct frame is named once per process. */
import { lineAt } from '../jvm/line-table.ts';
import { vmThreadOf } from '../jvm/vm-threads.ts';
import { frameOf, type JavaFrame, type Mark, type SuspendedFrame } from '../native/frame-word.ts';
import type { SampleRow } from '../native/sample-rows.ts';
import { NOWHERE, placeText } from '../profile/place.ts';
import { cleanName } from '../symbols/clean-name.ts';
import { javaName } from '../symbols/java-name.ts';
import { type KernelSymbols, kernelAddress } from '../symbols/kallsyms.ts';
import type { FileRegion } from '../symbols/proc-maps.ts';
import type { KnownMethod } from './frame-names.ts';
import type { Jvm } from './jvm.ts';
import type { NativeNames } from './native-names.ts';
import type { SuspendedCallers } from './suspended-callers.ts';
import type { TrackedProcess } from './tracked-process.ts';

export const UNKNOWN = '[unknown]';
export const UNNAMED_CODE = '[jit]';
/** In place of callers: the stack goes on, and its root is not known. */
export const TRUNCATED = '[truncated]';
/** Of a mark with callers behind it: a virtual thread's are those of its carrier, its own wait in the heap. */
const MARK_NAMES: ReadonlyMap<Mark | undefined, string> = new Map([
  ['frozenFrames', '[virtual thread]'],
  ['skippedFrames', '[native]'],
]);
const KERNEL_SUFFIX = '_[k]';
/**
 * Inlined at the leaf of a stack, and only sure to be so at the next safepoint. The outermost method of a piece of compiled
 * code is what was compiled, wherever in it the instruction stands.
 */
const SAFEPOINT_SUFFIX = '_[s]';
const IN_LIBJVM = ' [libjvm.so]';
const UNKNOWN_FRAME: NamedFrame = { name: UNKNOWN, place: NOWHERE };

/** Whether what is inlined at the leaf is only sure to be so at the next safepoint. */
export function isDoubtful(stack: readonly NamedFrame[]): boolean {
  const leaf = stack.find(({ name }) => !name.endsWith(KERNEL_SUFFIX));
  return leaf?.name.endsWith(SAFEPOINT_SUFFIX) === true;
}

/** What names come from: the process's mappings, and its JVM. */
export interface NamedProcess extends Pick<TrackedProcess, 'regionAt'> {
  readonly jvm:
    | (Pick<Jvm, 'frames' | 'perfMap' | 'leafIsExact' | 'excludedBytes'> & {
        readonly suspended: Pick<SuspendedCallers, 'nameOf' | 'callerAt'> | undefined;
      })
    | undefined;
}

export interface NamedFrame {
  readonly name: string;
  /** As src/profile/place.ts has it. */
  readonly place: string;
}

export interface WindowNames {
  /** Leaf first, kernel before user; equal neighbours in brackets are one. */
  stackOf(row: SampleRow, process: NamedProcess | undefined): readonly NamedFrame[];
  /** Adds the native frames of a row, by the file they are in. */
  meetNatives(row: SampleRow, process: NamedProcess, met: Map<FileRegion, Set<number>>): void;
  /** Its topmost Java frame; undefined without one that HotSpot's tables tell. */
  javaFrameOf(row: SampleRow): JavaFrame | undefined;
  /** Whether a frame lies in code that the process made itself and for which there is no name yet. */
  hasUnnamedCode(row: SampleRow, process: NamedProcess): boolean;
}

const decode = (bytes: Uint8Array) =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');

export interface NameSources {
  readonly kernel: KernelSymbols | undefined;
  readonly natives: Pick<NativeNames, 'nameAt'> | undefined;
}

/** `frames`: the distinct frames of the batch, as its rows refer to them. */
export function nameWindow(frames: BigUint64Array, { kernel, natives }: NameSources): WindowNames {
  const words = new Uint32Array(frames.buffer, frames.byteOffset, frames.length * 2); // little-endian
  const kernelFrames = new Map<number, NamedFrame>();
  const userNames = new Map<NamedProcess, ProcessNames>();
  const low = (index: number) => words[2 * index] ?? 0;
  const high = (index: number) => words[2 * index + 1] ?? 0;
  const userAddress = (index: number, depth: number) => high(index) * 2 ** 32 + calledFrom(low(index), depth);
  const isAddress = (index: number) => high(index) >>> 24 === 0;

  const kernelFrame = (index: number, depth: number): NamedFrame => {
    const name = kernel?.nameAt(kernelAddress(high(index), calledFrom(low(index), depth)));
    return withoutPlace(name ? `${cleanName(decode(name))}${KERNEL_SUFFIX}` : '[kernel]');
  };
  const namesOf = (process: NamedProcess): ProcessNames => {
    const names = userNames.get(process) ?? { frames: new Map(), methods: new Map(), met: new Set() };
    userNames.set(process, names);
    return names;
  };
  const userFrame = (process: NamedProcess, names: ProcessNames, index: number, depth: number): NamedFrame =>
    isAddress(index)
      ? withoutPlace(nativeName(process, userAddress(index, depth), natives))
      : unwoundFrame(process, names, frames[index] ?? 0n);

  return {
    stackOf(row, process) {
      const stack: NamedFrame[] = [];
      row.kernel.forEach((index, depth) => {
        push(
          stack,
          cached(kernelFrames, keyOf(index, depth), () => kernelFrame(index, depth)),
        );
      });
      const names = process && namesOf(process);
      row.user.forEach((index, depth) => {
        const frame =
          names && cached(names.frames, keyOf(index, depth), () => userFrame(process, names, index, depth));
        push(stack, frame ?? UNKNOWN_FRAME);
      });
      const thread = process?.jvm && vmThreadOf(functionsOf(stack));
      if (thread !== undefined) push(stack, withoutPlace(thread));
      return stack.length > 0 ? stack : [UNKNOWN_FRAME];
    },
    meetNatives(row, process, met) {
      const names = namesOf(process);
      row.user.forEach((index, depth) => {
        if (!isAddress(index) || names.met.has(keyOf(index, depth))) return;
        names.met.add(keyOf(index, depth));
        const address = userAddress(index, depth);
        const region = process.regionAt(address);
        if (region?.kind !== 'file') return;
        met.set(region, (met.get(region) ?? new Set()).add(address));
      });
    },
    javaFrameOf(row) {
      for (const index of row.user) {
        const frame = isAddress(index) ? undefined : frameOf(frames[index] ?? 0n);
        if (frame?.kind === 'java') return frame;
      }
      return undefined;
    },
    hasUnnamedCode: (row, process) =>
      row.user.some((index, depth) => isAddress(index) && isUnnamedCode(process, userAddress(index, depth))),
  };
}

interface ProcessNames {
  /** By place in the batch. */
  readonly frames: Map<number, NamedFrame>;
  /** By number: a method has many places. */
  readonly methods: Map<number, KnownMethod | undefined>;
  /** Native frames that were asked for. */
  readonly met: Set<number>;
}

/** A return address may be the first one behind its function: the call lies before it. The leaf is exact. */
function calledFrom(low: number, depth: number): number {
  return depth === 0 ? low : low - 1;
}

function nativeName(process: NamedProcess, address: number, natives: NameSources['natives']): string {
  const region = process.regionAt(address);
  if (!region) return UNKNOWN;
  if (region.kind === 'file') {
    const found = natives?.nameAt(region, address);
    return found === undefined ? region.name : `${found} ${region.name}`;
  }
  const name = process.jvm?.perfMap?.nameAt(address);
  return name ? javaName(decode(name)) : UNNAMED_CODE;
}

function unwoundFrame(process: NamedProcess, names: ProcessNames, word: bigint): NamedFrame {
  const { jvm } = process;
  const frame = frameOf(word);
  switch (frame.kind) {
    case 'java':
      return javaFrame(process, names, frame);
    case 'stub':
      return withoutPlace(jvm?.frames.stubName(frame.nameId) ?? UNNAMED_CODE);
    case 'suspended':
      return suspendedFrame(jvm?.suspended, frame);
    case 'mark':
      return withoutPlace(MARK_NAMES.get(frame.mark) ?? TRUNCATED);
    case 'address':
    case 'wait': // stands among the kernel's frames
      return UNKNOWN_FRAME;
  }
}

function javaFrame({ jvm }: NamedProcess, names: ProcessNames, frame: JavaFrame): NamedFrame {
  const { methodId, bci } = frame;
  const method = cached(names.methods, methodId, () => jvm?.frames.methodAt(methodId));
  if (!jvm || !method) return withoutPlace(UNNAMED_CODE);
  const isNear = frame.isSafepointPlace && !jvm.leafIsExact;
  const line = bci === undefined ? undefined : lineAt(method.lineTable, bci, jvm.excludedBytes);
  return {
    name: isNear && frame.isInlined ? `${method.name}${SAFEPOINT_SUFFIX}` : method.name,
    place: placeText(method.sourceFile, line, isNear),
  };
}

function suspendedFrame(
  callers: NonNullable<NamedProcess['jvm']>['suspended'],
  frame: SuspendedFrame,
): NamedFrame {
  if (!callers) return withoutPlace(UNNAMED_CODE);
  const waited = callers.callerAt(frame);
  return { name: callers.nameOf(frame), place: placeText(waited?.file, waited?.line) };
}

function isUnnamedCode(process: NamedProcess, address: number): boolean {
  return process.regionAt(address)?.kind === 'anonymous' && !process.jvm?.perfMap?.holds(address);
}

/** One address can be a leaf here and a return address there. */
function keyOf(index: number, depth: number): number {
  return 2 * index + (depth === 0 ? 0 : 1);
}

function cached<T>(made: Map<number, T>, key: number, make: () => T): T {
  const known = made.get(key);
  if (known !== undefined) return known;
  const value = make();
  made.set(key, value);
  return value;
}

/** Of libjvm.so, without its name behind them. */
function functionsOf(stack: readonly NamedFrame[]): ReadonlySet<string> {
  const named = stack.filter(({ name }) => name.endsWith(IN_LIBJVM));
  return new Set(named.map(({ name }) => name.slice(0, -IN_LIBJVM.length)));
}

function push(stack: NamedFrame[], frame: NamedFrame): void {
  if (frame.name.startsWith('[') && stack.at(-1)?.name === frame.name) return;
  stack.push(frame);
}

function withoutPlace(name: string): NamedFrame {
  return { name, place: NOWHERE };
}
