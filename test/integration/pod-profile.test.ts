/**
 * `flamegate record --pod` and `top --pod` against the controller as it ships, before a real API server that reviews real tokens. The pod is
 * under a policy and under no gate: its agent pushes stacks only while somebody looks. And the page of all gates, by the same rights.
 */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { createGunzip } from 'node:zlib';
import { createControllerClient } from '../../src/agent/controller-client.ts';
import { CliError } from '../../src/cli/cli-error.ts';
import type { ControllerConnection } from '../../src/cli/controller-connection.ts';
import { recordPod } from '../../src/cli/pod/record-pod.ts';
import { topOfPod } from '../../src/cli/pod/top-of-pod.ts';
import { readProfiles } from '../../src/cli/profile-files.ts';
import { API_VERSION } from '../../src/crds/schema.ts';
import { encodeCollapsed } from '../../src/profile/collapsed.ts';
import { aBatch, aPodWindow } from '../../src/store/testing/a-batch.ts';
import { parseAssignment } from '../../src/wire/assignment.ts';
import { ALL_GATES_PAGE_PATH, ASSIGNMENT_PATH } from '../../src/wire/endpoints.ts';
import { aSimulatedAgent } from '../agents/simulated-agent.ts';
import { type BareApiServer, bareApiServer } from '../bare/api-server.ts';
import { type BareCluster, bareCluster, SHOP } from '../bare/cluster.ts';
import { type ControllerProcess, startControllerProcess } from '../bare/controller-process.ts';
import { eventually } from '../cluster/cluster.ts';
import { freePort } from '../free-port.ts';

const WINDOW_MS = 1_000;
const NODE = 'node-1';
const directory = mkdtempSync(join(tmpdir(), 'flamegate-pod-'));
let api: BareApiServer;
let controller: ControllerProcess;
let cluster: BareCluster;
let httpsPort: number;
let ca: string;
let stopAgent: () => Promise<void>;
/** What the agent was told of the first pod, window by window. */
const told: boolean[] = [];

before(async () => {
  api = await bareApiServer();
  httpsPort = await freePort();
  const dataDirectory = join(directory, 'data');
  const { kubeconfigFile } = api;
  controller = startControllerProcess({ kubeconfigFile, dataDirectory, httpsPort, podName: 'controller' });
  cluster = await bareCluster(api.client, { nodes: 2, podsOfNode: 2 });
  await eventually('the controller leads', 300, () => controller.has('leading') || undefined);
  ca = readFileSync(await cluster.caFile(directory), 'utf8');
  stopAgent = await aNodeAgent();
  for (const account of ['reader', 'stranger']) await anAccount(account);
  await mayReadGates('reader');
});

after(async () => {
  await stopAgent();
  await controller.kill();
  await api.close();
  rmSync(directory, { recursive: true });
});

/** Asks what to do and closes windows, as the real one does: of a pod whose stacks are not asked for it sends counts only. */
async function aNodeAgent(): Promise<() => Promise<void>> {
  const tokenFile = await cluster.tokenFile(NODE, directory);
  const way = {
    url: new URL(`https://localhost:${httpsPort}`),
    caFile: join(directory, 'ca.crt'),
    tokenFile,
  };
  mkdirSync(join(directory, 'spool'));
  const agent = await aSimulatedAgent({ ...way, directory: join(directory, 'spool') });
  const client = createControllerClient(way);
  const end = new AbortController();
  agent.run();
  const running = (async () => {
    for (let sequence = 0; !end.signal.aborted; sequence++) {
      const startMs = Math.floor(Date.now() / WINDOW_MS) * WINDOW_MS;
      await delay(startMs + WINDOW_MS - Date.now(), undefined, { signal: end.signal }).catch(() => undefined);
      const asked = {
        method: 'GET',
        path: `${ASSIGNMENT_PATH}?node=${NODE}`,
        headers: {},
        timeoutMs: 20_000,
      };
      const answer = await client.ask({ ...asked, method: 'GET' }, end.signal).catch(() => undefined);
      if (answer?.status !== 200) continue;
      const { containers } = parseAssignment(answer.body);
      told.push(containers.find(({ podUid }) => podUid === cluster.pods[0]?.uid)?.gated ?? false);
      const pods = containers.map(({ namespace, pod, podUid, containerId, gated }) =>
        aPodWindow({
          ...{ namespace, pod, podUid, container: 'app', containerId, startedAtMs: startMs - 60_000 },
          ...{ cpuUsec: 500_000, samples: 3 },
          ...(gated ? {} : { counts: [] }),
        }),
      );
      const batch = aBatch({ node: NODE, sequence, startMs, endMs: startMs + WINDOW_MS, pods });
      await agent.add(batch);
    }
  })();
  return async () => {
    end.abort();
    await running;
    await agent.stop();
    client.close();
  };
}

