/** The controller as a process of its own, on a real API server, with a settings file that changes as a ConfigMap does. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import type { ProfilingPolicy } from '../../src/crds/profiling-policy.ts';
import { API_VERSION } from '../../src/crds/schema.ts';
import { findCondition } from '../../src/kube/conditions.ts';
import { killed } from '../bare/api-server.ts';
import { eventually } from '../cluster/cluster.ts';
import { client, dropNamespace, installKinds, makeNamespace } from './support/api-server.ts';

const SYSTEM = `flamegate-settings-${process.pid}`;
const AGENTS = `flamegate-settings-agents-${process.pid}`;
const policies = { apiVersion: API_VERSION, plural: 'profilingpolicies', namespace: SYSTEM };
const directory = mkdtempSync(join(tmpdir(), 'flamegate-settings-'));
const file = join(directory, 'settings.yaml');
let version = 0;

/** As the kubelet writes a ConfigMap: into a new directory, to which a link is then moved. */
function swap(text: string): void {
  const data = `..${++version}`;
  mkdirSync(join(directory, data));
  writeFileSync(join(directory, data, 'settings.yaml'), text);
  symlinkSync(data, join(directory, '..data_tmp'));
  renameSync(join(directory, '..data_tmp'), join(directory, '..data'));
}

interface Running {
  readonly child: ChildProcess;
  output(): string;
}

function startController(t: TestContext): Running {
  const child = spawn(process.execPath, [new URL('../../src/controller/main.ts', import.meta.url).pathname], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      ...process.env,
      ...{ KUBECONFIG: process.env['FLAMEGATE_TEST_KUBECONFIG'], FLAMEGATE_SETTINGS: file },
      ...{ POD_NAMESPACE: SYSTEM, POD_NAME: 'settings-test', FLAMEGATE_AGENTS_NAMESPACE: AGENTS },
      ...{ FLAMEGATE_HTTP_PORT: '0', FLAMEGATE_HTTPS_PORT: '0', FLAMEGATE_DATA_DIR: join(directory, 'data') },
    },
  });
  t.after(() => killed(child));
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  return { child, output: () => output };
}

const ended = ({ child }: Running): Promise<number | null> =>
  child.exitCode === null
    ? new Promise((resolve) => child.once('exit', resolve))
    : Promise.resolve(child.exitCode);

before(async () => {
  await installKinds();
  for (const namespace of [SYSTEM, AGENTS]) await makeNamespace(namespace);
  swap('# nothing yet\n');
  symlinkSync('..data/settings.yaml', file);
});

after(async () => {
  for (const namespace of [SYSTEM, AGENTS]) await dropNamespace(namespace);
  rmSync(directory, { recursive: true });
});

test('a controller does not start with a wrong settings file, and says the line', async (t) => {
  swap('rates:\n  maxFrequencyHz: 970\n');

  const controller = startController(t);

  assert.equal(await ended(controller), 1);
  assert.match(
    controller.output(),
    /settings\.yaml:2: rates\.maxFrequencyHz: must be a whole number from 1 to 199".*"code":"SETTINGS_INVALID"/,
  );
});

test('a changed file is in force without a restart, a wrong one is refused with its line and changes nothing', async (t) => {
  swap('rates: {maxFrequencyHz: 97}\n');
  const controller = startController(t);
  const logged = (what: RegExp) =>
    eventually(String(what), 60, () => what.exec(controller.output()) ?? undefined);
  const [, port] = await logged(/"httpPort":(\d+)/);
  const page = async () => (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  const spec = { podSelector: { matchLabels: { app: 'orders' } }, cpu: { frequencyHz: 199 } };
  await client.create(policies, {
    ...{ apiVersion: API_VERSION, kind: 'ProfilingPolicy', metadata: { name: 'greedy' }, spec },
  });
  const capped = (expected: RegExp) =>
    eventually(`Capped ${expected}`, 60, async () => {
      const policy = await client.get<ProfilingPolicy>({ ...policies, name: 'greedy' });
      const message = findCondition(policy?.status?.conditions, 'Capped')?.message ?? 'absent';
      return policy?.status !== undefined && expected.test(message) ? message : undefined;
    });
  const hashIn = (text: string) => /^flamegate_settings_info\{hash="(\w{12})"\} 1$/m.exec(text)?.[1];
  await capped(/cpu\.frequencyHz is 97, not 199$/);
  const before = await page();
  assert.match(before, /^flamegate_settings_valid 1$/m);

  swap('# one\n# two\nbudget: {maxAgentCpu: much}\n');
  await logged(/"code":"SETTINGS_INVALID".*settings\.yaml:3: budget\.maxAgentCpu: must be a percentage/);
  const refused = await page();
  assert.match(refused, /^flamegate_settings_valid 0$/m);
  assert.equal(hashIn(refused), hashIn(before));
  await eventually('an Event of the ConfigMap', 30, async () => {
    const path = `/apis/events.k8s.io/v1/namespaces/${SYSTEM}/events`;
    const { items } = await client.request<{ items: { reason: string; note: string }[] }>('GET', path);
    return items.find(
      ({ reason, note }) => reason === 'SettingsRefused' && note.includes('settings.yaml:3:'),
    );
  });

  swap('rates: {maxFrequencyHz: 19}\n');
  await capped(/cpu\.frequencyHz is 19, not 199$/);
  const after = await page();
  assert.match(after, /^flamegate_settings_valid 1$/m);
  assert.notEqual(hashIn(after), hashIn(before));

  swap('');
  await capped(/^absent$/);
});
