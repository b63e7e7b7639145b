/** The agent as a process of its own beside JVMs that wait, in containers' cgroups: what it says they wait for. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { checkBatch } from '../controller/ingest/check-batch.ts';
import { startJvm } from '../jvm/testing/a-jvm.ts';
import { kotlinClassPath } from '../jvm/testing/kotlin-classes.ts';
import { javaClassPath } from '../native/testing/java-classes.ts';
import type { WaitReason } from '../profile/waiting.ts';
import type { WaitingWindow } from '../profile/waiting-window.ts';
import type { Batch } from '../wire/batch-schema.ts';
import { aContainer, anAgent, anAssignment } from './agent-fixture.ts';
import { aController, type FixtureController } from './controller-fixture.ts';
import { aDirectory, eventually } from './jvm-fixture.ts';

interface Waited {
  readonly batch: Batch;
  readonly waiting: WaitingWindow;
}

/** A window of which the stacks have names: the first in which it was watched, or, as the second, watched all the time. */
async function waitedBy(t: TestContext, argv: readonly string[], window: 0 | 1): Promise<Waited> {
  const container = aContainer(t);
  const jvm = await startJvm(21, argv);
  t.after(() => jvm[Symbol.asyncDispose]());
  writeFileSync(`${container.directory}/cgroup.procs`, String(jvm.pid));
  const controller = await aController(t);
  const assignment = anAssignment(container.id);
  const containers = assignment.containers.map((each) => ({ ...each, offCpu: { leastMs: 1 } }));
  controller.assignment = { ...assignment, containers };
  anAgent(t, controller);
  await eventually('a window of waits by name', () => named(controller).length > window);
  return named(controller)[window] ?? assert.fail('no such window');
}

function named({ batches }: FixtureController): readonly Waited[] {
  return batches.flatMap((batch) => {
    const [pod] = batch.pods;
    if (pod?.jvm.state !== 'Profiled' || !pod.waiting || pod.waiting.counts.length === 0) return [];
    return [{ batch, waiting: pod.waiting }];
  });
}

/** Leaf first. */
const stacksIn = ({ batch, waiting }: Waited) =>
  waiting.counts.map(([stack, ns]) => ({
    frames: (batch.stacks[stack] ?? []).map((name) => batch.strings[name] ?? ''),
    ns,
  }));

function nsOf(waited: Waited, reason: WaitReason, method: string): number {
  const stacks = stacksIn(waited).filter(
    ({ frames }) => frames[0] === `[wait: ${reason}]` && frames.includes(method),
  );
  return stacks.reduce((sum, { ns }) => sum + ns, 0);
}

const WAITS = [
  ['sleep', 'inSleep'],
  ['park', 'inPark'],
  ['wait', 'inWait'],
  ['lock', 'inMonitor'],
  ['lock', 'inLock'],
  ['socket', 'inSocket'],
  ['file', 'inFile'],
] as const satisfies readonly (readonly [WaitReason, string])[];

test('each thread waits for what it waits for, in the function that does; a pool without work is idle', async (t) => {
  const file = `-Dwaits.file=${aDirectory(t)}/file`;
  const waited = await waitedBy(t, [file, '-cp', javaClassPath('Waits.java'), 'Waits'], 1);

  const seconds = (waited.batch.endMs - waited.batch.startMs) / 1000;
  const told = WAITS.map(
    ([reason, method]) => [method, nsOf(waited, reason, `Waits.${method}`) / 1e9 / seconds] as const,
  );
  t.diagnostic(told.map(([method, threads]) => `${method} ${threads.toFixed(2)}`).join(', '));
  for (const [method, threads] of told) assert(threads > 0 && threads < 2, `${method}: ${threads} threads`);
  const idle = stacksIn(waited).filter(({ frames }) => frames[0] === '[wait: idle]');
  assert.deepEqual(
    idle.map(({ frames }) => frames),
    [['[wait: idle]']],
  );
  assert((idle[0]?.ns ?? 0) > 2e9 * seconds, 'four threads without work, and some of the JVM');
  assert.deepEqual(waited.waiting.blocked, []);
  assert.equal(waited.waiting.state, 'Seen');
  assert.deepEqual(checkBatch(waited.batch).pods[0]?.waiting, waited.waiting);
});

test('a call that blocks a thread of Dispatchers.Default is found, with who calls it; on IO it is none', async (t) => {
  const waited = await waitedBy(t, ['-cp', kotlinClassPath('Blocking.kt'), 'blocking.BlockingKt'], 0);

  const { blocked } = waited.waiting;
  assert.deepEqual(
    blocked.map(({ call, caller, reason }) => ({ call, caller, reason })),
    [{ call: 'java.lang.Thread.sleep', caller: 'blocking.Codec.encode', reason: 'sleep' }],
  );
  const [{ stack = [], ns = 0 } = {}] = blocked;
  assert(stack.includes('blocking.BlockingKt.checkout'), stack.join('\n'));
  assert(!stack.includes('kotlinx.coroutines.internal.LimitedDispatcher$Worker.run'));
  const onIo = stacksIn(waited).filter(({ frames }) =>
    frames.includes('kotlinx.coroutines.internal.LimitedDispatcher$Worker.run'),
  );
  const ioNs = onIo.reduce((sum, each) => sum + each.ns, 0);
  t.diagnostic(`on Default ${(ns / 1e9).toFixed(2)} s, on IO ${(ioNs / 1e9).toFixed(2)} s`);
  assert(ioNs > 0, 'the same calls on IO are seen');
});
