/** One service on one JDK with one set of flags: its first 20 seconds, then under load. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Release } from '../../src/jvm/testing/a-jvm.ts';
import { type Cost, costBetween } from './cost.ts';
import { compareParkedThreads, type Parked } from './parked.ts';
import { type ServiceName, startService } from './service.ts';
import { incompleteBy, isVirtual, type Shares, sharesOf } from './shares.ts';
import { type Stack, wordsOf } from './stack.ts';
import { openBenchSampler, type Span, type WatchedJvm, watchJvm } from './watched-jvm.ts';

export interface Plan {
  readonly release: Release;
  readonly service: ServiceName;
  readonly variant: 'default' | 'framePointer' | 'virtual';
  readonly steadySeconds: number;
}

export interface Measured {
  readonly plan: Plan;
  readonly warmUp: Shares;
  readonly steady: Shares;
  readonly cost: Cost;
  /** Of the service with default flags only. */
  readonly parked: Parked | undefined;
  /** In words, a few of each cause. */
  readonly incomplete: readonly string[];
}

export const FREQUENCY_HZ = 199;
export const RATE = { shallow: 40, deep: 40 } as const;
const LONGEST_LOAD_S = 300;
const SETTLE_MS = 3_000; // until what the load began has ended
const EXAMPLES_OF_A_CAUSE = 3;
const FLAGS = {
  default: [],
  framePointer: ['-XX:+PreserveFramePointer'],
  virtual: ['-Dspring.threads.virtual.enabled=true'],
} as const;

/** `microsOfMiss`: what a tick costs that is not of the service. */
export async function measureService(
  plan: Plan,
  warmUpSeconds: number,
  microsOfMiss: number,
): Promise<Measured> {
  const sampler = openBenchSampler(FREQUENCY_HZ);
  const service = await startService(plan.release, plan.service, FLAGS[plan.variant]);
  try {
    using watched = await watchJvm(sampler, service.pid);
    const begin = Date.now();
    await service.answers;
    const load = service.startLoad(RATE[plan.service], LONGEST_LOAD_S);
    await delay(Math.max(0, begin + warmUpSeconds * 1000 - Date.now()));
    const warmUp = watched.take();
    const before = sampler.counters();
    await delay(plan.steadySeconds * 1000);
    const steady = watched.take();
    const cost = costBetween(before, sampler.counters(), microsOfMiss);
    await load.stop();
    return {
      plan,
      warmUp: sharesOf(warmUp.stacks, warmUp.lost, watched.names),
      steady: sharesOf(ofVariant(steady, plan, watched), steady.lost, watched.names),
      cost,
      parked: plan.variant === 'default' ? await parkedThreads(service.pid, watched) : undefined,
      incomplete: examples([...warmUp.stacks, ...steady.stacks], watched),
    };
  } finally {
    await service.stop();
    sampler.close();
  }
}

/** Of a service on virtual threads, only those count. */
function ofVariant({ stacks }: Span, { variant }: Plan, { names }: WatchedJvm): readonly Stack[] {
  return variant === 'virtual' ? stacks.filter((stack) => isVirtual(stack, names)) : stacks;
}

async function parkedThreads(pid: number, { layout }: WatchedJvm): Promise<Parked> {
  await delay(SETTLE_MS);
  return compareParkedThreads(pid, layout);
}

function examples(stacks: readonly Stack[], { names }: WatchedJvm): readonly string[] {
  const shown = new Map<string, string[]>();
  for (const stack of stacks) {
    const why = incompleteBy(stack, names);
    const known = shown.get(why ?? '') ?? [];
    if (why === undefined || known.length >= EXAMPLES_OF_A_CAUSE) continue;
    const words = stack.frames.map((frame) => wordsOf(frame, names));
    shown.set(why, [
      ...known,
      `${why}, ${words.length} frames: ${[...words.slice(0, 3), '…', ...words.slice(-5)].join(' < ')}`,
    ]);
  }
  return Array.from(shown.values()).flat();
}
