import { createRequire } from 'node:module';
import { SamplerError } from './sampler-error.ts';

/** Of bpf/cpu.h: addon, BPF object and this directory have to be of one version. */
const ABI_VERSION = 5;

/** What native/addon.cc takes without looking; the caller has checked it. */
export interface NativeOptions {
  readonly objectPath: string;
  readonly frequencyHz: number;
  readonly byPid: boolean;
  readonly maxUserFrames: number;
  readonly ringBytes: number;
  readonly maxTargets: number;
  readonly maxProcesses: number;
  readonly maxStacks: number;
  readonly measure: boolean;
  readonly cpus: readonly number[];
  readonly offCpuObjectPath: string;
  readonly maxWaitingThreads: number;
  readonly ioObjectPath: string;
}

/** Opaque, and of no use to anything but the addon. */
export type NativeHandle = { readonly __native: 'sampler' };
export type NativeExecs = { readonly __native: 'execs' };

/** One element of each column is a sample: where in `rows` its row begins, its thread, its time, and what it weighs. */
export interface NativeMoments {
  readonly momentRows: Uint32Array<ArrayBuffer>;
  readonly momentThreads: Uint32Array<ArrayBuffer>;
  readonly momentNs: Float64Array<ArrayBuffer>;
  readonly momentWeights: Float64Array<ArrayBuffer>;
}

/** `rows` and `targets` are laid out as native/aggregate.h and native/addon.cc say. */
export interface NativeBatch extends NativeMoments {
  readonly addresses: BigUint64Array<ArrayBuffer>;
  readonly rows: Uint32Array<ArrayBuffer>;
  readonly rowCount: number;
  readonly targets: BigUint64Array<ArrayBuffer>;
  readonly methods: readonly NativeMethod[];
  readonly names: readonly NativeName[];
  readonly classes: readonly NativeClass[];
  /** Missing while nobody asks who waits. */
  readonly waits?: NativeWaits;
  /** Missing while nobody asks what is read and written. */
  readonly io?: NativeWeighed;
}

/** Rows as those of samples are, with a weight for each; `targets` is laid out as native/addon.cc says. */
export interface NativeWeighed {
  readonly addresses: BigUint64Array<ArrayBuffer>;
  readonly rows: Uint32Array<ArrayBuffer>;
  readonly rowCount: number;
  readonly weights: BigUint64Array<ArrayBuffer>;
  readonly targets: BigUint64Array<ArrayBuffer>;
}

export interface NativeWaits extends NativeWeighed, NativeMoments {}

/** A method at its first sight, as raw as the JVM has it. */
export interface NativeMethod {
  readonly pid: number;
  /** Of this pid, counting from 1; frames refer to it. */
  readonly id: number;
  /** In the JVM's form: `java/util/HashMap`. */
  readonly holder: string;
  readonly name: string;
  readonly signature: string;
  /** Empty if there is none. */
  readonly sourceFile: string;
  /** HotSpot's compressed line table with the zero that ends it; empty if there is none. */
  readonly lineTable: Uint8Array<ArrayBuffer>;
  /** The table was too long or could not be read to its end. */
  readonly isLineTableCut: boolean;
}

/** A stub or other blob of a JVM's code cache at its first sight. */
export interface NativeName {
  readonly pid: number;
  readonly id: number;
  readonly name: string;
}

/** A class of continuations or coroutines at its first sight. */
export interface NativeClass {
  readonly pid: number;
  /** Of this pid, counting from 1; frames refer to it. */
  readonly id: number;
  /** Where the JVM described it then: classes are unloaded. */
  readonly address: bigint;
  /** In the JVM's form: `shop/Orders$checkout$1`. */
  readonly name: string;
}

