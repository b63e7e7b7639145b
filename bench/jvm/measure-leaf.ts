/** Exact leaves against async-profiler's, then the cost of a warm service at the everyday rate. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Release } from '../../src/jvm/testing/a-jvm.ts';
import type { Sampler } from '../../src/native/sampler.ts';
import { startAsyncProfiler } from './async-profiler.ts';
import { type Cost, costBetween } from './cost.ts';
import { FREQUENCY_HZ } from './measure-service.ts';
import { distance, largestDifferences, selfByMethod, selfOfCollapsed, total } from './self-distribution.ts';
import { startService } from './service.ts';
import type { Stack } from './stack.ts';
import { openBenchSampler, watchJvm } from './watched-jvm.ts';

export interface Leaf {
  readonly distance: number | null;
  /** Two halves of our own, taken in turns: of half as many samples each, so an upper bound. */
  readonly noise: number | null;
  readonly samples: { readonly ours: number; readonly asyncProfiler: number };
  readonly differences: readonly string[];
}

export interface Warm {
  readonly firstNamedProfileMs: number | null;
  readonly cost: Cost;
}

const EXACT_LEAF = ['-XX:+UnlockDiagnosticVMOptions', '-XX:+DebugNonSafepoints'];
const HEAVY_RATE = 150; // requests a second: samples come by CPU time
const WARM_MS = 20_000;
const TURN_MS = 2_000;
const EVERYDAY_HZ = 49;
const FIRST_PROFILE_MS = 10_000;
const MOST_DIFFERENCES = 12;

export async function measureLeaf(
  release: Release,
  seconds: { readonly warmSeconds: number; readonly leafSeconds: number; readonly costSeconds: number },
  microsOfMiss: number,
): Promise<{ readonly leaf: Leaf; readonly warm: Warm }> {
  const service = await startService(release, 'shallow', EXACT_LEAF);
  try {
    await service.answers;
    const load = service.startLoad(HEAVY_RATE, 900);
    await delay(WARM_MS);
    const leaf = await compareLeaves(service.pid, seconds.leafSeconds);
    const warm = await costOfWarm(service.pid, seconds, microsOfMiss);
    await load.stop();
    return { leaf, warm };
  } finally {
    await service.stop();
  }
}

async function compareLeaves(pid: number, seconds: number): Promise<Leaf> {
  const sampler = openBenchSampler(FREQUENCY_HZ);
  try {
    using watched = await watchJvm(sampler, pid);
    const profiler = startAsyncProfiler(pid, FREQUENCY_HZ);
    watched.take();
    const halves: [Stack[], Stack[]] = [[], []];
    for (let turn = 0; turn < (seconds * 1000) / TURN_MS; turn++) {
      await delay(TURN_MS);
      halves[turn % 2 === 0 ? 0 : 1].push(...watched.take().stacks);
    }
    const theirs = selfOfCollapsed(profiler.stop());
    const [one, other] = halves.map((stacks) => selfByMethod(stacks, watched.names));
    const ours = selfByMethod(halves.flat(), watched.names);
    return {
      distance: distance(ours, theirs),
      noise: one && other ? distance(one, other) : null,
      samples: { ours: total(ours), asyncProfiler: total(theirs) },
      differences: largestDifferences(ours, theirs, MOST_DIFFERENCES),
    };
  } finally {
    sampler.close();
  }
}

async function costOfWarm(
  pid: number,
  { warmSeconds, costSeconds }: { readonly warmSeconds: number; readonly costSeconds: number },
  microsOfMiss: number,
): Promise<Warm> {
  const sampler = openBenchSampler(EVERYDAY_HZ);
  try {
    const firstNamedProfileMs = await firstNamedProfile(sampler, pid);
    using watched = await watchJvm(sampler, pid);
    await delay(warmSeconds * 1000);
    watched.take();
    const before = sampler.counters();
    await delay(costSeconds * 1000);
    watched.take();
    return { firstNamedProfileMs, cost: costBetween(before, sampler.counters(), microsOfMiss) };
  } finally {
    sampler.close();
  }
}

/** From nothing known of the JVM to a Java frame that has its name. */
async function firstNamedProfile(sampler: Sampler, pid: number): Promise<number | null> {
  const begin = performance.now();
  using watched = await watchJvm(sampler, pid);
  while (performance.now() - begin < FIRST_PROFILE_MS) {
    if (selfByMethod(watched.take().stacks, watched.names).size > 0)
      return Math.round(performance.now() - begin);
    await delay(25);
  }
  return null;
}
