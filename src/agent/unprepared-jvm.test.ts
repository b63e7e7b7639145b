/** JVMs that nobody prepared, by the agent as a process of its own: named whole, and nothing written into them. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { copyFileSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { basename } from 'node:path';
import { type TestContext, test } from 'node:test';
import { jdkHome } from '../jvm/testing/a-jvm.ts';
import type { SymbolMode } from '../wire/assignment.ts';
import type { Batch, PodWindow } from '../wire/batch-schema.ts';
import {
  type AgentOptions,
  aContainer,
  anAgent,
  anAssignment,
  collapsed,
  ended,
  firstProfiled,
  GRANTED,
} from './agent-fixture.ts';
import { aController, type FixtureController } from './controller-fixture.ts';
import { aDirectory, aJvm, eventually, JDKS, type JvmOptions, type RunningJvm } from './jvm-fixture.ts';

const UNTOUCHED: JvmOptions = { untouched: true, contained: true, program: 'Inlined' };

interface Watched {
  readonly controller: FixtureController;
  readonly jvm: RunningJvm;
  readonly agent: ReturnType<typeof anAgent>;
}

async function watched(
  t: TestContext,
  options: JvmOptions,
  symbols: SymbolMode = 'Auto',
  granted: AgentOptions = {},
): Promise<Watched> {
  const controller = await aController(t);
  const container = aContainer(t);
  const jvm = await aJvm(t, { ...options, cgroup: container.directory });
  controller.assignment = { ...anAssignment(container.id, true, symbols), windowMs: 2_000 };
  return { controller, jvm, agent: anAgent(t, controller, granted) };
}

/** A window of stacks of the worker, whose code is compiled by then. */
async function aSteadyWindow({ controller }: Watched): Promise<{ batch: Batch; pod: PodWindow }> {
  await eventually('a named window arrives', () => firstProfiled(controller) !== undefined);
  const first = controller.batches.length;
  await eventually('it is warm', () => controller.batches.length >= first + 2);
  const batch = controller.batches.at(-1);
  const pod = batch?.pods[0];
  assert(batch && pod);
  return { batch, pod };
}

function placesOfMethods(batch: Batch, pod: PodWindow): ReadonlyMap<string, ReadonlySet<string>> {
  const places = new Map<string, Set<string>>();
  for (const [stack] of pod.counts) {
    for (const [depth, name] of (batch.stacks[stack] ?? []).entries()) {
      const place = batch.places?.[stack]?.[depth] ?? 0;
      const ofMethod = places.get(batch.strings[name] ?? '') ?? new Set();
      if (place > 0) places.set(batch.strings[name] ?? '', ofMethod.add(batch.strings[place - 1] ?? ''));
    }
  }
  return places;
}

const exact = (name: string | undefined) => name?.replace(/_\[s\]$/, '');
/** Signals that the process handles itself, and what is its own in its /tmp. */
const traces = ({ facts, tmp }: RunningJvm) => ({
  caught: /^SigCgt:.*$/m.exec(readFileSync(`/proc/${facts.pid}/status`, 'utf8'))?.[0],
  files: readdirSync(tmp).filter((name) => new RegExp(`(^|\\D)${facts.nsPid}(\\D|$)`).test(name)),
});

/** The one that comes by pip lies where only root can reach it. */
const UNTOUCHED_JDKS: readonly JvmOptions[] = [
  ...JDKS.map((jdk) => ({ ...UNTOUCHED, jdk })),
  { ...UNTOUCHED, jdk: jdkHome(21), contained: false },
];

