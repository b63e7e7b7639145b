/**
 * The ingest against a real API server: real tokens, real TokenReviews and SubjectAccessReviews, the authority in a
 * real Secret. System and agents' namespace are one namespace of this test.
 */
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { KubeConfig } from '@kubernetes/client-node';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { parseAllDocuments } from 'yaml';
import { agentReports } from '../../src/controller/agent-reports-memory.ts';
import { type Ingest, startIngest } from '../../src/controller/ingest/start-ingest.ts';
import { type Answer, call, gzipped, push } from '../../src/controller/ingest/testing/https-client.ts';
import { aPod, aPolicy, aView } from '../../src/controller/regression-gate/testing/a-cluster.ts';
import { toldNodes } from '../../src/controller/told-nodes.ts';
import { kubeClient } from '../../src/kube/client.ts';
import { aBatch, aPodWindow } from '../../src/store/testing/a-batch.ts';
import { openStore } from '../../src/store/window-store.ts';
import { AGENT_AUDIENCE, ASSIGNMENT_PATH, reportPagePath } from '../../src/wire/endpoints.ts';
import { eventually } from '../cluster/cluster.ts';

const kubeconfig = process.env['FLAMEGATE_TEST_KUBECONFIG'];
assert.ok(kubeconfig, 'FLAMEGATE_TEST_KUBECONFIG names the kubeconfig of a cluster for tests');
const config = new KubeConfig();
config.loadFromFile(kubeconfig);
const client = kubeClient(config);
const NAMESPACE = `flamegate-ingest-${process.pid}`;
const namespaces = { apiVersion: 'v1', plural: 'namespaces' };
const core = (plural: string) => ({ apiVersion: 'v1', plural, namespace: NAMESPACE });
const rbac = (plural: string) => ({
  apiVersion: 'rbac.authorization.k8s.io/v1',
  plural,
  namespace: NAMESPACE,
});

const directory = mkdtempSync(join(tmpdir(), 'flamegate-ingest-'));
const store = openStore(join(directory, 'windows.db'), { now: Date.now });
let nodeName = '';
let ingest: Ingest;
let ca = '';

/** A token as the kubelet projects it into a pod: bound to the pod, and through it to the node. */
async function tokenOf(account: string, audience: string | undefined, pod?: string): Promise<string> {
  const spec = {
    ...(audience === undefined ? {} : { audiences: [audience] }),
    expirationSeconds: 600,
    ...(pod === undefined ? {} : { boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: pod } }),
  };
  const { status } = await client.request<{ status: { token: string } }>(
    'POST',
    `/api/v1/namespaces/${NAMESPACE}/serviceaccounts/${account}/token`,
    { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec },
  );
  return status.token;
}

/** What config/rbac lets the command line's account do. */
function viewerRules(): readonly unknown[] {
  const path = new URL('../../config/rbac/viewer.yaml', import.meta.url);
  const objects = parseAllDocuments(readFileSync(path, 'utf8')).map((document) => document.toJS());
  return objects.find(({ kind }) => kind === 'ClusterRole').rules;
}

async function createPod(name: string, account: string): Promise<void> {
  await client.create(core('pods'), {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
    spec: {
      serviceAccountName: account,
      nodeName,
      containers: [{ name: 'agent', image: 'localhost/there-is-no-such-image:1', imagePullPolicy: 'Never' }],
    },
  });
}

before(async () => {
  const nodes = await client.request<{ items: { metadata: { name: string } }[] }>('GET', '/api/v1/nodes');
  nodeName = nodes.items[0]?.metadata.name ?? '';
  await client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } });
  for (const name of ['flamegate-agent', 'somebody', 'reader']) {
    await client.create(core('serviceaccounts'), {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name },
    });
  }
  await createPod('agent', 'flamegate-agent');
  await createPod('other', 'somebody');
  await client.create(rbac('roles'), {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'Role',
    metadata: { name: 'reader' },
    rules: viewerRules(),
  });
  await client.create(rbac('rolebindings'), {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: { name: 'reader' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'reader' },
    subjects: [{ kind: 'ServiceAccount', name: 'reader', namespace: NAMESPACE }],
  });
  ingest = await startedIngest();
  ca = await publishedCa();
});