async function anAccount(name: string): Promise<void> {
  const object = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name } };
  await api.client.create({ apiVersion: 'v1', plural: 'serviceaccounts', namespace: SHOP }, object);
}

async function mayReadGates(name: string): Promise<void> {
  const rbac = 'rbac.authorization.k8s.io/v1';
  const at = { apiVersion: rbac, namespace: SHOP };
  const rules = [{ apiGroups: ['flamegate.dev'], resources: ['regressiongates'], verbs: ['get'] }];
  await api.client.create(
    { ...at, plural: 'roles' },
    { apiVersion: rbac, kind: 'Role', metadata: { name }, rules },
  );
  const subjects = [{ kind: 'ServiceAccount', name, namespace: SHOP }];
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name };
  await api.client.create(
    { ...at, plural: 'rolebindings' },
    { apiVersion: rbac, kind: 'RoleBinding', metadata: { name }, roleRef, subjects },
  );
}

/** The way of the command line without its port-forward, for which a kubelet would be needed. */
async function connectedAs(account: string): Promise<ControllerConnection> {
  const path = `/api/v1/namespaces/${SHOP}/serviceaccounts/${account}/token`;
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} };
  const { status } = await api.client.request<{ status: { token: string } }>('POST', path, body);
  return {
    get: (at) =>
      new Promise((resolve, reject) => {
        const headers = { authorization: `Bearer ${status.token}` };
        const options = { host: 'localhost', port: httpsPort, ca, path: at, headers, agent: false };
        const outgoing = request(options, (response) => {
          const isPacked = response.headers['content-encoding'] === 'gzip';
          void buffer(isPacked ? response.pipe(createGunzip()) : response).then((bytes) => {
            if (response.statusCode === 200) return resolve(bytes);
            const code = (response.statusCode ?? 0) >= 500 ? 'CONTROLLER_UNREACHABLE' : 'CONTROLLER_REFUSED';
            reject(new CliError(code, bytes.toString('utf8')));
          }, reject);
        });
        outgoing.once('error', reject);
        outgoing.end();
      }),
  };
}

const quiet = () => ({ signal: new AbortController().signal, say: undefined, everyMs: 200 });
const podNamed = (name: string) => ({ namespace: SHOP, name });
const firstPod = () => podNamed(cluster.pods[0]?.name ?? '');

test('a pod that no gate compares is recorded as pprof, with all that its agent sampled while it was looked at', async () => {
  const reader = await connectedAs('reader');
  await eventually('windows are closed', 60, () => told.length > 1 || undefined);
  assert.ok(!told.includes(true), 'its stacks are not pushed while nobody looks');
  const output = join(directory, 'pod.pb.gz');

  const text = await recordPod(reader, { pod: firstPod(), durationMs: 3_000, output }, quiet());

  const [line = ''] = text.split('\n');
  const [, samples = '', windowSeconds = ''] =
    /: ([\d,]+) samples of ([\d.]+) s; at 49 Hz; container app \(JDK 25\)$/.exec(line) ?? [];
  assert.equal(Number(samples), 3 * Number(windowSeconds), line);
  assert.ok(Number(windowSeconds) >= 3, line);
  const windows = Number(windowSeconds);
  const { baseline, unit } = await readProfiles(output, output);
  assert.deepEqual(
    [unit, encodeCollapsed(baseline).trimEnd().split('\n').toSorted()],
    ['samples', [`run;handle ${windows}`, `run;handle;encode ${2 * windows}`]],
  );
  assert.match(text, /\n66\.7% +66\.7% +encode\n/);
});

