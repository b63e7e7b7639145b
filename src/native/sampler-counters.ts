import type { NativeCounters } from './addon.ts';
import { MARKS, type Mark } from './frame-word.ts';

/** Ticks by what became of them: seen = idle + filtered + thinned + ringFull + those in the ring. */
export interface TickCounts {
  readonly seen: number;
  readonly idle: number;
  readonly filtered: number;
  readonly ringFull: number;
  readonly noUserStack: number;
  readonly userTruncated: number;
  readonly kernelTruncated: number;
  /** Copies of a stack that ended at the limit. */
  readonly stackCut: number;
  readonly stackUnreadable: number;
  /** Ticks inside a kernel that keeps the user's registers from us: walked by frame pointers instead. */
  readonly noUserRegisters: number;
  /** Of targets that are sampled more seldom than the clock ticks. */
  readonly thinned: number;
}

/** What became of the stacks that were copied, and what it took. */
export interface UnwindCounts {
  readonly complete: number;
  /** Marks by what is lacking; all but the first two end a stack that lacks its root. */
  readonly byMark: Readonly<Record<Mark, number>>;
  /** Reads of the processes' memory, and those of them that failed. */
  readonly reads: number;
  readonly failedReads: number;
  /** Stacks taken while the JVM's collector had stopped it. */
  readonly inPause: number;
  /** Stacks by the whole microseconds they took; the last has all that took longer. */
  readonly byMicroseconds: readonly number[];
}

/** Coroutines that were resumed on a stack, by what was found of their callers, in the order of enum ChainEnd. */
export const CHAIN_ENDS = [
  'chain',
  'unsupported',
  'notRead',
  'noContinuation',
  'uncertain',
  'heapMoved',
  'notAContinuation',
  'noJob',
  'tooLong',
  'wentOn',
] as const;

export type ChainEnd = (typeof CHAIN_ENDS)[number];

// enum fg_cause of bpf/cpu.h
const CAUSE_COUNT = 11;
// native/addon.cc, Count
const UNWIND_TOTALS = 4;

/** What it took to find out who waits, since anybody asks. */
export interface WaitCounts {
  readonly scans: number;
  /** Waits of which a stack was taken, and those that ended while it was. */
  readonly stacks: number;
  readonly moved: number;
  readonly scanNs: number;
  /** Switches of threads for which the kernel's table had no room. */
  readonly threadsFull: number;
  /** Of the BPF program, as `bpf` below. */
  readonly bpf: BpfRuns | undefined;
}

interface BpfRuns {
  readonly runs: number;
  readonly runNs: number;
}

/** Everything since open. */
export interface SamplerCounters {
  readonly total: TickCounts;
  /** By CPU number; CPUs that were offline at open stay at zero. */
  readonly perCpu: readonly TickCounts[];
  /** Handed over by take(). */
  readonly taken: number;
  /** Dropped because a batch had `maxStacks` distinct stacks already; counted up to the last take(). */
  readonly tableFull: number;
  /** Records of the ring that made no sense: always 0 unless addon and object do not belong together. */
  readonly malformed: number;
  readonly unwinding: UnwindCounts;
  readonly chains: Readonly<Record<ChainEnd, number>>;
  /** What the searches for callers took, found or not. */
  readonly chainCost: { readonly reads: number; readonly ns: number };
  readonly waits: WaitCounts;
  /** Of the BPF programs that count what is read and written, while they are attached, as `bpf` below. */
  readonly io: BpfRuns | undefined;
  /** Of the BPF program, while the kernel's BPF statistics are on; undefined if they never were. */
  readonly bpf: BpfRuns | undefined;
}

/** Makes names of the addon's numbers. */
export function decodeCounters(native: NativeCounters): SamplerCounters {
  const perCpu: TickCounts[] = [];
  const sums = new BigUint64Array(CAUSE_COUNT);
  for (let at = 0; at < native.perCpu.length; at += CAUSE_COUNT) {
    const numbers = native.perCpu.subarray(at, at + CAUSE_COUNT);
    numbers.forEach((number, cause) => {
      sums[cause] = (sums[cause] ?? 0n) + number;
    });
    perCpu.push(decodeTicks(numbers));
  }
  const { taken, tableFull, malformed, runs, runNs } = native;
  const bpf = runs > 0 ? { runs, runNs } : undefined;
  const unwinding = decodeUnwinding(native.unwinding);
  const chains = decodeChains(native.chains);
  const [reads = 0, ns = 0] = Array.from(native.chains.subarray(CHAIN_ENDS.length), Number);
  const chainCost = { reads, ns };
  const counts = { taken, tableFull, malformed, unwinding, chains, chainCost };
  return {
    total: decodeTicks(sums),
    perCpu,
    ...counts,
    waits: decodeWaitCounts(native.waits),
    io: decodeIoRuns(native.io),
    bpf,
  };
}

function decodeIoRuns(numbers: BigUint64Array): BpfRuns | undefined {
  const [runs = 0, runNs = 0] = Array.from(numbers, Number);
  return runs > 0 ? { runs, runNs } : undefined;
}

function decodeWaitCounts(numbers: BigUint64Array): WaitCounts {
  const [scans = 0, stacks = 0, moved = 0, scanNs = 0, threadsFull = 0, runs = 0, runNs = 0] = Array.from(
    numbers,
    Number,
  );
  return { scans, stacks, moved, scanNs, threadsFull, bpf: runs > 0 ? { runs, runNs } : undefined };
}

/** In the order of enum fg_cause. */
function decodeTicks(numbers: BigUint64Array): TickCounts {
  const at = (cause: number) => Number(numbers[cause] ?? 0n);
  return {
    seen: at(0),
    idle: at(1),
    filtered: at(2),
    ringFull: at(3),
    noUserStack: at(4),
    userTruncated: at(5),
    kernelTruncated: at(6),
    stackCut: at(7),
    stackUnreadable: at(8),
    noUserRegisters: at(9),
    thinned: at(10),
  };
}

function decodeChains(numbers: BigUint64Array): Readonly<Record<ChainEnd, number>> {
  const at = (end: ChainEnd) => Number(numbers[CHAIN_ENDS.indexOf(end)] ?? 0n);
  return {
    chain: at('chain'),
    unsupported: at('unsupported'),
    notRead: at('notRead'),
    noContinuation: at('noContinuation'),
    uncertain: at('uncertain'),
    heapMoved: at('heapMoved'),
    notAContinuation: at('notAContinuation'),
    noJob: at('noJob'),
    tooLong: at('tooLong'),
    wentOn: at('wentOn'),
  };
}

function decodeUnwinding(numbers: BigUint64Array): UnwindCounts {
  const at = (index: number) => Number(numbers[index] ?? 0n);
  const countOf = (mark: Mark) => at(UNWIND_TOTALS + MARKS.indexOf(mark) + 1);
  return {
    complete: at(0),
    byMark: {
      frozenFrames: countOf('frozenFrames'),
      skippedFrames: countOf('skippedFrames'),
      stackCut: countOf('stackCut'),
      stackEnded: countOf('stackEnded'),
      unknownCode: countOf('unknownCode'),
      noUnwindRule: countOf('noUnwindRule'),
      badReturn: countOf('badReturn'),
      badFrame: countOf('badFrame'),
      unreadable: countOf('unreadable'),
      noProgress: countOf('noProgress'),
      tooDeep: countOf('tooDeep'),
      replacedCode: countOf('replacedCode'),
    },
    reads: at(1),
    failedReads: at(2),
    inPause: at(3),
    byMicroseconds: Array.from(numbers.subarray(UNWIND_TOTALS + MARKS.length + 1), Number),
  };
}
