/** Coroutines of JVMs that nobody prepared, by the agent as a process of its own: with their callers, or without. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { type Release, startJvm } from '../jvm/testing/a-jvm.ts';
import { kotlinClassPath } from '../jvm/testing/kotlin-classes.ts';
import type { Batch, PodWindow } from '../wire/batch-schema.ts';
import { aContainer, anAgent, anAssignment, collapsed, firstProfiled } from './agent-fixture.ts';
import { aController } from './controller-fixture.ts';
import { eventually } from './jvm-fixture.ts';

const CHECKOUT = ['suspend resumed.Orders.checkout_[a]', 'suspend resumed.Orders.handle_[a]'];

/** Where they call what they wait for, in test/jvm/Resumed.kt. */
const CALLED_AT = [['Resumed.kt:76'], ['Resumed.kt:71']];

/** Where the functions stood, each place once. */
function placesOf({ strings, stacks, places }: Batch, { counts }: PodWindow, functions: readonly string[]) {
  const found = counts.flatMap(([stack]) =>
    (stacks[stack] ?? []).map((name, depth) => ({
      name: strings[name] ?? '',
      place: strings[(places?.[stack]?.[depth] ?? 0) - 1] ?? '',
    })),
  );
  return functions.map((name) => [
    ...new Set(found.filter((frame) => frame.name === name).map(({ place }) => place)),
  ]);
}

/** Stacks of a window of test/jvm/Resumed.kt, and the page of the agent's figures. */
async function aWindow(t: TestContext, release: Release, env: Readonly<Record<string, string>>) {
  const controller = await aController(t);
  const container = aContainer(t);
  const flags = ['-XX:+UseSerialGC', '-cp', kotlinClassPath('Resumed.kt')];
  const jvm = await startJvm(release, [...flags, 'resumed.ResumedKt', 'all']);
  t.after(() => jvm[Symbol.asyncDispose]());
  writeFileSync(`${container.directory}/cgroup.procs`, String(jvm.pid));
  controller.assignment = { ...anAssignment(container.id), windowMs: 2_000 };
  const agent = anAgent(t, controller, { env });
  await eventually('a named window arrives', () => firstProfiled(controller) !== undefined);
  const first = controller.batches.length;
  await eventually('it is warm', () => controller.batches.length >= first + 3);
  const batch = controller.batches.at(-1);
  const pod = batch?.pods[0];
  assert(batch && pod);
  const waited = placesOf(batch, pod, CHECKOUT);
  return {
    waited,
    stacks: collapsed(batch, pod).map(({ names }) => names),
    metrics: await agent.get('/metrics'),
  };
}

for (const release of [17, 25] as const) {
  test(`JDK ${release}: a coroutine that was resumed stands below its suspended callers`, async (t) => {
    const { stacks, waited, metrics } = await aWindow(t, release, {});

    const chained = stacks.filter((names) => CHECKOUT.every((name) => names.includes(name)));
    assert(chained.length > 0, JSON.stringify(stacks.slice(0, 5)));
    for (const names of chained) {
      const at = names.indexOf(CHECKOUT[0]);
      assert.deepEqual(names.slice(at, at + 2), CHECKOUT);
      assert(names.indexOf('[launch]') > at);
      assert(names.lastIndexOf('kotlin.coroutines.jvm.internal.BaseContinuationImpl.resumeWith') > at);
    }
    assert.deepEqual(waited, CALLED_AT);
    assert(!stacks.some((names) => names.includes('[suspended]')), 'every class has its name');
    assert.match(metrics.text, /coroutines_resumed_total\{outcome="chain"\} [1-9]/);
  });
}

test('where coroutines are not to be followed, no stack has suspended callers', async (t) => {
  const { stacks, metrics } = await aWindow(t, 17, { FLAMEGATE_COROUTINES: 'false' });

  assert(stacks.some((names) => names.some((name) => name?.startsWith('resumed.'))));
  assert(!stacks.some((names) => names.some((name) => name?.endsWith('_[a]'))));
  assert.doesNotMatch(metrics.text, /outcome="chain"/);
});
