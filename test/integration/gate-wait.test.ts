/** `flamegate gate wait` as a process, with the account of the sample, before a real API server on which a test plays the controller. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { parseAllDocuments } from 'yaml';
import type { RegressionGate } from '../../src/crds/regression-gate.ts';
import type { RegressionReportStatus } from '../../src/crds/regression-report.ts';
import { API_VERSION } from '../../src/crds/schema.ts';
import { killed } from '../bare/api-server.ts';
import { eventually } from '../cluster/cluster.ts';
import { client, dropNamespace, installKinds, makeNamespace } from './support/api-server.ts';
import { kubeconfigWith, tokenOf } from './support/installed-controller.ts';

const NAMESPACE = `flamegate-wait-${process.pid}`;
const gates = { apiVersion: API_VERSION, plural: 'regressiongates', namespace: NAMESPACE };
const reports = { ...gates, plural: 'regressionreports' };
const directory = mkdtempSync(join(tmpdir(), 'flamegate-wait-'));
const kubeconfigFile = join(directory, 'kubeconfig');
let gate: RegressionGate;

before(async () => {
  await installKinds();
  await makeNamespace(NAMESPACE);
  for (const object of ofSample('asker.yaml')) await apply(object);
  writeFileSync(kubeconfigFile, kubeconfigWith(await tokenOf(NAMESPACE, 'gate-asker')));
  const object = { apiVersion: API_VERSION, kind: 'RegressionGate', metadata: { name: 'orders' } };
  const spec = { targetRef: { name: 'orders' } };
  gate = await eventually('the kinds are served', 30, () =>
    client.create<RegressionGate>(gates, { ...object, spec }),
  );
});

after(async () => {
  await Promise.all(waits.map(killed)); // where a test has failed
  rmSync(directory, { recursive: true });
  await dropNamespace(NAMESPACE);
});

interface SampleObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
}

/** The objects of a sample, in the namespace of this test. */
function ofSample(file: string): readonly SampleObject[] {
  const text = readFileSync(new URL(`../../samples/rollouts/${file}`, import.meta.url), 'utf8');
  const ours = text.replaceAll('namespace: shop', `namespace: ${NAMESPACE}`);
  return parseAllDocuments(ours).map((document) => document.toJS());
}

async function apply(object: SampleObject): Promise<void> {
  const { apiVersion, metadata } = object;
  const plural = `${object.kind.toLowerCase()}s`;
  await client.apply({ apiVersion, plural, namespace: NAMESPACE, name: metadata.name }, object, {
    fieldManager: 'flamegate-test',
  });
}

/** What the controller does when it opens and when it decides an evaluation. */
async function say(attempt: number, canaryHash: string, status: RegressionReportStatus): Promise<void> {
  const name = `orders-${attempt}`;
  const { uid, generation } = gate.metadata;
  const owner = { apiVersion: API_VERSION, kind: 'RegressionGate', name: 'orders', uid };
  const spec = {
    ...{ gate: 'orders', gateGeneration: generation, attempt, baselineHash: 'aaa', canaryHash },
    images: { baseline: [], canary: [] },
  };
  const report = {
    ...{ apiVersion: API_VERSION, kind: 'RegressionReport', spec },
    metadata: { name, ownerReferences: [owner] },
  };
  if ((await client.get({ ...reports, name })) === undefined) await client.create(reports, report);
  await patchStatus('regressionreports', name, { ...status });
  const evaluation = { baseline: 'aaa', canary: canaryHash, attempt, report: name };
  await patchStatus('regressiongates', 'orders', {
    verdict: status.verdict,
    summary: status.message,
    evaluation: { ...evaluation, startedAt: new Date().toISOString() },
  });
}

async function patchStatus(plural: string, name: string, status: object): Promise<void> {
  const path = `/apis/${API_VERSION}/namespaces/${NAMESPACE}/${plural}/${name}/status`;
  await client.request('PATCH', path, { status }, 'application/merge-patch+json');
}

interface Waiting {
  readonly child: ChildProcess;
  output(): string;
  readonly exitCode: Promise<number | null>;
}

const waits: ChildProcess[] = [];

function wait(...args: string[]): Waiting {
  const program = new URL('../../src/cli/main.ts', import.meta.url).pathname;
  const child = spawn(process.execPath, [program, 'gate', 'wait', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'], HOME: directory, KUBECONFIG: kubeconfigFile },
  });
  waits.push(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
  }
  const exitCode = new Promise<number | null>((resolve) => child.once('close', resolve));
  return { child, output: () => output, exitCode };
}

async function outcomeOf(...args: string[]): Promise<string> {
  const waiting = wait(...args);
  const exitCode = await waiting.exitCode;
  return `${exitCode} ${waiting.output()}`;
}

const GATE = `${NAMESPACE}/orders`;
const ONCE = ['--timeout', '0s'];