/** `perCpu`: the numbers of enum fg_cause for CPU 0, then for CPU 1, and so on. `unwinding`: native/addon.cc, Count. */
export interface NativeCounters {
  readonly perCpu: BigUint64Array<ArrayBuffer>;
  readonly taken: number;
  readonly tableFull: number;
  readonly malformed: number;
  readonly unwinding: BigUint64Array<ArrayBuffer>;
  /** Resumed coroutines by enum ChainEnd of native/chain_end.h, then the reads and nanoseconds they took. */
  readonly chains: BigUint64Array<ArrayBuffer>;
  /** native/addon.cc, Count. */
  readonly waits: BigUint64Array<ArrayBuffer>;
  readonly io: BigUint64Array<ArrayBuffer>;
  readonly runs: number;
  readonly runNs: number;
}

export interface NativeAddon {
  readonly abiVersion: number;
  /** What `addProcess` takes the numbers of, in this order. */
  readonly layoutFields: readonly string[];
  /** And `followCoroutines`. */
  readonly heapFields: readonly string[];
  open(options: NativeOptions): NativeHandle;
  addTarget(handle: NativeHandle, id: bigint): void;
  removeTarget(handle: NativeHandle, id: bigint): void;
  setFrequency(handle: NativeHandle, frequencyHz: number): void;
  thin(handle: NativeHandle, id: bigint, part: number): void;
  addProcess(handle: NativeHandle, pid: number, layout: BigInt64Array, maxStackBytes: number): void;
  followCoroutines(handle: NativeHandle, pid: number, heap: BigInt64Array): void;
  removeProcess(handle: NativeHandle, pid: number): void;
  addWaits(handle: NativeHandle, id: bigint, leastNs: bigint): void;
  removeWaits(handle: NativeHandle, id: bigint): void;
  addIo(handle: NativeHandle, id: bigint, leastNs: bigint): void;
  removeIo(handle: NativeHandle, id: bigint): void;
  keepMoments(handle: NativeHandle, targets: BigUint64Array): void;
  take(handle: NativeHandle): NativeBatch;
  counters(handle: NativeHandle): NativeCounters;
  close(handle: NativeHandle): void;
  releaseCodePages(): number;
  watchExecs(
    objectPath: string,
    ancestor: bigint,
    onExec: (pid: number, timeMs: number) => void,
  ): NativeExecs;
  execsLost(execs: NativeExecs): number;
  closeExecs(execs: NativeExecs): void;
  /** Of enum FlagByteResult in native/flag_byte.h, and the errno. */
  setFlagByte(pid: number, address: bigint): readonly [result: number, errno: number];
  lockDown(allowLive: boolean, allowAttach: boolean): void;
  /** Names of system calls, as native/lockdown.cc has them. */
  readonly refusedCalls: readonly string[];
}

const FUNCTIONS = [
  'open',
  'addTarget',
  'removeTarget',
  'setFrequency',
  'thin',
  'addProcess',
  'followCoroutines',
  'removeProcess',
  'addWaits',
  'removeWaits',
  'addIo',
  'removeIo',
  'keepMoments',
  'take',
  'counters',
  'close',
  'releaseCodePages',
  'watchExecs',
  'execsLost',
  'closeExecs',
  'setFlagByte',
  'lockDown',
] as const;

/** Loads the addon from an absolute path. Throws SAMPLER_ADDON_UNUSABLE. */
export function loadAddon(path: string): NativeAddon {
  let loaded: unknown;
  try {
    loaded = createRequire(import.meta.url)(path);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new SamplerError('SAMPLER_ADDON_UNUSABLE', `cannot load the addon ${path}: ${why}`, { cause });
  }
  if (!isAddon(loaded)) {
    const fact = `${path} is not the addon of this version (interface ${ABI_VERSION})`;
    throw new SamplerError('SAMPLER_ADDON_UNUSABLE', fact);
  }
  return loaded;
}

function isAddon(value: unknown): value is NativeAddon {
  if (typeof value !== 'object' || value === null) return false;
  const members: ReadonlyMap<string, unknown> = new Map(Object.entries(value));
  return (
    members.get('abiVersion') === ABI_VERSION &&
    FUNCTIONS.every((name) => typeof members.get(name) === 'function')
  );
}
