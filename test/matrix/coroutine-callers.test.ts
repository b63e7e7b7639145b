/** On the releases, collectors and compilers that src/native/coroutine-callers.test.ts leaves out every day. */
import { test } from 'node:test';
import { RELEASES } from '../../src/jvm/testing/a-jvm.ts';
import { otherDays } from '../../src/jvm/testing/pairs.ts';
import {
  COLLECTORS,
  COMPILERS,
  callersAreTheSame,
  movedAreNeverWrong,
  resumedHaveCallers,
  WRONG_FIELDS,
  wronglyDescribedHasNone,
} from '../../src/native/testing/callers-proofs.ts';

for (const [release, collector] of otherDays(RELEASES, COLLECTORS)) {
  test(`JDK ${release} ${collector}: coroutines that were resumed have their callers`, (t) =>
    resumedHaveCallers(t, release, collector));

  test(`JDK ${release} ${collector}: while all objects are moved again and again no caller is wrong`, (t) =>
    movedAreNeverWrong(t, release, collector));
}

for (const [release, [name, flags]] of otherDays(RELEASES, COMPILERS)) {
  test(`JDK ${release}: ${name}, the callers are the same`, (t) => callersAreTheSame(t, release, flags));
}

for (const [release, field] of otherDays(RELEASES, WRONG_FIELDS)) {
  test(`JDK ${release}: a heap that is described wrongly by ${field} has no callers`, (t) =>
    wronglyDescribedHasNone(t, release, field));
}
