/** Ground truth: what the JVM itself prints of its threads that wait. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { hotspotOf, RELEASES } from '../jvm/testing/a-jvm.ts';
import type { UnwindLayout } from '../jvm/unwind-layout.ts';
import { eventually } from './sampler-fixture.ts';
import { printedThreads, unwoundThreads } from './testing/stopped-threads.ts';
import { startShapes } from './testing/unwound-jvm.ts';

for (const release of RELEASES) {
  test(`JDK ${release}: threads that wait have the frames and lines that the JVM prints`, async (t) => {
    const jvm = await startShapes(t, release, ['parked', 'waiting']);
    const { layout } = hotspotOf(jvm);
    await eventually('the warm thread waits for ever', () => isIdle(jvm.pid));

    const { printed, unwound } = whileTheyWait(jvm.pid, layout);

    const names = Array.from(printed.values(), ({ name }) => name);
    for (const name of ['parked', 'waiting', 'main', 'Reference Handler']) assert(names.includes(name), name);
    for (const [tid, thread] of printed) {
      const frames = unwound.get(tid)?.frames ?? [];
      assert.deepEqual(frames, thread.frames, thread.name);
      assert.notEqual(unwound.get(tid)?.end?.kind, 'mark', thread.name);
    }
    const [waiting = 0] = Array.from(printed).flatMap(([tid, { name }]) => (name === 'waiting' ? tid : []));
    assert((unwound.get(waiting)?.inlinedFrames ?? 0) >= 3, 'the warm thread waits in compiled code');
    const frames = Array.from(printed.values(), (thread) => thread.frames.length);
    t.diagnostic(`${printed.size} threads of ${frames.join(', ')} frames`);
  });
}

/** A thread that went on between the one and the other is looked at again. */
function whileTheyWait(pid: number, layout: UnwindLayout) {
  for (let tries = 10; tries > 0; tries--) {
    const printed = printedThreads(pid);
    const unwound = unwoundThreads(pid, layout, [...printed.keys()]);
    if (isDeepStrictEqual(printedThreads(pid), printed)) return { printed, unwound };
  }
  return assert.fail('no two prints of the threads were alike');
}

/** Nobody runs for a moment: the compilers are done, too. */
function isIdle(pid: number): boolean {
  const ticks = () =>
    readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ')
      .slice(11, 13)
      .join();
  const before = ticks();
  const end = performance.now() + 300;
  while (performance.now() < end) if (ticks() !== before) return false;
  return true;
}
