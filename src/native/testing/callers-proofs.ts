/** What is proven of coroutines' callers whatever the release, the collector and the compiler are. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { HEAP_FIELDS } from '../../jvm/heap-layout.ts';
import type { Release } from '../../jvm/testing/a-jvm.ts';
import type { ChainEnd } from '../sampler-counters.ts';
import { eventually } from '../sampler-fixture.ts';
import {
  aResumedJvm,
  callersOf,
  falseChains,
  type ResumedJvm,
  type ResumedStack,
  tornStacks,
} from './resumed-jvm.ts';

export const COLLECTORS = ['-XX:+UseG1GC', '-XX:+UseParallelGC', '-XX:+UseSerialGC'] as const;
export const WRONG_FIELDS = ['narrow_oop_base', 'narrow_klass_base', 'klass_super'] as const;
export const COMPILERS = [
  ['interpreted', ['-Xint']],
  ['compiled by C1', ['-XX:TieredStopAtLevel=1']],
  ['with whole references', ['-XX:-UseCompressedOops']],
] as const;

/** Of the distinct ones there are; what is inlined into a loop has its leaf's number only where the code has debug info. */
const LEAST_CHAINS = 12;
/** One in some twenty thousand was seen whose frame was left by a word of an earlier call. */
const MOST_TORN = 1;
/** On a machine that is ours alone it is 0.97 and more; what other work delays the reader costs chains. */
const LEAST_SHARE = 0.7;
const LEAST_COLLECTIONS = 20;

export type Ends = Readonly<Record<ChainEnd, number>>;

export interface Chains {
  readonly stacks: readonly ResumedStack[];
  readonly ends: Ends;
}

export async function resumedHaveCallers(t: TestContext, release: Release, collector: string): Promise<void> {
  const jvm = await aResumedJvm(t, release, ['all'], { flags: [collector] });
  await jvm.profile(3);

  const chains = await chainsOf(t, jvm, 3);

  assert(new Set(chains.stacks.map((stack) => callersOf(stack).join())).size > LEAST_CHAINS);
  mostHaveTrueCallers(chains);
}

export async function movedAreNeverWrong(t: TestContext, release: Release, collector: string): Promise<void> {
  const jvm = await aResumedJvm(t, release, ['all', 'full'], { flags: [collector] });

  const { stacks, ends } = await chainsOf(t, jvm, 3);

  areTrue(stacks);
  assert(ends.chain > 0, JSON.stringify(ends));
  await eventually('it has collected', () => (jvm.collections() ?? 0) > LEAST_COLLECTIONS);
}

export async function callersAreTheSame(
  t: TestContext,
  release: Release,
  flags: readonly string[],
): Promise<void> {
  const jvm = await aResumedJvm(t, release, ['all'], { flags });
  await jvm.profile(1);

  mostHaveTrueCallers(await chainsOf(t, jvm, 2));
}

export async function wronglyDescribedHasNone(
  t: TestContext,
  release: Release,
  field: (typeof WRONG_FIELDS)[number],
): Promise<void> {
  const index = HEAP_FIELDS.indexOf(field);
  const jvm = await aResumedJvm(t, release, ['all'], {
    told: (heap) => heap.map((value, i) => (i === index ? value + 8n : value)),
  });

  const { stacks, ends } = await chainsOf(t, jvm, 0.5);

  assert(sum(ends) > 20);
  assert.equal(ends.chain, 0);
  assert(stacks.every(({ frames }) => frames.every((frame) => !frame.startsWith('~'))));
}

/** What is sampled while the JVM burns so much CPU, and how the search for callers ended. */
export async function chainsOf(t: TestContext, jvm: ResumedJvm, cpuSeconds: number): Promise<Chains> {
  const before = jvm.sampler.counters().chains;
  const stacks = await jvm.profile(cpuSeconds);
  const after = jvm.sampler.counters().chains;
  const entries = Object.entries(after).map(
    ([end, count]) => [end, count - before[end as ChainEnd]] as const,
  );
  const ends = Object.fromEntries(entries) as Ends;
  t.diagnostic(`${percent(ends)}, ${JSON.stringify(ends)}`);
  return { stacks, ends };
}

export function areTrue(stacks: readonly ResumedStack[]): void {
  assert.deepEqual(falseChains(stacks), []);
  const torn = tornStacks(stacks);
  assert(torn.length <= MOST_TORN, JSON.stringify(torn));
}

export function sum(ends: Ends): number {
  return Object.values(ends).reduce((total, count) => total + count, 0);
}

function mostHaveTrueCallers({ stacks, ends }: Chains): void {
  areTrue(stacks);
  assert(ends.chain >= LEAST_SHARE * sum(ends), percent(ends));
}

function percent(ends: Ends): string {
  return `${((100 * ends.chain) / sum(ends)).toFixed(1)} % of ${sum(ends)}`;
}
