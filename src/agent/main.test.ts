/** The agent as a process of its own: real BPF, a real JVM in a real cgroup, a real TLS server. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { Ajv } from 'ajv';
import type { Assignment } from '../wire/assignment.ts';
import { Batch, type PodWindow } from '../wire/batch-schema.ts';
import { aController, type FixtureController } from './controller-fixture.ts';
import { aDirectory, aJvm, eventually } from './jvm-fixture.ts';

const WINDOW_MS = 5_000;

interface RunningAgent {
  readonly child: ChildProcess;
  readonly spool: string;
  output(): string;
  get(path: string): Promise<{ status: number; text: string }>;
}

/** What the DaemonSet grants; the agent under test has no more. */
const GRANTED = ['bpf', 'perfmon', 'sys_ptrace', 'dac_read_search', 'chown', 'dac_override', 'kill'];

interface AgentOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly capabilities?: readonly string[];
}

function anAgent(t: TestContext, controller: FixtureController, options: AgentOptions = {}): RunningAgent {
  const { env = {}, capabilities = GRANTED } = options;
  const spool = env['FLAMEGATE_SPOOL'] ?? aDirectory(t);
  const only = `-all${capabilities.map((name) => `,+${name}`).join('')}`;
  const agent = [process.execPath, `${import.meta.dirname}/main.ts`];
  const child = spawn('setpriv', ['--bounding-set', only, '--inh-caps', '-all', '--', ...agent], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      ...process.env,
      ...{ NODE_NAME: 'n1', FLAMEGATE_CONTROLLER: controller.url.href, FLAMEGATE_SPOOL: spool },
      ...{ FLAMEGATE_CA_FILE: controller.caFile, FLAMEGATE_TOKEN_FILE: controller.tokenFile },
      ...{
        FLAMEGATE_CGROUP_ROOT: '/sys/fs/cgroup',
        FLAMEGATE_HTTP_PORT: '0',
        FLAMEGATE_ATTACH: 'true',
        ...env,
      },
    },
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  t.after(() => ended(child, 'SIGKILL'));
  const get = async (path: string) => {
    await eventually('the agent listens', () => output.includes('"port"'));
    const answer = await fetch(`http://127.0.0.1:${/"port":(\d+)/.exec(output)?.[1]}${path}`);
    return { status: answer.status, text: await answer.text() };
  };
  return { child, spool, output: () => output, get };
}

async function ended(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  const exit = new Promise<number | null>((resolve) => child.once('exit', resolve));
  child.kill(signal);
  return exit;
}

/** A container's cgroup, nested as a node of the test cluster nests it. */
function aContainer(t: TestContext, mount = v2Mount()): { id: string; directory: string } {
  const node = `${mount}/flamegate-agent-test-${process.pid}`;
  const id = Array.from({ length: 64 }, () => Math.floor(Math.random() * 16).toString(16)).join('');
  const parts = ['kubepods', 'burstable', 'podaaaa', id];
  const directory = [node, ...parts].join('/');
  mkdirSync(directory, { recursive: true });
  t.after(async () => {
    for (const pid of readFileSync(`${directory}/cgroup.procs`, 'utf8').split('\n').slice(0, -1)) {
      process.kill(Number(pid), 'SIGKILL');
    }
    for (let kept = parts.length; kept >= 0; kept--) {
      const path = [node, ...parts.slice(0, kept)].join('/');
      await eventually(`${path} is empty`, () => removed(path));
    }
  });
  return { id, directory };
}

function v2Mount(): string {
  return /^\S+ (\S+) cgroup2 /m.exec(readFileSync('/proc/self/mounts', 'utf8'))?.[1] ?? '';
}

function v1Mount(controller: string): string {
  return (
    new RegExp(`^\\S+ (\\S+/${controller}) cgroup `, 'm').exec(
      readFileSync('/proc/self/mounts', 'utf8'),
    )?.[1] ?? ''
  );
}

function removed(path: string): boolean {
  try {
    rmdirSync(path);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ENOENT';
  }
}

function anAssignment(containerId: string, gated = true): Assignment {
  const container = { namespace: 'shop', pod: 'orders-1', podUid: 'aaaa', container: 'app', containerId };
  const containers = [{ ...container, startedAtMs: Date.now(), gated }];
  return { version: '1', store: 'store-of-the-test', windowMs: WINDOW_MS, frequencyHz: 97, containers };
}

const collapsed = (batch: Batch, pod: PodWindow) =>
  pod.counts.map(([stack, count]) => ({
    names: (batch.stacks[stack] ?? []).map((name) => batch.strings[name]),
    count,
  }));

const firstProfiled = ({ batches }: FixtureController) =>
  batches.find((batch) => batch.pods[0]?.jvm.state === 'Profiled');

test('a busy JVM arrives with the name of its method and as many samples as it used CPU', async (t) => {
  const controller = await aController(t);
  const container = aContainer(t);
  const env = { JAVA_TOOL_OPTIONS: '-Dpassword=secret' };
  const jvm = await aJvm(t, { cgroup: container.directory, contained: true, env });
  controller.assignment = anAssignment(container.id);
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
