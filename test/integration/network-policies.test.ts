/** What the install says of networks and pods, rendered by kubectl and judged by a real API server. The cluster enforces no NetworkPolicy. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { V1Deployment, V1NetworkPolicy, V1PodTemplate } from '@kubernetes/client-node';
import { parseAllDocuments } from 'yaml';
import { pathOf } from '../../src/kube/client.ts';
import { client, dropNamespace, kubectl } from './support/api-server.ts';

const NAMESPACE = `flamegate-network-${process.pid}`;
const POLICIES = { apiVersion: 'networking.k8s.io/v1', plural: 'networkpolicies', namespace: NAMESPACE };
const root = new URL('../../', import.meta.url).pathname;

interface Rendered {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
}

const rendered: readonly Rendered[] = parseAllDocuments(kubectl(['kustomize', `${root}config/default`])).map(
  (document) => document.toJS(),
);
const policies = rendered.filter(({ kind }) => kind === 'NetworkPolicy') as unknown as V1NetworkPolicy[];

before(async () => {
  const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
  await client.create(
    { apiVersion: 'v1', plural: 'namespaces' },
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE, labels } },
  );
});
after(() => dropNamespace(NAMESPACE));

test('both namespaces deny by default, and the API server takes every policy to the last field', async () => {
  for (const namespace of ['flamegate-system', 'flamegate-agents']) {
    const own = policies.filter(({ metadata }) => metadata?.namespace === namespace);
    const all = own.find(({ spec }) => JSON.stringify(spec?.podSelector) === '{}');
    assert.deepEqual(
      [all?.spec?.policyTypes, all?.spec?.ingress, all?.spec?.egress],
      [['Ingress', 'Egress'], undefined, undefined],
    );
  }
  for (const policy of policies) {
    const object = { ...policy, metadata: { ...policy.metadata, namespace: NAMESPACE } };
    await client.request('POST', `${pathOf(POLICIES)}?dryRun=All&fieldValidation=Strict`, object);
  }
});

test('the policies select the pods of the install, by the ports they listen on', () => {
  const find = (kind: string, namespace: string): unknown =>
    rendered.find((each) => each.kind === kind && each.metadata.namespace === namespace);
  const controller = (find('Deployment', 'flamegate-system') as V1Deployment).spec?.template;
  const agent = (find('PodTemplate', 'flamegate-agents') as V1PodTemplate).template;

  for (const [name, pod] of [
    ['flamegate-controller', controller],
    ['flamegate-agent', agent],
  ] as const) {
    const policy = policies.find(({ metadata }) => metadata?.name === name);
    const wanted = Object.entries(policy?.spec?.podSelector?.matchLabels ?? {});
    assert(wanted.length > 0 && wanted.every(([key, value]) => pod?.metadata?.labels?.[key] === value), name);
    const listens = pod?.spec?.containers.flatMap(({ ports }) =>
      (ports ?? []).map((port) => port.containerPort),
    );
    const let_in = policy?.spec?.ingress?.flatMap(({ ports }) => (ports ?? []).map(({ port }) => port));
    assert.deepEqual([...(let_in ?? [])].map(Number).sort(), [...(listens ?? [])].sort(), name);
  }
  const leaves = policies.find(({ metadata }) => metadata?.name === 'flamegate-agent')?.spec?.egress;
  assert(JSON.stringify(leaves).includes('"port":8443'));
});

test('the controller’s pod is taken by a namespace that enforces restricted', async () => {
  const deployment = rendered.find(({ kind }) => kind === 'Deployment') as unknown as V1Deployment;
  const { metadata, spec } = deployment.spec?.template ?? {};
  const pod = {
    ...{ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'controller', labels: metadata?.labels } },
    spec: { ...spec, serviceAccountName: 'default' },
  };

  await client.request(
    'POST',
    `${pathOf({ apiVersion: 'v1', plural: 'pods', namespace: NAMESPACE })}?dryRun=All&fieldValidation=Strict`,
    pod,
  );
});

test('the component has the runtime hold the agents to the profile', () => {
  const patched = parseAllDocuments(kubectl(['kustomize', `${root}test/fixtures/seccomp-install`]));
  const template: V1PodTemplate = patched
    .map((document) => document.toJS())
    .find(({ kind }) => kind === 'PodTemplate');

  assert.deepEqual(template.template?.spec?.containers[0]?.securityContext?.seccompProfile, {
    type: 'Localhost',
    localhostProfile: 'flamegate-agent.json',
  });
});

test('with the standby two controllers run apart, and are rolled one after the other', () => {
  const patched = parseAllDocuments(kubectl(['kustomize', `${root}test/fixtures/standby-install`]));
  const objects: readonly Rendered[] = patched.map((document) => document.toJS());
  const deployment = objects.find(({ kind }) => kind === 'Deployment') as unknown as V1Deployment;

  assert.equal(deployment.spec?.replicas, 2);
  assert.deepEqual(deployment.spec.strategy, {
    type: 'RollingUpdate',
    rollingUpdate: { maxUnavailable: 1, maxSurge: 0 },
  });
  assert.ok(objects.some(({ kind }) => kind === 'PodDisruptionBudget'));
});
