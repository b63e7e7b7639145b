/** Mode Live by the agent as a process of its own, with what the DaemonSet grants it. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { LIVE_FLAG } from '../jvm/live-flag.ts';
import { aJvm as aWaitingJvm, hotspotOf, jdkHome, RELEASES, type Release } from '../jvm/testing/a-jvm.ts';
import { loadedLibjvm, openMemory } from '../jvm/testing/process-memory.ts';
import { readFlags } from '../jvm/vm-flags.ts';
import type { PodWindow } from '../wire/batch-schema.ts';
import { type AgentOptions, aContainer, anAgent, anAssignment, ended } from './agent-fixture.ts';
import { aController } from './controller-fixture.ts';
import { aDirectory, eventually } from './jvm-fixture.ts';
import { LATE_MS } from './live-attempt.ts';
import { ageMs, readProcessFacts } from './process-facts.ts';

const ALLOWED = { FLAMEGATE_LIVE: 'true' };
const LIVE = [{ podUid: 'aaaa', container: 'app' }];

interface Scene {
  /** Starts a JVM in the pod, in a container of that name, by way of a shell; returns its pid. */
  start(container?: string): Promise<number>;
  startAgent(options?: AgentOptions): ReturnType<typeof anAgent>;
  /** The agent is through with its own start, sees execs, and has the time to meet somebody. */
  readiness(agent: ReturnType<typeof anAgent>): Promise<void>;
  /** What the agent says of the JVM; undefined before it has said anything. */
  said(): PodWindow['jvm'] | undefined;
}

async function aScene(t: TestContext, release: Release): Promise<Scene> {
  const controller = await aController(t);
  const { id, directory } = aContainer(t);
  const { classes } = await aWaitingJvm(t, release); // compiles the program
  const node = dirname(dirname(dirname(dirname(directory))));
  controller.assignment = { ...anAssignment(id), windowMs: 1_000, live: LIVE };
  return {
    async start(container = 'app') {
      // as the kubelet mounts it: that is how the container's name is known
      const mounted = aDirectory(t);
      const kept = `${mounted}/pods/aaaa/containers/${container}`;
      mkdirSync(kept, { recursive: true });
      for (const file of [`${kept}/0`, `${mounted}/termination-log`]) writeFileSync(file, '');
      const cgroup = container === 'app' ? directory : `${dirname(directory)}/${container}`;
      mkdirSync(cgroup, { recursive: true });
      const java = `${jdkHome(release)}/bin/java -Xmx32m -cp ${classes} Waiting`;
      const inside = `mount --bind ${kept}/0 ${mounted}/termination-log; exec ${java}`;
      const script = `echo $$ > ${cgroup}/cgroup.procs; exec unshare -m sh -c '${inside}'`;
      const child = spawn('sh', ['-c', script], { stdio: ['pipe', 'pipe', 'inherit'] });
      t.after(() => ended(child, 'SIGKILL'));
      await new Promise((resolve) => child.stdout.once('data', resolve));
      return child.pid ?? 0;
    },
    startAgent({ env = {}, ...options } = {}) {
      return anAgent(t, controller, { ...options, env: { FLAMEGATE_CGROUP_ROOT: node, ...env } });
    },
    async readiness({ output }) {
      await eventually('execs are watched', () => output().includes('execs of pods are watched'));
      await eventually('a first window is there', () => controller.batches.length >= 2);
    },
    said: () => controller.batches.at(-1)?.pods[0]?.jvm,
  };
}

function flagIn(pid: number): { on: boolean; origin: string } | undefined {
  using memory = openMemory(pid);
  const libjvm = loadedLibjvm(pid) ?? assert.fail('no libjvm');
  const { structs } = hotspotOf({ read: memory.read, libjvm });
  return readFlags(memory.read, structs, [LIVE_FLAG])?.get(LIVE_FLAG);
}