after(async () => {
  await ingest.stop();
  store.close();
  rmSync(directory, { recursive: true });
  await client.delete({ ...namespaces, name: NAMESPACE });
});

function startedIngest(): Promise<Ingest> {
  return startIngest({
    client,
    view: aView({ policies: [aPolicy()], pods: [aPod({ node: nodeName })] }),
    reports: agentReports(),
    store,
    told: toldNodes(store, Date.now),
    log: pino({ level: 'silent' }),
    registry: new Registry(),
    isLeader: () => true,
    config: { namespace: NAMESPACE, agentsNamespace: NAMESPACE, httpsPort: 0 },
  });
}

async function publishedCa(): Promise<string> {
  const map = await client.get<{ data: Record<string, string> }>({
    ...core('configmaps'),
    name: 'flamegate-ca',
  });
  return map?.data['ca.crt'] ?? '';
}

const aFreshBatch = (node: string, sequence = 0) =>
  aBatch({
    node,
    sequence,
    startMs: Date.now() - 12_000,
    endMs: Date.now() - 2_000,
    pods: [aPodWindow({ podUid: 'uid-orders-1', startedAtMs: 0 })],
  });

const send = (token: string, node = nodeName): Promise<Answer> =>
  push({ port: ingest.port, ca, token, body: gzipped(aFreshBatch(node)) });

const codeOf = (answer: Answer): string => `${answer.status} ${JSON.parse(answer.text).code}`;

test('an agent with its own projected token pushes and asks for work', async () => {
  const token = await tokenOf('flamegate-agent', AGENT_AUDIENCE, 'agent');

  const pushed = await send(token);
  const work = await call({
    port: ingest.port,
    ca,
    path: `${ASSIGNMENT_PATH}?node=${nodeName}`,
    headers: { authorization: `Bearer ${token}` },
  });

  assert.equal(pushed.status, 200, pushed.text);
  assert.equal(JSON.parse(pushed.text).store, store.storeId());
  assert.equal(JSON.parse(work.text).containers[0].podUid, 'uid-orders-1');
});

test('a token of another node, account, audience or maker is refused', async () => {
  const mine = await tokenOf('flamegate-agent', AGENT_AUDIENCE, 'agent');

  assert.equal(codeOf(await send(mine, 'another-node')), '403 FOREIGN_NODE');
  assert.equal(codeOf(await send(await tokenOf('somebody', AGENT_AUDIENCE, 'other'))), '403 TOKEN_REJECTED');
  assert.equal(codeOf(await send(await tokenOf('flamegate-agent', AGENT_AUDIENCE))), '403 TOKEN_REJECTED');
  assert.equal(
    codeOf(await send(await tokenOf('flamegate-agent', undefined, 'agent'))),
    '401 TOKEN_REJECTED',
  );
  assert.equal(codeOf(await send(`${mine.slice(0, -8)}AAAAAAAA`)), '401 TOKEN_REJECTED');
  assert.equal(codeOf(await send('')), '401 TOKEN_MISSING');
});

test('a report is for those who may get gates in its namespace', async () => {
  const asksAs = async (account: string): Promise<string> => {
    const authorization = `Bearer ${await tokenOf(account, undefined)}`;
    const path = reportPagePath(NAMESPACE, 'no-such-report');
    return codeOf(await call({ port: ingest.port, ca, path, headers: { authorization } }));
  };

  // RBAC is read from a cache of the API server, which a binding reaches within moments.
  const allowed = await eventually('the role binding to count', 20, async () => {
    const code = await asksAs('reader');
    return code === '403 VIEWER_NOT_ALLOWED' ? undefined : code;
  });
  assert.equal(allowed, '404 REPORT_NOT_FOUND');
  assert.equal(await asksAs('somebody'), '403 VIEWER_NOT_ALLOWED');
});

test('a second replica signs with the authority of the first, so agents trust both', async () => {
  const second = await startedIngest();
  try {
    const token = await tokenOf('flamegate-agent', AGENT_AUDIENCE, 'agent');
    const answer = await push({ port: second.port, ca, token, body: gzipped(aFreshBatch(nodeName, 7)) });

    assert.equal(answer.status, 200, answer.text);
    assert.equal(await publishedCa(), ca);
    assert.equal(new X509Certificate(ca).ca, true);
  } finally {
    await second.stop();
  }
});
