/** The agent as a process of its own: real BPF, a real JVM in a real cgroup, a real TLS server. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { Ajv } from 'ajv';
import { Batch } from '../wire/batch-schema.ts';
import {
  aContainer,
  anAgent,
  anAssignment,
  collapsed,
  ended,
  firstProfiled,
  GRANTED,
  v1Mount,
  WINDOW_MS,
} from './agent-fixture.ts';
import { aController } from './controller-fixture.ts';
import { aDirectory, aJvm, eventually } from './jvm-fixture.ts';

test('by a perf map, a busy JVM arrives with the name of its method and as many samples as it used CPU', async (t) => {
  const controller = await aController(t);
  const container = aContainer(t);
  const env = { JAVA_TOOL_OPTIONS: '-Dpassword=secret' };
  const jvm = await aJvm(t, { cgroup: container.directory, contained: true, env });
  controller.assignment = anAssignment(container.id, true, 'PerfMap');
  const agent = anAgent(t, controller);

  await eventually('a named window arrives', () => firstProfiled(controller) !== undefined);
  const batch = firstProfiled(controller);
  const pod = batch?.pods[0];
  assert(batch && pod);

  assert.deepEqual(
    [batch.startMs % WINDOW_MS, batch.endMs - batch.startMs, batch.node],
    [0, WINDOW_MS, 'n1'],
  );
  const valid = new Ajv().compile(Batch);
  assert(valid(batch), JSON.stringify(valid.errors));
  assert.match(pod.jvm.jdk, /^17\./);
  assert.deepEqual(pod.jvm.flags, ['PreserveFramePointer']);
  assert.deepEqual(pod.jvm.environment, ['JAVA_TOOL_OPTIONS']);
  assert.deepEqual([pod.jvm.reason, pod.jvm.symbols, pod.jvm.leaf], ['PerfMap', 'PerfMap', undefined]);
  assert.doesNotMatch(JSON.stringify(batch), /secret/);
  const named = collapsed(batch, pod).filter(({ names }) => names.includes('Busy.encodeSlowly'));
  const counted = named.reduce((total, { count }) => total + count, 0);
  assert(counted > 0.8 * pod.samples, `${counted} of ${pod.samples} samples`);
  const expected = (pod.cpuUsec / 1e6) * pod.hz;
  assert(
    Math.abs(pod.samples - expected) < 10 + 0.2 * expected,
    `${pod.samples} samples, ${expected} expected`,
  );
  assert(!readdirSync(jvm.tmp).some((name) => name.startsWith('perf-') || name.startsWith('.attach_pid')));

  assert.equal((await agent.get('/readyz')).status, 200);
  assert.match((await agent.get('/metrics')).text, /flamegate_agent_jvms 1\n/);
  const before = controller.batches.length;
  assert.equal(await ended(agent.child, 'SIGTERM'), 0);
  assert(controller.batches.length > before, 'the last window was pushed');
});

test('a restarted agent goes on without the controller, and a container without JVM says so', async (t) => {
  const controller = await aController(t);
  const container = aContainer(t);
  const shell = spawn('sh', ['-c', `echo $$ > ${container.directory}/cgroup.procs; while :; do :; done`]);
  t.after(() => ended(shell, 'SIGKILL'));
  const spool = aDirectory(t);
  writeFileSync(
    `${spool}/assignment.json`,
    JSON.stringify({ ...anAssignment(container.id, false), windowMs: 1_000 }),
  );
  const agent = anAgent(t, controller, { env: { FLAMEGATE_SPOOL: spool } });

  await eventually('windows arrive', () =>
    controller.batches.some(({ pods }) => (pods[0]?.samples ?? 0) > 0),
  );

  const pod = controller.batches.at(-1)?.pods[0];
  assert(pod);
  assert.deepEqual(pod.counts, [], 'no gate compares it');
  await eventually(
    'it is old enough to be sure',
    () => controller.batches.at(-1)?.pods[0]?.jvm.state === 'NoJvm',
  );
  assert.equal((await agent.get('/healthz')).status, 200);
});

for (const [lacking, code] of [
  ['bpf', 'BPF_NOT_PERMITTED'],
  ['perfmon', 'BPF_NOT_PERMITTED'],
] as const) {
  test(`an agent without CAP_${lacking.toUpperCase()} stays up and says so, on /readyz and at the pod`, async (t) => {
    const controller = await aController(t);
    const container = aContainer(t);
    await aJvm(t, { cgroup: container.directory });
    controller.assignment = { ...anAssignment(container.id), windowMs: 1_000 };
    const agent = anAgent(t, controller, { capabilities: GRANTED.filter((name) => name !== lacking) });

    await eventually('the pod has the code', () =>
      controller.batches.some(({ pods }) => pods[0]?.jvm.message.startsWith(`${code}: `) === true),
    );

    const ready = await agent.get('/readyz');
    assert.equal(ready.status, 503);
    assert(ready.text.startsWith(`${code}: `), ready.text);
    assert.equal((await agent.get('/healthz')).status, 200);
  });
}

test('on a node without cgroup v2 processes are followed instead', async (t) => {
  const controller = await aController(t);
  const root = aDirectory(t);
  const container = aContainer(t, v1Mount('cpuacct'));
  symlinkSync(v1Mount('cpuacct'), `${root}/cpuacct`);
  await aJvm(t, { cgroup: container.directory });
  controller.assignment = anAssignment(container.id);
  const agent = anAgent(t, controller, { env: { FLAMEGATE_CGROUP_ROOT: root } });

  await eventually('a named window arrives', () => firstProfiled(controller) !== undefined);
  const pod = firstProfiled(controller)?.pods[0];
  assert(pod);

  assert.match(agent.output(), /"filter":"pid"/);
  const expected = (pod.cpuUsec / 1e6) * pod.hz;
  assert(
    Math.abs(pod.samples - expected) < 10 + 0.2 * expected,
    `${pod.samples} samples, ${expected} expected`,
  );
});

test('a wrong setting ends the agent with the name of the variable', async (t) => {
  const controller = await aController(t);
  const agent = anAgent(t, controller, { env: { FLAMEGATE_CONTROLLER: 'http://insecure' } });

  await eventually('it ended', () => agent.child.exitCode !== null);

  assert.equal(agent.child.exitCode, 1);
  assert.match(agent.output(), /AGENT_CONFIG_INVALID.*FLAMEGATE_CONTROLLER is .*not an https URL/);
});

test('an agent whose health cannot be asked for ends, whatever it was told to watch before', async (t) => {
  const controller = await aController(t);
  const spool = aDirectory(t);
  const kept = { ...anAssignment('c'.repeat(64)), live: [{ podUid: 'aaaa', container: 'app' }] };
  writeFileSync(`${spool}/assignment.json`, JSON.stringify(kept));
  const env = { FLAMEGATE_HTTP_PORT: controller.url.port, FLAMEGATE_SPOOL: spool, FLAMEGATE_LIVE: 'true' };
  const agent = anAgent(t, controller, { env });

  await eventually('it ended', () => agent.child.exitCode !== null);

  assert.equal(agent.child.exitCode, 1);
  assert.match(agent.output(), /EADDRINUSE/);
});