for (const options of UNTOUCHED_JDKS) {
  test(`${basename(options.jdk ?? '')} with default flags has whole stacks with inlined methods, and is not touched`, async (t) => {
    const container = await watched(t, options);
    const before = traces(container.jvm);

    const { batch, pod } = await aSteadyWindow(container);

    assert.deepEqual(
      [pod.jvm.state, pod.jvm.reason, pod.jvm.symbols, pod.jvm.leaf, pod.jvm.flags],
      ['Profiled', 'VmStructs', 'VmStructs', 'SafepointAccurate', []],
    );
    const worker = collapsed(batch, pod).filter(({ names }) =>
      names.some((name) => exact(name) === 'Inlined.count'),
    );
    const share = (matches: (names: readonly (string | undefined)[]) => boolean) => {
      const matching = worker.filter(({ names }) => matches(names));
      const sum = (stacks: typeof worker) => stacks.reduce((total, { count }) => total + count, 0);
      return sum(matching) / sum(worker);
    };
    const whole = (names: readonly (string | undefined)[]) => {
      const [middle, ...callers] = names.slice(names.lastIndexOf('Inlined.count') + 1);
      const run = callers.indexOf('java.lang.Thread.run');
      return (
        middle === 'Inlined.middle' &&
        callers.includes('Inlined.outer') &&
        run > 0 &&
        /\[libc\.so\.6\]$/.test(names.at(-1) ?? '')
      );
    };
    assert(share(whole) > 0.95, JSON.stringify(worker.filter(({ names }) => !whole(names)).slice(0, 3)));
    assert(
      share((names) => /^Inlined\.(inner|count)_\[s\]$/.test(names[0] ?? '')) > 0.3,
      'leaves are marked',
    );
    const hasSymbols = options.jdk !== jdkHome(21);
    assert(
      !hasSymbols || share((names) => names.includes('Thread::call_run [libjvm.so]')) > 0.95,
      "the JVM's own functions are named",
    );
    // as the program is written in jvm-fixture.ts: a method a line
    const places = placesOfMethods(batch, pod);
    // A frame that was between two bytecodes has its file alone.
    const linesOf = (method: string) =>
      [...(places.get(method) ?? [])].filter((place) => place.includes(':'));
    // One that was being entered or left has the nearest place there is, and says so.
    for (const [method, line] of [
      ['Inlined.middle', 5],
      ['Inlined.outer', 6],
    ] as const) {
      const lines = linesOf(method);
      assert(lines.includes(`Inlined.java:${line}`), lines.join(' '));
      assert(
        lines.every((each) => each.replace('~', '') === `Inlined.java:${line}`),
        lines.join(' '),
      );
    }
    assert(linesOf('Inlined.inner_[s]').every((line) => line === 'Inlined.java:~3'));
    assert.deepEqual([pod.losses.noUserStack, pod.losses.ringFull], [0, 0]);
    assert(
      pod.losses.truncated <= 0.02 * pod.samples,
      `${pod.losses.truncated} of ${pod.samples} samples have no root`,
    );
    const expected = (pod.cpuUsec / 1e6) * pod.hz;
    assert(Math.abs(pod.samples - expected) < 10 + 0.2 * expected, `${pod.samples} of ${expected} samples`);
    assert.deepEqual(traces(container.jvm), before);
    assert.doesNotMatch(container.jvm.output(), /Full thread dump/);
  });
}

test('with DebugNonSafepoints the leaf is exact, and no frame is marked; no grant to attach is needed', async (t) => {
  const flags = ['-XX:+UnlockDiagnosticVMOptions', '-XX:+DebugNonSafepoints'];
  const { batch, pod } = await aSteadyWindow(
    await watched(t, { ...UNTOUCHED, flags }, 'VmStructs', {
      env: { FLAMEGATE_ATTACH: 'false' },
      capabilities: GRANTED.filter((name) => !['chown', 'dac_override', 'kill'].includes(name)),
    }),
  );

  assert.deepEqual([pod.jvm.leaf, pod.jvm.flags], ['Exact', ['DebugNonSafepoints']]);
  assert(!batch.strings.some((name) => name.endsWith('_[s]')));
  assert(collapsed(batch, pod).some(({ names }) => names[0] === 'Inlined.inner'));
});

