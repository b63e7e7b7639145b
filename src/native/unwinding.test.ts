/** Stacks of real JVMs, sampled, copied and unwound, without any flag unless a test names it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RELEASES } from '../jvm/testing/a-jvm.ts';
import { everyDay } from '../jvm/testing/pairs.ts';
import {
  COMPILERS,
  completeShare,
  isComplete,
  isNative,
  NEARLY_ALL,
  percent,
  stacksAreComplete,
  sum,
} from './testing/complete-stacks.ts';
import { anUnwoundJvm, type Stack } from './testing/unwound-jvm.ts';

for (const [release, compiler] of everyDay(RELEASES, COMPILERS)) {
  test(`JDK ${release}: ${compiler[0]}, stacks are complete`, (t) => stacksAreComplete(t, release, compiler));
}

for (const release of RELEASES) {
  test(`JDK ${release}: stacks are complete, from their first second on`, async (t) => {
    const jvm = await anUnwoundJvm(t, release, ['inlined', 'collections', 'natives', 'systemCalls']);

    const warmingUp = await jvm.profile(2);
    const warm = await jvm.profile(3);

    t.diagnostic(`complete: ${percent(warmingUp)} warming up, ${percent(warm)} warm`);
    assert(completeShare(warmingUp) >= NEARLY_ALL);
    assert(completeShare(warm) >= NEARLY_ALL);
    const { total, unwinding, malformed } = jvm.sampler.counters();
    assert.equal(malformed, 0);
    assert.equal(total.noUserRegisters, 0);
    assert(total.stackUnreadable <= (1 - NEARLY_ALL) * total.seen);
    assert(unwinding.inPause > 0, 'no stack of a collector at work');
    assert.equal(unwinding.complete, sum([...warmingUp, ...warm].filter(isComplete)));
  });

  test(`JDK ${release}: inlined methods are frames of their own, and certain where code has debug info between safepoints`, async (t) => {
    const exactLeaf = ['-XX:+UnlockDiagnosticVMOptions', '-XX:+DebugNonSafepoints'];
    const jvm = await anUnwoundJvm(t, release, ['inlined'], exactLeaf);
    await jvm.profile(1);

    const stacks = await jvm.profile(2);

    const chains = stacks.filter(({ frames }) => methodsIn(frames, 'Shapes.middle') > 0);
    assert(sum(chains) > 0.5 * sum(stacks));
    for (const { frames } of chains) {
      const chain = frames.slice(frames.findIndex((frame) => frame.startsWith('Shapes.middle:')));
      assert.match(chain[0] ?? '', /^Shapes\.middle:14 inlined/);
      assert.match(chain[1] ?? '', /^Shapes\.outer:15( inlined|$)/);
      assert.match(chain[2] ?? '', /^Shapes\.inlined:16/);
    }
    assert(shareInDoubt(stacks) < 0.02, `${shareInDoubt(stacks)} of the inlined leaves`);
  });

  test(`JDK ${release}: code without debug info between safepoints tells so by itself`, async (t) => {
    const jvm = await anUnwoundJvm(t, release, ['inlined', 'recursive']);
    await jvm.profile(1);

    const stacks = await jvm.profile(2);

    assert(shareInDoubt(stacks) > 0.5, `${shareInDoubt(stacks)} of the inlined leaves`);
  });

  test(`JDK ${release}: a recursion of depth 41 is 41 frames`, async (t) => {
    // inlined, the leaf's chain would be that of the next safepoint, a frame more or less
    const ownFrame = ['-XX:CompileCommand=quiet', '-XX:CompileCommand=dontinline,Shapes.spin'];
    const jvm = await anUnwoundJvm(t, release, ['recursive'], ownFrame);
    await jvm.profile(1);

    const stacks = (await jvm.profile(2)).filter(({ frames }) => frames[0]?.startsWith('Shapes.spin:'));

    assert(sum(stacks) > 100);
    for (const { frames } of stacks) assert.equal(methodsIn(frames, 'Shapes.deep'), 41, frames.join('\n'));
  });

  test(`JDK ${release}: Java frames lie below native and kernel frames`, async (t) => {
    const jvm = await anUnwoundJvm(t, release, ['natives', 'systemCalls']);

    const stacks = await jvm.profile(2);

    const inLibz = stacks.filter(
      ({ frames }) => isNative(frames[0]) && methodsIn(frames, 'Shapes.compress') > 0,
    );
    const inKernel = stacks.filter(
      (stack) => stack.kernelFrames > 0 && methodsIn(stack.frames, 'Shapes.systemCalls') > 0,
    );
    assert(sum(inLibz) > 50);
    assert(sum(inKernel) > 50);
    const below = [...inLibz, ...inKernel];
    const rooted = below.filter(({ frames }) => methodsIn(frames, 'java.lang.Thread.run') > 0);
    assert(sum(rooted) >= NEARLY_ALL * sum(below), `${sum(rooted)} of ${sum(below)}`);
  });

  test(`JDK ${release}: native code without unwind tables is passed by the JVM's anchors`, async (t) => {
    const jvm = await anUnwoundJvm(t, release, ['blindly']);
    await jvm.profile(0.5);

    const stacks = await jvm.profile(2);

    const inBlind = stacks.filter(
      ({ frames }) => isNative(frames[0]) && methodsIn(frames, 'Shapes.blind') > 0,
    );
    const calledBack = stacks.filter(({ frames }) => methodsIn(frames, 'Shapes.calledBack') > 0);
    assert(sum(inBlind) > 50);
    assert(sum(calledBack) > 50);
    const passed = [...inBlind, ...calledBack];
    for (const { frames } of passed) assert(frames.includes('<skippedFrames>'), frames.join('\n'));
    // An interpreted caller has no debug info that confirms where it was left: what is skipped may be it, too.
    const withCaller = passed.filter(({ frames }) => methodsIn(frames, 'Shapes.blindly') === 1);
    assert(sum(withCaller) >= NEARLY_ALL * sum(passed), `${sum(withCaller)} of ${sum(passed)}`);
  });

  test(`JDK ${release}: a stack longer than the copy says so`, async (t) => {
    const jvm = await anUnwoundJvm(t, release, ['bottomless']);
    await jvm.profile(1);

    const stacks = await jvm.profile(1);

    const cut = stacks.filter(({ frames }) => frames.at(-1) === '<stackCut>');
    assert(sum(cut) > 50);
    assert(cut.every(({ frames }) => methodsIn(frames, 'Shapes.deep') > 100));
    assert(jvm.sampler.counters().total.stackCut >= sum(cut));
  });
}

for (const release of [21, 25] as const) {
  test(`JDK ${release}: a virtual thread's stack goes on with its carrier, past callers in the heap`, async (t) => {
    const jvm = await anUnwoundJvm(t, release, ['virtuals']);
    await jvm.profile(1);

    const stacks = await jvm.profile(2);

    const virtual = stacks.filter(({ frames }) => methodsIn(frames, 'Shapes.leaf') > 0);
    assert(sum(virtual) > 100);
    assert(completeShare(virtual) >= NEARLY_ALL, percent(virtual));
    const gaps = virtual.filter(({ frames }) => frames.includes('<frozenFrames>'));
    assert(sum(gaps) > 0.5 * sum(virtual));
    for (const { frames } of virtual.filter(isComplete)) {
      assert(methodsIn(frames, 'java.util.concurrent.ForkJoinWorkerThread.run') === 1, frames.join('\n'));
    }
  });
}

/** Of inlined leaves: which of them may be those of the next safepoint. */
function shareInDoubt(stacks: readonly Stack[]): number {
  const inlined = stacks.filter(({ frames }) => frames[0]?.includes(' inlined'));
  return sum(inlined.filter(({ frames }) => frames[0]?.endsWith(' ~'))) / sum(inlined);
}

function methodsIn(frames: readonly string[], method: string): number {
  return frames.filter((frame) => frame.startsWith(`${method}:`)).length;
}
