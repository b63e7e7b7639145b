/** On the releases and compilers that src/native/unwinding.test.ts leaves out every day. */
import { test } from 'node:test';
import { RELEASES } from '../../src/jvm/testing/a-jvm.ts';
import { otherDays } from '../../src/jvm/testing/pairs.ts';
import { COMPILERS, stacksAreComplete } from '../../src/native/testing/complete-stacks.ts';

for (const [release, compiler] of otherDays(RELEASES, COMPILERS)) {
  test(`JDK ${release}: ${compiler[0]}, stacks are complete`, (t) => stacksAreComplete(t, release, compiler));
}
