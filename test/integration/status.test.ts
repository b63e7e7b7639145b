/** `flamegate status` and `gate list` as processes, before a real API server on which a test plays controller and agents. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { parse, parseAllDocuments } from 'yaml';
import type { RegressionGateStatus } from '../../src/crds/regression-gate.ts';
import { API_VERSION } from '../../src/crds/schema.ts';
import { type ObjectRef, pathOf } from '../../src/kube/client.ts';
import { type BareApiServer, bareApiServer } from '../bare/api-server.ts';
import { AGENTS, bareCluster, SHOP, SYSTEM } from '../bare/cluster.ts';
import { eventually } from '../cluster/cluster.ts';

const MERGE = 'application/merge-patch+json';
const directory = mkdtempSync(join(tmpdir(), 'flamegate-status-'));
let server: BareApiServer;

before(async () => {
  server = await bareApiServer();
});
after(async () => {
  await server.close();
  rmSync(directory, { recursive: true });
});

interface Ended {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function flamegate(kubeconfig: string, ...args: readonly string[]): Promise<Ended> {
  const program = new URL('../../src/cli/main.ts', import.meta.url).pathname;
  const child = spawn(process.execPath, [program, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'], HOME: directory, KUBECONFIG: kubeconfig },
  });
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].on('data', (chunk: Buffer) => {
      said[name] += chunk.toString();
    });
  }
  return new Promise((resolve) => child.once('close', (exitCode) => resolve({ exitCode, ...said })));
}

/** The context's namespace is shop. */
async function asAccount(name: string): Promise<string> {
  const namespace = SHOP;
  const ref = { apiVersion: 'v1', plural: 'serviceaccounts', namespace, name };
  await server.client.apply(
    ref,
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name } },
    {
      fieldManager: 'test',
    },
  );
  const request = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} };
  const path = `${pathOf(ref)}/token`;
  const { status } = await server.client.request<{ status: { token: string } }>('POST', path, request);
  const config = JSON.parse(readFileSync(server.kubeconfigFile, 'utf8'));
  const file = join(directory, `${name}.kubeconfig`);
  const users = [{ name: 'admin', user: { token: status.token } }];
  const contexts = [{ name: 'bare', context: { ...config.contexts[0].context, namespace } }];
  writeFileSync(file, JSON.stringify({ ...config, users, contexts }));
  return file;
}

async function grant(kind: 'Role' | 'ClusterRole', name: string, account: string, rules?: readonly object[]) {
  const rbac = 'rbac.authorization.k8s.io/v1';
  const isOfCluster = rules !== undefined;
  const options = { fieldManager: 'test' };
  if (isOfCluster) {
    const role = { apiVersion: rbac, kind, metadata: { name }, rules };
    await server.client.apply({ apiVersion: rbac, plural: 'clusterroles', name }, role, options);
  }
  const binding = {
    ...{ apiVersion: rbac, kind: isOfCluster ? 'ClusterRoleBinding' : 'RoleBinding' },
    metadata: { name: `${name}-${account}` },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
    subjects: [{ kind: 'ServiceAccount', name: account, namespace: SHOP }],
  };
  const plural = isOfCluster ? 'clusterrolebindings' : 'rolebindings';
  const at = isOfCluster ? {} : { namespace: SHOP };
  await server.client.apply(
    { apiVersion: rbac, plural, ...at, name: binding.metadata.name },
    binding,
    options,
  );
}

const patchStatus = (ref: ObjectRef, status: object) =>
  server.client.request('PATCH', `${pathOf(ref)}/status`, { status }, MERGE);

