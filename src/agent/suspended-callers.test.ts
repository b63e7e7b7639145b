/** Coroutines of JVMs that nobody prepared, by the agent as a process of its own: with their callers, or without. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { type Release, startJvm } from '../jvm/testing/a-jvm.ts';
import { kotlinClassPath } from '../jvm/testing/kotlin-classes.ts';
import type { Batch, PodWindow } from '../wire/batch-schema.ts';
import { aContainer, anAgent, anAssignment, collapsed, firstProfiled } from './agent-fixture.ts';
import { aController } from './controller-fixture.ts';
import { eventually } from './jvm-fixture.ts';

const CHECKOUT = ['suspend resumed.Orders.checkout_[a]', 'suspend resumed.Orders.handle_[a]'];

/** Where they call what they wait for. */
const CALLED_AT = [[placeOf('price(n)')], [placeOf('checkout(n)')]];

function placeOf(call: string): string {
  const source = readFileSync(new URL('../../test/jvm/Resumed.kt', import.meta.url), 'utf8');
  return `Resumed.kt:${source.split('\n').findIndex((line) => line.endsWith(`= ${call}`)) + 1}`;
}

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

interface Circumstances {
  readonly env?: Readonly<Record<string, string>>;
  readonly collector?: string;
}

/** Stacks of a window of test/jvm/Resumed.kt, and the page of the agent's figures. */
async function aWindow(
  t: TestContext,
  release: Release,
  { env = {}, collector = '-XX:+UseSerialGC' }: Circumstances = {},
) {
  const controller = await aController(t);
  const container = aContainer(t);
  const flags = [collector, '-cp', kotlinClassPath('Resumed.kt', 'SuspendFunctionGun.kt')];
  const jvm = await startJvm(release, [...flags, 'resumed.ResumedKt', '0']);
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
  const stacks = collapsed(batch, pod).map(({ names }) => names);
  const waited = placesOf(batch, pod, CHECKOUT);
  return { stacks, waited, told: pod.jvm, metrics: await agent.get('/metrics') };
}

for (const release of [17, 25] as const) {
  test(`JDK ${release}: a coroutine that was resumed stands below its suspended callers`, async (t) => {
    const { stacks, waited, told, metrics } = await aWindow(t, release);

    assert.equal(told.coroutines, 'Chains');
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
  const { stacks, told, metrics } = await aWindow(t, 17, { env: { FLAMEGATE_COROUTINES: 'false' } });

  assert.equal(told.coroutines, 'Off');
  assert(stacks.some((names) => names.some((name) => name?.startsWith('resumed.'))));
  assert(!stacks.some((names) => names.some((name) => name?.endsWith('_[a]'))));
  assert.doesNotMatch(metrics.text, /outcome="chain"/);
});

for (const [collector, name] of [
  ['-XX:+UseZGC', 'ZGC'],
  ['-XX:+UseShenandoahGC', 'Shenandoah'],
] as const) {
  test(`where ${name} moves objects at any time, no stack has suspended callers, and the report says why`, async (t) => {
    const { stacks, told } = await aWindow(t, 25, { collector });

    assert.deepEqual([told.state, told.coroutines, told.coroutinesReason], ['Profiled', 'Unsupported', name]);
    assert(stacks.some((names) => names.some((each) => each?.startsWith('resumed.'))));
    assert(!stacks.some((names) => names.some((each) => each?.endsWith('_[a]'))));
  });
}
