import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HEAP_FIELDS } from '../jvm/heap-layout.ts';
import { RELEASES } from '../jvm/testing/a-jvm.ts';
import type { ChainEnd } from './sampler-counters.ts';
import { aSampler, eventually } from './sampler-fixture.ts';
import {
  aResumedJvm,
  callersOf,
  falseChains,
  leafOf,
  type ResumedJvm,
  type ResumedStack,
  tornStacks,
} from './testing/resumed-jvm.ts';

/** Of the distinct ones there are; what is inlined into a loop has its leaf's number only where the code has debug info. */
const LEAST_CHAINS = 12;
/** One in some twenty thousand was seen whose frame was left by a word of an earlier call. */
const MOST_TORN = 1;
/** On a machine that is ours alone it is 0.97 and more; what other work delays the reader costs chains. */
const LEAST_SHARE = 0.7;
/** Nonsense lasts for some milliseconds: a reader that comes later finds it mended. */
const MOST = 0.6;
const LEAST_COLLECTIONS = 20;
const [KNOTTED, SPOILT] = [16, 26];
/** Certain or not. */
const LEAF_CALLED_BACK = /^resumed\.ResumedKt\.leaf17\b/;
const COLLECTORS = ['-XX:+UseG1GC', '-XX:+UseParallelGC', '-XX:+UseSerialGC'];

type Ends = Readonly<Record<ChainEnd, number>>;

function assertTrue(stacks: readonly ResumedStack[]): void {
  assert.deepEqual(falseChains(stacks), []);
  const torn = tornStacks(stacks);
  assert(torn.length <= MOST_TORN, JSON.stringify(torn));
}

for (const release of RELEASES) {
  for (const collector of COLLECTORS) {
    test(`JDK ${release} ${collector}: coroutines that were resumed have their callers`, async (t) => {
      const jvm = await aResumedJvm(t, release, ['all'], { flags: [collector] });
      await jvm.profile(3);

      const { stacks, ends } = await chainsOf(jvm, 3);

      t.diagnostic(`${percent(ends)}, ${JSON.stringify(ends)}`);
      assertTrue(stacks);
      assert(new Set(stacks.map((stack) => callersOf(stack).join())).size > LEAST_CHAINS);
      assert(ends.chain >= LEAST_SHARE * sum(ends), percent(ends));
    });

    test(`JDK ${release} ${collector}: while all objects are moved again and again no caller is wrong`, async (t) => {
      const jvm = await aResumedJvm(t, release, ['all', 'full'], { flags: [collector] });

      const { stacks, ends } = await chainsOf(jvm, 3);

      t.diagnostic(`${percent(ends)}, ${JSON.stringify(ends)}`);
      assertTrue(stacks);
      assert(ends.chain > 0, JSON.stringify(ends));
      await eventually('it has collected', () => (jvm.collections() ?? 0) > LEAST_COLLECTIONS);
    });
  }

  test(`JDK ${release}: with the heap full of garbage no caller is wrong`, async (t) => {
    const jvm = await aResumedJvm(t, release, ['all', 'storm']);

    const { stacks, ends } = await chainsOf(jvm, 4);

    t.diagnostic(`${percent(ends)}, ${JSON.stringify(ends)}`);
    assertTrue(stacks);
    assert(ends.chain > 0);
  });

  test(`JDK ${release}: callers in a circle, of a callback or in a pipeline of nonsense are none`, async (t) => {
    const jvm = await aResumedJvm(t, release, ['odd']);

    const { stacks, ends } = await chainsOf(jvm, 3);

    t.diagnostic(JSON.stringify(ends));
    assert(ends.tooLong > 20 && ends.noJob > 20 && ends.wentOn > 20, JSON.stringify(ends));
    // What is mended while it is read has an end.
    for (const leaf of [KNOTTED, SPOILT]) {
      const all = stacks.filter((stack) => leafOf(stack) === leaf);
      const without = all.filter((stack) => callersOf(stack).length === 0);
      assert(samplesOf(without) > MOST * samplesOf(all), `${samplesOf(without)} of ${samplesOf(all)}`);
    }
    const others = stacks.filter((stack) => leafOf(stack) !== KNOTTED);
    assert(others.some(({ frames }) => frames.some((frame) => LEAF_CALLED_BACK.test(frame))));
    assertTrue(others);
  });

  for (const [name, flags] of [
    ['interpreted', ['-Xint']],
    ['compiled by C1', ['-XX:TieredStopAtLevel=1']],
    ['with whole references', ['-XX:-UseCompressedOops']],
  ] as const) {
    test(`JDK ${release}: ${name}, the callers are the same`, async (t) => {
      const jvm = await aResumedJvm(t, release, ['all'], { flags });
      await jvm.profile(1);

      const { stacks, ends } = await chainsOf(jvm, 2);

      t.diagnostic(`${percent(ends)}, ${JSON.stringify(ends)}`);
      assertTrue(stacks);
      assert(ends.chain >= LEAST_SHARE * sum(ends), percent(ends));
    });
  }

  test(`JDK ${release}: a heap that is described wrongly has no callers`, async (t) => {
    for (const field of ['narrow_oop_base', 'narrow_klass_base', 'klass_super'] as const) {
      const index = HEAP_FIELDS.indexOf(field);
      const jvm = await aResumedJvm(t, release, ['all'], {
        told: (heap) => heap.map((value, i) => (i === index ? value + 8n : value)),
      });

      const { stacks, ends } = await chainsOf(jvm, 0.5);

      assert(sum(ends) > 20);
      assert.equal(ends.chain, 0, field);
      assert(stacks.every(({ frames }) => frames.every((frame) => !frame.startsWith('~'))));
    }
  });
}