test('the verdict of the canary that is named is the exit code, and of no other', async () => {
  const decidedAt = new Date().toISOString();
  await say(1, 'passed', { verdict: 'Passed', reason: 'WithinMargins', message: 'fine', decidedAt });
  await say(2, 'failed', { verdict: 'Failed', reason: 'FunctionGrew', message: 'Json.encode', decidedAt });
  await say(3, 'open', { verdict: 'Inconclusive', reason: 'TooFewPods', message: 'two pods', decidedAt });

  const [passed, failed, inconclusive, unseen] = await Promise.all([
    outcomeOf(GATE, '--canary', 'passed', ...ONCE),
    outcomeOf(GATE, '--canary', 'failed', '--baseline', 'aaa', '-o', 'json', ...ONCE),
    outcomeOf(GATE, '--canary', 'open', ...ONCE),
    outcomeOf(GATE, '--canary', 'unseen', ...ONCE),
  ]);

  const report = (attempt: number) => `(flamegate report ${NAMESPACE}/orders-${attempt})\n`;
  assert.equal(passed, `0 ${GATE}, canary passed against aaa: Passed: fine ${report(1)}`);
  assert.match(failed, /^1 /);
  assert.equal(JSON.parse(failed.slice(2)).reason, 'FunctionGrew');
  assert.equal(inconclusive, `3 ${GATE}, canary open against aaa: Inconclusive: two pods ${report(3)}`);
  assert.match(unseen, /^3 .* canary unseen: Pending: canary unseen has not been compared\n$/);
});

test('who waits says nothing until the verdict falls', async () => {
  await say(4, 'waited', { verdict: 'Collecting', reason: 'WaitingForLooks', message: 'collecting' });
  const waiting = wait(GATE, '--canary', 'waited', '--timeout', '5m');
  await say(5, 'other', { verdict: 'Passed', message: 'fine', decidedAt: new Date().toISOString() });
  await say(4, 'waited', { verdict: 'Failed', message: 'slower', decidedAt: new Date().toISOString() });

  assert.equal(await waiting.exitCode, 1);
  assert.match(waiting.output(), /^[^\n]* Failed: slower [^\n]*\n$/);
});

interface Deployed {
  readonly metadata: { readonly uid: string };
}

/** As its controller would leave it: the cluster's own may be at work, and would take it over. */
async function aDeployed(name: string, hash: string): Promise<void> {
  const labels = { app: name };
  const apps = { apiVersion: 'apps/v1', namespace: NAMESPACE };
  const pod = {
    metadata: { labels },
    spec: { schedulerName: 'nobody', containers: [{ name: 'a', image: 'a:1' }] },
  };
  const { metadata } = await client.create<Deployed>(
    { ...apps, plural: 'deployments' },
    {
      ...{ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name } },
      spec: { replicas: 0, paused: true, selector: { matchLabels: labels }, template: pod },
    },
  );
  const of = { ...labels, 'pod-template-hash': hash };
  await client.create(
    { ...apps, plural: 'replicasets' },
    {
      ...{ apiVersion: 'apps/v1', kind: 'ReplicaSet' },
      metadata: {
        ...{ name: `${name}-${hash}`, labels: of, annotations: { 'deployment.kubernetes.io/revision': '9' } },
        ownerReferences: [
          { apiVersion: 'apps/v1', kind: 'Deployment', name, uid: metadata.uid, controller: true },
        ],
      },
      spec: {
        ...{ replicas: 0, selector: { matchLabels: of } },
        template: { ...pod, metadata: { labels: of } },
      },
    },
  );
  const path = `/apis/apps/v1/namespaces/${NAMESPACE}/deployments/${name}/status`;
  await client.request('PATCH', path, { status: { observedGeneration: 1 } }, 'application/merge-patch+json');
}

test('a hook that knows no hash waits for what its Deployment rolls out, with the rights of the sample', async () => {
  for (const object of ofSample('post-sync.yaml')) if (object.kind !== 'Job') await apply(object);
  await aDeployed('orders-canary', '5d9c');
  await say(6, '5d9c', { verdict: 'Passed', message: 'fine', decidedAt: new Date().toISOString() });
  const of = (workload: string) => outcomeOf(GATE, '--canary-of', workload, '--timeout', '1m');

  const [passed, missing] = await Promise.all([of('deployment/orders-canary'), of('deployment/nothing')]);

  assert.match(passed, /^0 .*canary 5d9c against aaa: Passed: fine/);
  assert.match(missing, /^4 flamegate: WORKLOAD_NOT_FOUND: no Deployment nothing/);
});

test('what keeps from an answer for good ends at once with 4 and its code', async () => {
  const [missing, foreign] = await Promise.all([
    outcomeOf(`${NAMESPACE}/basket`, '--canary', 'x', '--timeout', '5m'),
    outcomeOf('kube-system/orders', '--canary', 'x', '--timeout', '5m'),
  ]);

  assert.match(missing, /^4 flamegate: GATE_NOT_FOUND: no RegressionGate/);
  assert.match(foreign, /^4 flamegate: KUBE_FORBIDDEN: .*gate-asker/);
});

test('an API server that cannot be reached is asked again until the time is up, then it is 4', async () => {
  const file = join(directory, 'nowhere');
  writeFileSync(
    file,
    readFileSync(kubeconfigFile, 'utf8').replace(/"server":"[^"]*"/, '"server":"https://127.0.0.1:1"'),
  );

  const outcome = await outcomeOf(GATE, '--canary', 'x', '--timeout', '1s', '--kubeconfig', file);

  assert.match(outcome, /^4 flamegate: KUBE_UNREACHABLE: /);
});