test('a sampler that changes its rate, the node’s or a container’s, keeps its JVMs, and each window has one rate', async (t) => {
  const container = await watched(t, UNTOUCHED);
  await aSteadyWindow(container);

  const { assignment } = container.controller;
  container.controller.assignment = assignment && { ...assignment, version: '2', frequencyHz: 49 };
  const slower = () => container.controller.batches.filter(({ pods }) => pods[0]?.hz === 49);
  await eventually('windows of the other rate arrive', () => slower().length >= 2);

  const batch = slower().at(-1);
  const pod = batch?.pods[0];
  assert(batch && pod);
  const named = collapsed(batch, pod).filter(({ names }) => names.includes('Inlined.middle'));
  assert(named.length > 0, JSON.stringify(collapsed(batch, pod).slice(0, 3)));
  assert.equal(pod.losses.unnamed, 0);

  const { containers = [] } = assignment ?? {};
  container.controller.assignment = assignment && {
    ...{ ...assignment, version: '3', frequencyHz: 49 },
    containers: containers.map((each) => ({ ...each, frequencyHz: 199 })),
  };
  const faster = () => container.controller.batches.filter(({ pods }) => pods[0]?.hz === 199);
  await eventually('windows of a raised rate arrive', () => faster().length >= 2);
  const raised = faster().at(-1)?.pods[0];
  assert(raised);
  const expected = (raised.cpuUsec / 1e6) * 199;
  assert(raised.samples > 0.4 * expected, `${raised.samples} of ${expected}`); // a quarter of them at 49 Hz
  const rates = new Set(container.controller.batches.map(({ pods }) => pods[0]?.hz));
  assert.deepEqual(rates, new Set([97, 49, 199]));
});

/** Maps a libjvm.so that is none of HotSpot's, as OpenJ9's is. */
async function aForeignVm(t: TestContext, symbols: SymbolMode) {
  const controller = await aController(t);
  const container = aContainer(t);
  const library = `${aDirectory(t)}/libjvm.so`;
  copyFileSync(realpathSync('/lib/x86_64-linux-gnu/libm.so.6'), library);
  const script = `echo $$ > ${container.directory}/cgroup.procs; exec env LD_PRELOAD=${library} sh -c 'while :; do :; done'`;
  const child = spawn('sh', ['-c', script]);
  t.after(() => ended(child, 'SIGKILL'));
  controller.assignment = { ...anAssignment(container.id, true, symbols), windowMs: 1_000 };
  anAgent(t, controller);
  const settled = () => controller.batches.at(-1)?.pods[0]?.jvm;
  await eventually('it is settled', () => !['Starting', undefined].includes(settled()?.state));
  assert.equal(child.exitCode, null, 'it runs on');
  return settled();
}

test('another VM is named in no way when only tables may be used, and says why', async (t) => {
  const jvm = await aForeignVm(t, 'VmStructs');

  assert.deepEqual([jvm?.state, jvm?.reason, jvm?.symbols], ['Partial', 'NotHotSpot', 'Partial']);
});

test('another VM is asked for a perf map otherwise, and both refusals are said', async (t) => {
  const jvm = await aForeignVm(t, 'Auto');

  assert.deepEqual([jvm?.state, jvm?.reason, jvm?.symbols], ['AttachFailed', 'SigquitNotCaught', 'Partial']);
  assert.match(jvm?.message ?? '', /the JVM's own tables: NotHotSpot: /);
});

test('a JVM that ends in mid-window keeps its names in that window, and is no longer unwound', async (t) => {
  const container = await watched(t, UNTOUCHED);
  await aSteadyWindow(container);

  process.kill(container.jvm.facts.pid, 'SIGKILL');
  const last = () => container.controller.batches.findLast(({ pods }) => (pods[0]?.samples ?? 0) > 0);
  await eventually('it is gone', () => container.controller.batches.at(-1)?.pods[0]?.samples === 0);

  const batch = last();
  const pod = batch?.pods[0];
  assert(batch && pod);
  assert(pod.losses.unnamed <= 0.02 * pod.samples, `${pod.losses.unnamed} of ${pod.samples} unnamed`);
  assert.equal(await ended(container.agent.child, 'SIGTERM'), 0);
});
