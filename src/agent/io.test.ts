/** The agent as a process of its own beside a JVM that syncs too often, in a container's cgroup: what it says of that. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { checkBatch } from '../controller/ingest/check-batch.ts';
import { startJvm } from '../jvm/testing/a-jvm.ts';
import { javaClassPath } from '../native/testing/java-classes.ts';
import type { IoKind, IoWindow } from '../profile/io-window.ts';
import type { Batch } from '../wire/batch-schema.ts';
import { aContainer, anAgent, anAssignment } from './agent-fixture.ts';
import { aController, type FixtureController } from './controller-fixture.ts';
import { aDirectory, eventually } from './jvm-fixture.ts';

interface Seen {
  readonly batch: Batch;
  readonly io: IoWindow;
}

async function aJournal(t: TestContext): Promise<string> {
  const container = aContainer(t);
  const directory = `-Djournal.directory=${aDirectory(t)}`;
  const jvm = await startJvm(21, [directory, '-cp', javaClassPath('Journal.java'), 'Journal']);
  t.after(() => jvm[Symbol.asyncDispose]());
  writeFileSync(`${container.directory}/cgroup.procs`, String(jvm.pid));
  return container.id;
}

async function anAskedAgent(t: TestContext, containerId: string) {
  const controller = await aController(t);
  const assignment = anAssignment(containerId);
  const containers = assignment.containers.map((each) => ({ ...each, io: { leastMs: 1_000 } }));
  controller.assignment = { ...assignment, containers };
  return { controller, agent: anAgent(t, controller) };
}

const windowsOf = ({ batches }: FixtureController): readonly Seen[] =>
  batches.flatMap((batch) => batch.pods.flatMap(({ io }) => (io === undefined ? [] : [{ batch, io }])));

test('the function that syncs a file too often is named, and all that is read and written counted', async (t) => {
  const { controller, agent } = await anAskedAgent(t, await aJournal(t));
  const whole = () => windowsOf(controller).find(({ io }) => io.counts.length > 0);
  await eventually('a window of syncs by name', () => whole() !== undefined);
  const { batch, io } = whole() ?? assert.fail('no such window');

  const [worst, ...more] = io.functions;
  assert.deepEqual(more, []);
  assert.deepEqual(
    [worst?.call, worst?.caller, worst?.kind],
    ['sun.nio.ch.FileChannelImpl.force', 'Journal.append', 'fileSync'],
  );
  const of = (kind: IoKind) => io.totals.find((total) => total.kind === kind) ?? assert.fail(`no ${kind}`);
  const [synced, read, written] = [of('fileSync'), of('fileRead'), of('fileWrite')];
  t.diagnostic(
    `${worst?.calls} of ${synced.calls} syncs; lost ${io.lost.calls}; read ${read.calls}, wrote ${written.calls}`,
  );
  assert(synced.calls > 100 && read.calls > 100 && written.calls > 200);
  assert(read.bytes >= 1024 * read.calls * 0.9, 'a kilobyte each, but for what the JVM reads of itself');
  const all = (worst?.calls ?? 0) + io.lost.calls;
  assert(all > 0.4 * synced.calls && all < 2.5 * synced.calls, `${all} of ${synced.calls}`);
  const stacks = io.counts.map(([stack]) => (batch.stacks[stack] ?? []).map((name) => batch.strings[name]));
  assert(stacks.every((frames) => frames[0] === '[file sync]'));
  assert(stacks.some((frames) => frames.includes('Journal.append')));
  assert.deepEqual([io.state, io.unseen, io.leastMs], ['Seen', 0, 1_000]);
  assert.deepEqual(checkBatch(batch).pods[0]?.io, io);

  const { text } = await agent.get('/metrics');
  assert.match(
    text,
    /flamegate_io_bytes_total\{[^}]*k8s_pod_name="orders-1"[^}]*kind="fileWrite"[^}]*\} [1-9]/,
  );
});
