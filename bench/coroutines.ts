/** Which share of the coroutines that orders resumes under load has its suspended callers, and what a search costs. */
import { setTimeout as delay } from 'node:timers/promises';
import { readHeapLayout } from '../src/jvm/heap-layout.ts';
import { readHotspot } from '../src/jvm/hotspot.ts';
import { RELEASES, type Release } from '../src/jvm/testing/a-jvm.ts';
import { loadedLibjvm, openMemory } from '../src/jvm/testing/process-memory.ts';
import { flatUnwindLayout } from '../src/jvm/unwind-layout.ts';
import type { Sampler } from '../src/native/sampler.ts';
import { CHAIN_ENDS, type SamplerCounters } from '../src/native/sampler-counters.ts';
import { startService } from './jvm/service.ts';
import { openBenchSampler } from './jvm/watched-jvm.ts';
import { writeResult } from './machine.ts';

const COLLECTORS = ['G1', 'Parallel', 'Serial'] as const;
const FREQUENCY_HZ = 199;
const REQUESTS_PER_SECOND = 60;
const WARM_UP_MS = 15_000;
const STEADY_MS = 1000 * Number(process.env['STEADY_SECONDS'] ?? 20);
const LONGEST_LOAD_S = 300;

interface Measured {
  readonly release: Release;
  readonly collector: string;
  readonly resumed: number;
  readonly chainPercent: number;
  /** Resumed coroutines without a chain, by cause. */
  readonly without: Readonly<Record<string, number>>;
  readonly readsEach: number;
  readonly microsEach: number;
}

// RELEASE=21: only that.
const wanted = RELEASES.filter((release) => String(release) === (process.env['RELEASE'] ?? String(release)));
const measured: Measured[] = [];
for (const release of wanted) {
  for (const collector of COLLECTORS) {
    const row = await measure(release, collector);
    measured.push(row);
    console.log(JSON.stringify(row));
  }
}
console.log(
  `Written to ${writeResult('coroutines', 'node bench/coroutines.ts', wanted.join(', '), { measured })}`,
);

async function measure(release: Release, collector: string): Promise<Measured> {
  const sampler = openBenchSampler(FREQUENCY_HZ);
  const service = await startService(release, 'shallow', [`-XX:+Use${collector}GC`]);
  try {
    await service.answers;
    const load = service.startLoad(REQUESTS_PER_SECOND, LONGEST_LOAD_S);
    await delay(WARM_UP_MS);
    follow(sampler, service.pid);
    const before = sampler.counters();
    await delay(STEADY_MS);
    sampler.take();
    const after = sampler.counters();
    await load.stop();
    return { release, collector, ...between(before, after) };
  } finally {
    await service.stop();
    sampler.close();
  }
}

function follow(sampler: Sampler, pid: number): void {
  const libjvm = loadedLibjvm(pid);
  if (!libjvm) throw new Error(`process ${pid} has no libjvm`);
  using memory = openMemory(pid);
  const hotspot = readHotspot(memory.read, libjvm);
  if (hotspot.kind !== 'read') throw new Error(hotspot.message);
  const heap = readHeapLayout(memory.read, hotspot);
  if (heap.kind !== 'layout') throw new Error(heap.reason);
  sampler.addProcess({ pid, layout: flatUnwindLayout(hotspot.layout) });
  sampler.followCoroutines(pid, heap.layout);
  sampler.addTarget(BigInt(pid));
}

function between(before: SamplerCounters, after: SamplerCounters) {
  const ends = CHAIN_ENDS.map((end) => [end, after.chains[end] - before.chains[end]] as const);
  const resumed = ends.reduce((sum, [, count]) => sum + count, 0);
  const chains = after.chains.chain - before.chains.chain;
  return {
    resumed,
    chainPercent: round((100 * chains) / resumed),
    without: Object.fromEntries(ends.filter(([end, count]) => end !== 'chain' && count > 0)),
    readsEach: round((after.chainCost.reads - before.chainCost.reads) / resumed),
    microsEach: round((after.chainCost.ns - before.chainCost.ns) / 1000 / resumed),
  };
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