/** As the controllers of Kubernetes and ours would leave it. */
async function aRunningInstall(): Promise<void> {
  const { client } = server;
  const labels = { 'app.kubernetes.io/name': 'flamegate', 'app.kubernetes.io/component': 'controller' };
  const template = {
    metadata: { labels },
    spec: { containers: [{ name: 'controller', image: 'r:5/f:0.1.0' }] },
  };
  const spec = { selector: { matchLabels: labels }, template };
  const apps = { apiVersion: 'apps/v1' };
  await client.create(
    { ...apps, plural: 'deployments', namespace: SYSTEM },
    { ...apps, kind: 'Deployment', metadata: { name: 'flamegate-controller', labels }, spec },
  );
  await patchStatus(
    { apiVersion: 'apps/v1', plural: 'deployments', namespace: SYSTEM, name: 'flamegate-controller' },
    {
      ...{ replicas: 1, readyReplicas: 1 },
    },
  );
  await client.create(
    { ...apps, plural: 'daemonsets', namespace: AGENTS },
    { ...apps, kind: 'DaemonSet', metadata: { name: 'flamegate-agent' }, spec },
  );
  await agentsAre(3);
  const lease = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease' };
  await client.create(
    { apiVersion: lease.apiVersion, plural: 'leases', namespace: SYSTEM },
    {
      ...{ ...lease, metadata: { name: 'flamegate-controller' } },
      spec: {
        ...{ holderIdentity: 'flamegate-controller-7d4b_1a2b3c4d', leaseDurationSeconds: 12 },
        renewTime: new Date().toISOString().replace('Z', '000Z'),
      },
    },
  );
}

const agentsAre = (numberReady: number) =>
  patchStatus(
    { apiVersion: 'apps/v1', plural: 'daemonsets', namespace: AGENTS, name: 'flamegate-agent' },
    {
      ...{ desiredNumberScheduled: 3, numberReady, currentNumberScheduled: 3, numberMisscheduled: 0 },
    },
  );

const gateSays = (status: RegressionGateStatus) =>
  patchStatus(
    { apiVersion: API_VERSION, plural: 'regressiongates', namespace: SHOP, name: 'orders-cpu' },
    status,
  );

/** May see the install, and has no way to the controller. */
const LOOKS_AT_INSTALL = [
  { apiGroups: ['apps'], resources: ['deployments', 'daemonsets'], verbs: ['list'] },
  { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['get'] },
];

test('from a cluster without Flamegate to one with a regression, each is told, with its exit code', async () => {
  const empty = await flamegate(server.kubeconfigFile, 'status', '-A');
  assert.equal(empty.exitCode, 4, empty.stderr);
  assert.match(empty.stdout, /^BROKEN {2}install {2}KindsMissing\n/);
  assert.match(empty.stdout, /BROKEN {2}controller {2}NotInstalled\n[^→]*→ kubectl apply --server-side -k/);

  await bareClusterOfShop();
  await aRunningInstall();
  await grant('ClusterRole', 'flamegate-view', 'operator', viewRules());
  await grant('ClusterRole', 'looks-at-install', 'operator', LOOKS_AT_INSTALL);
  const operator = await asAccount('operator');
  await patchStatus(
    { apiVersion: API_VERSION, plural: 'profilingpolicies', namespace: SHOP, name: 'jvms' },
    {
      ...{ selected: 4, profiled: 4 },
      conditions: [condition('Ready', 'True', 'Profiling', '4 of 4 pods deliver samples')],
    },
  );
  await gateSays({
    verdict: 'Waiting',
    conditions: [condition('Ready', 'True', 'WaitingForCanary', 'none')],
  });
  const well = await flamegate(operator, 'status', '-A');
  assert.deepEqual([well.exitCode, well.stderr], [0, '']);
  assert.match(
    well.stdout,
    /^Nothing is wrong\.\n\ncontroller {2}1 of 1 ready; version 0\.1\.0; flamegate-controller-7d4b leads, renewed \d+ s ago\nagents {6}3 of 3 nodes\n/,
  );
  assert.match(well.stdout, /\nshop\/jvms +4\/4 +Profiling/);
  assert.match(well.stdout, /\nshop\/orders-cpu +Waiting +WaitingForCanary/);

  await gateSays({
    ...{ verdict: 'Failed', summary: 'Failed: shop.Codec.encode grew by 6 % of CPU' },
    evaluation: { baseline: 'aaa', canary: 'bbb', attempt: 1, report: 'orders-cpu-1', startedAt: AT },
    conditions: [
      condition('Ready', 'True', 'Decided', 'bbb against aaa'),
      condition('Regressed', 'True', 'FunctionGrew', 'it grew'),
    ],
  });
  const failed = await flamegate(operator, 'status');
  assert.equal(failed.exitCode, 1);
  assert.match(
    failed.stdout,
    /^FAILED {2}gate shop\/orders-cpu {2}FunctionGrew\n {8}Failed: shop\.Codec\.encode grew by 6 % of CPU\n {8}→ flamegate report shop\/orders-cpu-1\n/,
  );

  await agentsAre(0);
  const broken = await flamegate(operator, 'status');
  assert.equal(broken.exitCode, 4);
  assert.match(broken.stdout, /^BROKEN {2}agents {2}NoneReady\n[\s\S]*\nFAILED {2}gate/);
  await agentsAre(3);

  // Whoever may take the way to the controller learns that nobody is there: its pod is made of words.
  const unreachable = await flamegate(server.kubeconfigFile, 'status', '-n', SHOP);
  assert.equal(unreachable.exitCode, 4);
  assert.match(unreachable.stdout, /^BROKEN {2}controller {2}NotReachable\n/);
});

