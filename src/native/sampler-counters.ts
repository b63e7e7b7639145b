import type { NativeCounters } from './addon.ts';

/** Ticks by what became of them: seen = idle + filtered + ringFull + those in the ring. */
export interface TickCounts {
  readonly seen: number;
  readonly idle: number;
  readonly filtered: number;
  readonly ringFull: number;
  readonly noUserStack: number;
  readonly userTruncated: number;
  readonly kernelTruncated: number;
}

// enum fg_cause of bpf/cpu.h
const CAUSE_COUNT = 7;

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
  /** Of the BPF program, while the kernel's BPF statistics are on; undefined if they never were. */
  readonly bpf: { readonly runs: number; readonly runNs: number } | undefined;
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
  return { total: decodeTicks(sums), perCpu, taken, tableFull, malformed, bpf };
}

/** In the order of enum fg_cause. */
function decodeTicks(numbers: BigUint64Array): TickCounts {
  const [seen, idle, filtered, ringFull, noUserStack, userTruncated, kernelTruncated] = Array.from(
    numbers,
    Number,
  );
  return {
    seen: seen ?? 0,
    idle: idle ?? 0,
    filtered: filtered ?? 0,
    ringFull: ringFull ?? 0,
    noUserStack: noUserStack ?? 0,
    userTruncated: userTruncated ?? 0,
    kernelTruncated: kernelTruncated ?? 0,
  };
}