for (const [release, collector] of [
  [21, '-XX:+UseZGC'],
  [25, '-XX:+UseZGC'],
  [25, '-XX:+UseShenandoahGC'],
] as const) {
  test(`JDK ${release} ${collector}: where objects move at any time, callers are not looked for`, async (t) => {
    const jvm = await aResumedJvm(t, release, ['all'], { flags: [collector, '-Xmx128m'] });

    const { ends } = await chainsOf(jvm, 1);

    assert(ends.unsupported > 20);
    assert.equal(ends.unsupported, sum(ends));
  });
}

test('JDK 25: with compact headers the callers are the same', async (t) => {
  const jvm = await aResumedJvm(t, 25, ['all'], { flags: ['-XX:+UseCompactObjectHeaders'] });

  const { stacks, ends } = await chainsOf(jvm, 2);

  t.diagnostic(`${percent(ends)}, ${JSON.stringify(ends)}`);
  assertTrue(stacks);
  assert(ends.chain >= LEAST_SHARE * sum(ends), percent(ends));
});

test('the addon takes the numbers of a heap by these names', (t) => {
  assert.deepEqual(aSampler(t).heapFields, HEAP_FIELDS);
});

test('a heap that cannot be is refused', (t) => {
  const sampler = aSampler(t);
  const odd = BigInt64Array.from(HEAP_FIELDS, () => 77n);

  assert.throws(() => sampler.followCoroutines(process.pid, odd), { code: 'SAMPLER_LAYOUT_INVALID' });
});

async function chainsOf(
  jvm: ResumedJvm,
  cpuSeconds: number,
): Promise<{ readonly stacks: readonly ResumedStack[]; readonly ends: Ends }> {
  const before = jvm.sampler.counters().chains;
  const stacks = await jvm.profile(cpuSeconds);
  const after = jvm.sampler.counters().chains;
  const entries = Object.entries(after).map(
    ([end, count]) => [end, count - before[end as ChainEnd]] as const,
  );
  return { stacks, ends: Object.fromEntries(entries) as Ends };
}

function samplesOf(stacks: readonly ResumedStack[]): number {
  return stacks.reduce((total, { count }) => total + count, 0);
}

function sum(ends: Ends): number {
  return Object.values(ends).reduce((total, count) => total + count, 0);
}

function percent(ends: Ends): string {
  return `${((100 * ends.chain) / sum(ends)).toFixed(1)} % of ${sum(ends)}`;
}
