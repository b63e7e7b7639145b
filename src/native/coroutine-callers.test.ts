import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HEAP_FIELDS } from '../jvm/heap-layout.ts';
import { RELEASES } from '../jvm/testing/a-jvm.ts';
import { everyDay } from '../jvm/testing/pairs.ts';
import { aSampler } from './sampler-fixture.ts';
import {
  areTrue,
  COLLECTORS,
  COMPILERS,
  callersAreTheSame,
  chainsOf,
  movedAreNeverWrong,
  resumedHaveCallers,
  sum,
  WRONG_FIELDS,
  wronglyDescribedHasNone,
} from './testing/callers-proofs.ts';
import { aResumedJvm, callersOf, leafOf, type ResumedStack } from './testing/resumed-jvm.ts';

/** Nonsense lasts for some milliseconds: a reader that comes later finds it mended. */
const MOST = 0.6;
const [KNOTTED, SPOILT] = [16, 26];
/** Certain or not. */
const LEAF_CALLED_BACK = /^resumed\.ResumedKt\.leaf17\b/;

for (const [release, collector] of everyDay(RELEASES, COLLECTORS)) {
  test(`JDK ${release} ${collector}: coroutines that were resumed have their callers`, (t) =>
    resumedHaveCallers(t, release, collector));

  test(`JDK ${release} ${collector}: while all objects are moved again and again no caller is wrong`, (t) =>
    movedAreNeverWrong(t, release, collector));
}

for (const [release, [name, flags]] of everyDay(RELEASES, COMPILERS)) {
  test(`JDK ${release}: ${name}, the callers are the same`, (t) => callersAreTheSame(t, release, flags));
}

for (const [release, field] of everyDay(RELEASES, WRONG_FIELDS)) {
  test(`JDK ${release}: a heap that is described wrongly by ${field} has no callers`, (t) =>
    wronglyDescribedHasNone(t, release, field));
}

for (const release of RELEASES) {
  test(`JDK ${release}: with the heap full of garbage no caller is wrong`, async (t) => {
    const jvm = await aResumedJvm(t, release, ['all', 'storm']);

    const { stacks, ends } = await chainsOf(t, jvm, 4);

    areTrue(stacks);
    assert(ends.chain > 0);
  });

  test(`JDK ${release}: callers in a circle, of a callback or in a pipeline of nonsense are none`, async (t) => {
    const jvm = await aResumedJvm(t, release, ['odd']);

    const { stacks, ends } = await chainsOf(t, jvm, 3);

    assert(ends.tooLong > 20 && ends.noJob > 20 && ends.wentOn > 20, JSON.stringify(ends));
    // What is mended while it is read has an end.
    for (const leaf of [KNOTTED, SPOILT]) {
      const all = stacks.filter((stack) => leafOf(stack) === leaf);
      const without = all.filter((stack) => callersOf(stack).length === 0);
      assert(samplesOf(without) > MOST * samplesOf(all), `${samplesOf(without)} of ${samplesOf(all)}`);
    }
    const others = stacks.filter((stack) => leafOf(stack) !== KNOTTED);
    assert(others.some(({ frames }) => frames.some((frame) => LEAF_CALLED_BACK.test(frame))));
    areTrue(others);
  });
}

for (const [release, collector] of [
  [21, '-XX:+UseZGC'],
  [25, '-XX:+UseZGC'],
  [25, '-XX:+UseShenandoahGC'],
] as const) {
  test(`JDK ${release} ${collector}: where objects move at any time, callers are not looked for`, async (t) => {
    const jvm = await aResumedJvm(t, release, ['all'], { flags: [collector, '-Xmx128m'] });

    const { ends } = await chainsOf(t, jvm, 1);

    assert(ends.unsupported > 20);
    assert.equal(ends.unsupported, sum(ends));
  });
}

test('JDK 25: with compact headers the callers are the same', (t) =>
  callersAreTheSame(t, 25, ['-XX:+UseCompactObjectHeaders']));

test('the addon takes the numbers of a heap by these names', (t) => {
  assert.deepEqual(aSampler(t).heapFields, HEAP_FIELDS);
});

test('a heap that cannot be is refused', (t) => {
  const sampler = aSampler(t);
  const odd = BigInt64Array.from(HEAP_FIELDS, () => 77n);

  assert.throws(() => sampler.followCoroutines(process.pid, odd), { code: 'SAMPLER_LAYOUT_INVALID' });
});

function samplesOf(stacks: readonly ResumedStack[]): number {
  return stacks.reduce((total, { count }) => total + count, 0);
}
