/** A JVM that unloads classes, frees their code, and has others of the same shape in their places. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RELEASES } from '../jvm/testing/a-jvm.ts';
import { sum } from './testing/complete-stacks.ts';
import { aGenerationsJvm, type Stack } from './testing/unwound-jvm.ts';

const GENERATIONS = ['First', 'Other', 'Third', 'Later'] as const;
const LEAST_STACKS = 20;

for (const release of RELEASES) {
  test(`JDK ${release}: what has taken another's place, of the same shape, goes by its own name, and its stacks are whole`, async (t) => {
    const jvm = await aGenerationsJvm(t, release);

    const stacks = await jvm.profile(1.5);

    for (const generation of GENERATIONS) {
      const called = stacks.filter((stack) => has(stack, `Generations.${generation.toLowerCase()}:`));
      const named = called.filter((stack) => has(stack, `Generations$${generation}.inner:`));
      const others = GENERATIONS.filter((each) => each !== generation);
      const wrong = called.filter((stack) => others.some((other) => has(stack, `Generations$${other}.`)));
      const torn = named.filter((stack) => !has(stack, `Generations$${generation}.outer:`));
      t.diagnostic(`${generation}: ${sum(named)} of ${sum(called)}`);
      assert(sum(named) > LEAST_STACKS, generation);
      assert.deepEqual(wrong, []);
      assert.deepEqual(torn, []);
    }
  });
}

const has = ({ frames }: Stack, method: string): boolean => frames.some((frame) => frame.startsWith(method));