test('its functions are told as it runs, as tables and as JSON', async () => {
  const reader = await connectedAs('reader');
  let written = '';
  const write = (text: string): void => {
    written += text;
  };
  const terminal = { isTerminal: false, rows: 24, write };

  await topOfPod(reader, { pod: firstPod(), times: 2, format: 'json' }, { ...quiet(), ...terminal });
  const looks = written
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  written = '';
  await topOfPod(reader, { pod: firstPod(), times: 1, format: 'table' }, { ...quiet(), ...terminal });

  assert.equal(looks.length, 2);
  for (const { of, cpuPercentOfCore, functions } of looks) {
    assert.deepEqual([of, cpuPercentOfCore], [`pod ${SHOP}/${firstPod().name}`, 50]);
    assert.deepEqual(functions[0], { function: 'encode', selfPercent: 66.7, withCalleesPercent: 66.7 });
  }
  assert.match(
    written,
    /^\d\d:\d\d:\d\d {2}pod shop\/orders-stable-0: 50% of a CPU, \d+ samples\n\nSELF +WITH CALLEES +FUNCTION\n66\.7%/,
  );
});

test('a pod under no policy, one that is not there, and one of a namespace that may not be read are refused, with what to do', async () => {
  const [reader, stranger] = await Promise.all([connectedAs('reader'), connectedAs('stranger')]);
  const core = { apiVersion: 'v1', plural: 'pods', namespace: SHOP };
  const spec = { nodeName: NODE, containers: [{ name: 'app', image: 'localhost/basket:1' }] };
  await api.client.create(core, { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'basket' }, spec });
  const asked = (by: ControllerConnection, name: string) =>
    recordPod(by, { pod: podNamed(name), durationMs: 1_000, output: join(directory, 'x') }, quiet());

  await eventually('the controller has seen the pod', 60, async () => {
    const refusal = await asked(reader, 'basket').catch((error: unknown) => String(error));
    return refusal.includes('POD_NOT_FOUND') ? undefined : refusal;
  });

  await assert.rejects(asked(reader, 'basket'), {
    code: 'CONTROLLER_REFUSED',
    message: /POD_NOT_PROFILED.*no policy selects pod shop\/basket.*make a ProfilingPolicy/,
  });
  await assert.rejects(asked(reader, 'nothing'), {
    message: /POD_NOT_FOUND.*there is no pod shop\/nothing: kubectl get pods -n shop/,
  });
  await assert.rejects(asked(stranger, firstPod().name), { message: /VIEWER_NOT_ALLOWED/ });
});

test('who waits in vain is told after a while, and a recording that is ended has what came by then', async () => {
  const reader = await connectedAs('reader');
  const onNodeWithoutAgent = podNamed(cluster.pods.find(({ node }) => node !== NODE)?.name ?? '');
  const output = join(directory, 'ended.collapsed');
  await assert.rejects(
    recordPod(
      reader,
      { pod: onNodeWithoutAgent, durationMs: 1_000, output },
      { ...quiet(), patienceMs: 500 },
    ),
    { code: 'NOTHING_SAMPLED', message: /it has no JVM, or its node no agent/ },
  );

  const stop = new AbortController();
  const say = (line: string) => {
    if (line.endsWith(' of 3600 s')) stop.abort();
  };
  const around = { ...quiet(), signal: stop.signal, say };
  const text = await recordPod(reader, { pod: firstPod(), durationMs: 3_600_000, output }, around);

  assert.match(text, /^wrote .*ended\.collapsed: \d+ samples of [\d.]+ s; at 49 Hz/);
  assert.match(readFileSync(output, 'utf8'), /^run;handle;encode \d+$/m);
});

test('the page of all gates has those of the namespaces that the caller may read, by the API server’s own word', async () => {
  const { client } = api;
  await client.create(
    { apiVersion: 'v1', plural: 'namespaces' },
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'basket' } },
  );
  for (const namespace of [SHOP, 'basket']) {
    const gate = { apiVersion: API_VERSION, kind: 'RegressionGate', metadata: { name: `${namespace}-gate` } };
    const spec = { targetRef: { name: 'nothing' } };
    await client.create({ apiVersion: API_VERSION, plural: 'regressiongates', namespace }, { ...gate, spec });
  }
  const [reader, stranger] = await Promise.all([connectedAs('reader'), connectedAs('stranger')]);
  const page = async (by: ControllerConnection) => (await by.get(ALL_GATES_PAGE_PATH, 1)).toString('utf8');

  const text = await eventually('the gate is on the page', 60, async () => {
    const html = await page(reader).catch((error: unknown) => String(error));
    return html.includes('shop-gate') ? html : undefined;
  });

  assert.match(text, /<h2><a href="\/gates\/v1\/shop">shop<\/a><\/h2>/);
  assert.doesNotMatch(text, /basket/);
  await assert.rejects(page(stranger), { message: /VIEWER_NOT_ALLOWED.*in no namespace that has any/ });
});
