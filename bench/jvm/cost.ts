/** What samples cost, from the counters of the sampler before and after a span. */
import { setTimeout as delay } from 'node:timers/promises';
import type { SamplerCounters } from '../../src/native/sampler-counters.ts';
import { openBenchSampler } from './watched-jvm.ts';

export interface Cost {
  readonly samples: number;
  readonly kernelMicrosPerSample: number | null;
  readonly userMicrosMedian: number | null;
  readonly userMicrosP99: number | null;
  readonly foreignReadsPerSample: number | null;
}

const MISSES_MS = 5_000;

/** What a tick costs that is nobody's we watch: runs of the program while there is no target. */
export async function measureMiss(frequencyHz: number): Promise<number> {
  const sampler = openBenchSampler(frequencyHz);
  try {
    const opened = sampler.counters();
    await delay(MISSES_MS);
    const runs = runsBetween(opened, sampler.counters());
    return runs.count === 0 ? 0 : rounded(runs.micros / runs.count);
  } finally {
    sampler.close();
  }
}

/** Runs that were no sample are taken off at what they cost alone. */
export function costBetween(before: SamplerCounters, after: SamplerCounters, microsOfMiss: number): Cost {
  const missed = ({ total }: SamplerCounters) => total.idle + total.filtered;
  const samples = after.total.seen - missed(after) - (before.total.seen - missed(before));
  const runs = runsBetween(before, after);
  const hitMicros = runs.micros - (runs.count - samples) * microsOfMiss;
  const histogram = after.unwinding.byMicroseconds.map(
    (count, micros) => count - (before.unwinding.byMicroseconds[micros] ?? 0),
  );
  const unwound = histogram.reduce((sum, count) => sum + count, 0);
  const reads = after.unwinding.reads - before.unwinding.reads;
  return {
    samples,
    kernelMicrosPerSample: samples === 0 || runs.count === 0 ? null : rounded(hitMicros / samples),
    userMicrosMedian: quantile(histogram, 0.5),
    userMicrosP99: quantile(histogram, 0.99),
    foreignReadsPerSample: unwound === 0 ? null : Number((reads / unwound).toFixed(4)),
  };
}

function runsBetween(before: SamplerCounters, after: SamplerCounters): { count: number; micros: number } {
  const count = (after.bpf?.runs ?? 0) - (before.bpf?.runs ?? 0);
  return { count, micros: ((after.bpf?.runNs ?? 0) - (before.bpf?.runNs ?? 0)) / 1000 };
}

/** The whole microsecond that holds it: the histogram's last has all that took longer. */
function quantile(histogram: readonly number[], q: number): number | null {
  const wanted = q * histogram.reduce((sum, count) => sum + count, 0);
  if (wanted === 0) return null;
  let passed = 0;
  return histogram.findIndex((count) => {
    passed += count;
    return passed >= wanted;
  });
}

const rounded = (value: number) => Number(value.toFixed(2));
