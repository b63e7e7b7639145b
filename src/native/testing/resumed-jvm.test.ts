import assert from 'node:assert/strict';
import { test } from 'node:test';
import { falseChains, tornStacks } from './resumed-jvm.ts';

const PIPED = ['inner', 'piped', 'middle', 'piped', 'outer', 'piped', 'piped', 'main', 'main'];

const aStack = (frames: readonly string[], callers: readonly string[]) => ({
  count: 1,
  frames: [
    ...frames.map((frame) => `resumed.ResumedKt${frame}`),
    ...callers.map((caller) => `~ suspend resumed.ResumedKt.${caller}(Resumed.kt:1)`),
    '~ [launch]',
    'kotlin.coroutines.jvm.internal.BaseContinuationImpl.resumeWith',
  ],
});

test('callers of another coroutine are torn where its frame is on the stack, else false', () => {
  const right = aStack(['.leaf21', '$asked$1.invokeSuspend'], PIPED);
  const torn = aStack(['.leaf12', '.collected', '$asked$1.invokeSuspend'], PIPED);
  const wrong = aStack(['.leaf12', '.collected', '$collected$1.invokeSuspend'], PIPED);
  const uncertain = aStack(['.work', '$asked$1.invokeSuspend'], PIPED.slice(1));
  const all = [right, torn, wrong, uncertain];

  assert.deepEqual(falseChains(all), [wrong, uncertain]);
  assert.deepEqual(tornStacks(all), [torn]);
});