async function told(scene: Scene, { output }: ReturnType<typeof anAgent>): Promise<void> {
  const isTold = () => scene.said()?.live !== undefined;
  await eventually('the agent says so', isTold).catch((error: unknown) => {
    assert.fail(`${String(error)}; it last said ${JSON.stringify(scene.said())}; ${output().slice(-2_000)}`);
  });
}

const watches = ({ output }: ReturnType<typeof anAgent>) => output().includes('execs of pods are watched');

for (const release of RELEASES) {
  test(`JDK ${release}: a JVM that starts in such a pod has the flag, and its pod says so`, async (t) => {
    const scene = await aScene(t, release);
    const agent = scene.startAgent({ env: ALLOWED });
    await scene.readiness(agent);

    const pid = await scene.start();

    await told(scene, agent);
    await eventually('it is named', () => scene.said()?.leaf !== undefined);
    const { live, flags, leaf } = scene.said() ?? {};
    assert.deepEqual([live?.state, live?.reason], ['Set', 'Set']);
    assert.deepEqual([flags, leaf], [[LIVE_FLAG], 'Exact']);
    assert((live?.ageMs ?? 0) > 0 && (live?.atMs ?? 0) > 0);
    const flag = flagIn(pid);
    assert.deepEqual([flag?.on, flag?.origin], [true, 'DEFAULT']);
    const metrics = await agent.get('/metrics');
    assert.match(metrics.text, /^flamegate_agent_live_jvms_total\{state="Set",reason="Set"\} 1$/m);
    assert.equal(await ended(agent.child, 'SIGTERM'), 0);
  });
}

test('a JVM that ran before the agent came is too old, and stays as it is', async (t) => {
  const scene = await aScene(t, 25);
  const pid = await scene.start();
  const facts = readProcessFacts('/proc', pid) ?? assert.fail();
  while (ageMs('/proc', facts) < LATE_MS) await delay(50);

  const agent = scene.startAgent({ env: ALLOWED });

  await told(scene, agent);
  const { live, flags } = scene.said() ?? {};
  assert.deepEqual([live?.state, live?.reason, flags], ['TooLate', 'JvmTooOld', []]);
  assert.equal(flagIn(pid)?.on, false);
});

test('what the install does not grant is not done, and said; nothing is watched for it', async (t) => {
  const scene = await aScene(t, 17);
  const agent = scene.startAgent();
  const pid = await scene.start();

  await told(scene, agent);

  assert.deepEqual([scene.said()?.live?.state, scene.said()?.live?.reason], ['Refused', 'LiveNotGranted']);
  assert.equal(flagIn(pid)?.on, false);
  assert(!watches(agent));
});

test('where execs cannot be seen, JVMs are looked for, and met as well', async (t) => {
  const scene = await aScene(t, 21);
  const agent = scene.startAgent({ env: { ...ALLOWED, FLAMEGATE_EXEC_OBJECT: '/nowhere/exec.bpf.o' } });
  await eventually('execs are not watched', () => agent.output().includes('execs of pods cannot be watched'));

  const pid = await scene.start();

  await told(scene, agent);
  const live = scene.said()?.live;
  assert(live?.state === 'Set' || live?.state === 'TooLate', live?.message); // as fast as the machine is
  assert.equal(flagIn(pid)?.on, live.state === 'Set');
});

test('a JVM of another container of the pod is nobody’s business', async (t) => {
  const scene = await aScene(t, 17);
  const agent = scene.startAgent({ env: ALLOWED });
  await scene.readiness(agent);

  const other = await scene.start('sidecar');
  const pid = await scene.start();
  await eventually('the other one is met', () => agent.output().includes(`"pid":${pid},"state":"Set"`));

  assert.equal(flagIn(other)?.on, false);
  assert(!agent.output().includes(`"pid":${other},"state"`));
  assert.match(readFileSync(`/proc/${other}/cgroup`, 'utf8'), /podaaaa/);
});
