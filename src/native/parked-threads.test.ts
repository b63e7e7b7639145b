/** Ground truth: what the JVM itself prints of its threads that wait. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { hotspotOf, RELEASES } from '../jvm/testing/a-jvm.ts';
import { eventually } from './sampler-fixture.ts';
import { printedThreads, unwoundThreads } from './testing/stopped-threads.ts';
import { startShapes } from './testing/unwound-jvm.ts';

for (const release of RELEASES) {
  test(`JDK ${release}: threads that wait have the frames and lines that the JVM prints`, async (t) => {
    const jvm = await startShapes(t, release, ['parked', 'waiting']);
    const { layout } = hotspotOf(jvm);
    await eventually('the warm thread waits for ever', () => isIdle(jvm.pid));

    const printed = printedThreads(jvm.pid);
    const unwound = unwoundThreads(jvm.pid, layout, [...printed.keys()]);

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