const AT = '2026-11-26T10:00:00Z';
const condition = (type: string, status: 'True' | 'False' | 'Unknown', reason: string, message: string) => ({
  type,
  status,
  reason,
  message,
  lastTransitionTime: AT,
});

async function bareClusterOfShop(): Promise<void> {
  const duration = { warmUp: '1m', min: '3m', deadline: '30m' };
  await bareCluster(server.client, { nodes: 1, podsOfNode: 2, duration });
  const everywhere = pathOf({ apiVersion: API_VERSION, plural: 'clusterprofilingpolicies' });
  await eventually('the last kind is served, too', 60, () => server.client.request('GET', everywhere));
}

const viewRules = (): readonly object[] => {
  const text = readFileSync(new URL('../../config/rbac/users.yaml', import.meta.url), 'utf8');
  const roles = parseAllDocuments(text).map((document) => document.toJS());
  return roles.find(({ metadata }) => metadata.name === 'flamegate-view').rules;
};

test('who may read one namespace sees it, is told what else they may not, and nothing of others', async () => {
  await grant('Role', 'flamegate-view', 'tenant');
  const tenant = await asAccount('tenant');

  const own = await flamegate(tenant, 'status');
  const all = await flamegate(tenant, 'status', '-A');
  const foreign = await flamegate(tenant, 'gate', 'list', '-n', SYSTEM);

  assert.equal(own.exitCode, 1, 'the gate has failed');
  assert.match(own.stdout, /controller {2}not known: User "system:serviceaccount:shop:tenant" cannot list/);
  assert.match(own.stdout, /\nshop\/orders-cpu +Failed/);
  assert.equal(all.exitCode, 4);
  assert.match(all.stdout, /^BROKEN {2}your rights {2}NotPermitted\n/);
  assert.equal(foreign.exitCode, 4);
  assert.match(foreign.stderr, /^flamegate: GATES_UNREADABLE: gates are not known: User "[^"]*tenant"/);
});

test('lists are a table, JSON or YAML, and nothing else', async () => {
  const tenant = await asAccount('tenant');
  const [table, json, yaml, status, wrong] = await Promise.all([
    flamegate(tenant, 'gate', 'list'),
    flamegate(tenant, 'gate', 'list', '-o', 'json'),
    flamegate(tenant, 'gate', 'list', '--output=yaml'),
    flamegate(tenant, 'status', '-o', 'yaml'),
    flamegate(tenant, 'status', '-o', 'xml'),
  ]);

  assert.equal(
    table.stdout,
    `GATE             VERDICT  PHASE    ETA  REASON
shop/orders-cpu  Failed   Decided  -    FunctionGrew
`,
  );
  const row = {
    ...{ gate: 'shop/orders-cpu', verdict: 'Failed', phase: 'Decided', reason: 'FunctionGrew' },
    ...{ summary: 'Failed: shop.Codec.encode grew by 6 % of CPU', report: 'orders-cpu-1' },
  };
  assert.deepEqual([JSON.parse(json.stdout), parse(yaml.stdout)], [[row], [row]]);
  const said = parse(status.stdout);
  assert.deepEqual([said.namespace, said.gates, said.problems[0].severity], ['shop', [row], 'Failed']);
  assert.equal(status.exitCode, 1);
  assert.deepEqual([wrong.exitCode, wrong.stdout], [2, '']);
  assert.match(wrong.stderr, /--output is one of table, json, yaml/);
});
