/**
 * Flags at Pod creation on a real API server, with the cluster's own controllers making the Pods, by both ways: MutatingAdmissionPolicies
 * that read a policy's status, and the webhook. Nobody runs the Pods; an agent of the test says what is in them.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { V1Deployment, V1Pod } from '@kubernetes/client-node';
import { FLAG_LINE, INJECT_ANNOTATION } from '../../src/controller/profiling-policy/flag-variables.ts';
import { clusterProfilingPolicyKind } from '../../src/crds/cluster-profiling-policy.ts';
import { type ProfilingPolicy, profilingPolicyKind } from '../../src/crds/profiling-policy.ts';
import { API_VERSION } from '../../src/crds/schema.ts';
import { findCondition } from '../../src/kube/conditions.ts';
import { isKubeError } from '../../src/kube/kube-error.ts';
import { eventually } from '../cluster/cluster.ts';
import {
  aDeployment,
  client,
  deploymentRef,
  dropNamespace,
  installKinds,
  kubectl,
  makeNamespace,
} from './support/api-server.ts';
import { admissionPoliciesInstalled, type Removal, webhookInstalled } from './support/pod-admission.ts';
import { type PolicyController, startPolicyController } from './support/policy-controller.ts';

const SHOP = `flamegate-creation-${process.pid}`;
const AGENTS = `flamegate-creation-agents-${process.pid}`;
const KNOWN_IMAGE = 'localhost/sets-neither:1';
const policies = { apiVersion: API_VERSION, plural: profilingPolicyKind.plural };
const pods = { apiVersion: 'v1', plural: 'pods', namespace: SHOP };
let controller: PolicyController;

before(async () => {
  await installKinds();
  for (const namespace of [SHOP, AGENTS]) await makeNamespace(namespace);
  controller = await startPolicyController([SHOP], AGENTS);
});

after(async () => {
  await controller.stop();
  for (const namespace of [SHOP, AGENTS]) await dropNamespace(namespace);
});

const makePolicy = (name: string) =>
  client.create<ProfilingPolicy>(
    { ...policies, namespace: SHOP },
    {
      apiVersion: API_VERSION,
      kind: 'ProfilingPolicy',
      metadata: { name, namespace: SHOP },
      spec: { podSelector: { matchLabels: { app: name } }, jvm: { flags: { mode: 'OnPodCreation' } } },
    },
  );

interface Made {
  readonly image?: string;
  readonly env?: readonly { readonly name: string; readonly value: string }[];
  readonly annotation?: string;
}

/** As a user applies it: what it says is what git has. */
async function makeDeployment(name: string, { image = KNOWN_IMAGE, env = [], annotation }: Made = {}) {
  const object = aDeployment(SHOP, name, env, image);
  const annotations = annotation === undefined ? {} : { annotations: { [INJECT_ANNOTATION]: annotation } };
  const metadata = { ...object.spec?.template.metadata, ...annotations };
  const spec = object.spec && { ...object.spec, template: { ...object.spec.template, metadata } };
  return client.apply<V1Deployment>(
    deploymentRef(SHOP, name),
    { ...object, spec },
    { fieldManager: 'git', force: true },
  );
}

async function podsOf(name: string): Promise<readonly V1Pod[]> {
  const path = `/api/v1/namespaces/${SHOP}/pods?labelSelector=app%3D${name}`;
  const { items } = await client.request<{ items: V1Pod[] }>('GET', path);
  return items.filter(({ metadata }) => metadata?.deletionTimestamp === undefined);
}

const environment = (pod: V1Pod | undefined): string =>
  (pod?.spec?.containers[0]?.env ?? [])
    .map(({ name, value = '' }) => `${name}=${value === FLAG_LINE ? 'FLAGS' : value}`)
    .join(' ');

const onlyPod = (name: string): Promise<V1Pod> =>
  eventually(`a pod of ${name}`, 60, async () => {
    const found = await podsOf(name);
    return found.length === 1 ? found[0] : undefined;
  });

/** As somebody who deletes a pod, or a node that goes. */
async function createdAnew(name: string): Promise<string> {
  const before = await onlyPod(name);
  await client.delete({ ...pods, name: before.metadata?.name ?? '' });
  const pod = await eventually(`another pod of ${name}`, 60, async () =>
    (await podsOf(name)).find(({ metadata }) => metadata?.uid !== before.metadata?.uid),
  );
  return environment(pod);
}

const flagsReason = (name: string, reason: string) =>
  eventually(`${name}: FlagsInjected ${reason}`, 60, async () => {
    const policy = await client.get<ProfilingPolicy>({ ...policies, namespace: SHOP, name });
    const condition = findCondition(policy?.status?.conditions, 'FlagsInjected');
    return condition?.reason === reason ? condition : undefined;
  });

/** The API server has its policies, and their parameters, from caches of its own. */
const untilCreatedWith = (name: string, expected: string) =>
  eventually(`pods of ${name} are created with ${expected}`, 60, async () =>
    (await createdAnew(name)) === expected ? true : undefined,
  );

async function assertTemplateIsAsApplied(name: string, generation: number): Promise<void> {
  const { metadata, spec } = (await client.get<V1Deployment>(deploymentRef(SHOP, name))) ?? {};
  assert.ok(metadata);
  assert.equal(metadata.generation, generation);
  const managers = (metadata.managedFields ?? []).map(({ manager }) => manager);
  assert.deepEqual([...new Set(managers)].sort(), ['git', 'kube-controller-manager']);
  const env = spec?.template.spec?.containers.flatMap((container) => container.env ?? []) ?? [];
  assert.equal(
    env.some(({ value }) => value?.includes('DebugNonSafepoints')),
    false,
  );
}

test('without a component at the API server the policy says which to apply, and pods are as they were', async () => {
  await makeDeployment('alone');
  await makePolicy('alone');

  const { message } = await flagsReason('alone', 'AdmissionMissing');

  assert.match(message, /apply config\/pod-creation\/policy-v1beta1$/);
  assert.equal(await createdAnew('alone'), '');
});

test('a strategy that does not fit the mode is refused', async () => {
  const spec = {
    podSelector: { matchLabels: { app: 'x' } },
    jvm: { flags: { mode: 'OnPodCreation', strategy: 'DeploymentPatch' } },
  };
  const object = { apiVersion: API_VERSION, kind: 'ProfilingPolicy', metadata: { name: 'unfit' }, spec };

  await assert.rejects(
    client.create({ ...policies, namespace: SHOP }, object),
    (error) => isKubeError(error, 'KUBE_INVALID') && /leave it out/.test(error.message),
  );
});

/** The same by both ways. */
function createdPods(way: string): void {
  const named = (name: string): string => `${name}-${way}`;

  test(`${way}: a running JVM is left alone, the next pod has the flags, and the template is as in git`, async () => {
    const { metadata } = await makeDeployment(named('plain'));
    await makePolicy(named('plain'));
    const { message } = await flagsReason(named('plain'), 'AtNextCreation');
    assert.match(message, /^0 of 1 containers have the flags; .* main in 0 of 1 pods$/);
    assert.equal(environment(await onlyPod(named('plain'))), '');

    await untilCreatedWith(named('plain'), 'JAVA_TOOL_OPTIONS=FLAGS');

    await flagsReason(named('plain'), 'Injected');
    await assertTemplateIsAsApplied(named('plain'), metadata?.generation ?? 0);
  });

  test(`${way}: pods of a new revision have them at once, beside what the user sets in it`, async () => {
    const name = named('plain');
    const env = [{ name: 'JAVA_TOOL_OPTIONS', value: '-Xmx1g' }];
    const { metadata } = await makeDeployment(name, { image: 'localhost/nobody-has-seen-it:2', env });

    await eventually('the new revision', 60, async () =>
      environment(await onlyPod(name)) === 'JAVA_TOOL_OPTIONS=-Xmx1g JDK_JAVA_OPTIONS=FLAGS'
        ? true
        : undefined,
    );
    assert.equal(
      (await client.get<V1Deployment>(deploymentRef(SHOP, name)))?.metadata?.generation,
      metadata?.generation,
    );
  });

  test(`${way}: when the policy goes, pods are created without, with all that is the user’s`, async () => {
    const name = named('plain');
    await client.delete({ ...policies, namespace: SHOP, name });

    await untilCreatedWith(name, 'JAVA_TOOL_OPTIONS=-Xmx1g');
  });
}

describe('by MutatingAdmissionPolicy', () => {
  let remove: Removal;
  before(async () => {
    remove = await admissionPoliciesInstalled();
    kubectl(['annotate', 'profpol', 'alone', '-n', SHOP, 'looked=again']);
    await flagsReason('alone', 'AtNextCreation');
  });
  after(() => remove());

  createdPods('policy');

  test('a variable of the image is not replaced; with both taken nothing is given, and what to paste is told', async () => {
    await makeDeployment('image', { image: 'localhost/sets-tool-options:1' });
    await makePolicy('image');
    await untilCreatedWith('image', 'JDK_JAVA_OPTIONS=FLAGS');

    await makeDeployment('both', { image: 'localhost/sets-both:1' });
    await makePolicy('both');
    const { message } = await flagsReason('both', 'EnvOwnedByUser');
    assert.match(message, /image sets JAVA_TOOL_OPTIONS/);
    assert.ok(message.includes(FLAG_LINE));
    assert.equal(await createdAnew('both'), '');
  });

  test('annotated pods are left alone, or have the flags though nobody has seen their image', async () => {
    await makeDeployment('out', { annotation: 'false' });
    await makePolicy('out');
    await flagsReason('out', 'OptedOut');
    assert.equal(await createdAnew('out'), '');

    await makePolicy('in');
    await makeDeployment('in', { annotation: 'true', image: 'localhost/nobody-has-seen-it:1' });
    await untilCreatedWith('in', 'JAVA_TOOL_OPTIONS=FLAGS');
    await makeDeployment('unseen', { image: 'localhost/nobody-has-seen-it:1' });
    await makePolicy('unseen');
    await flagsReason('unseen', 'WaitingForAgents');
    assert.equal(await createdAnew('unseen'), '');
  });

  test('a policy of the cluster gives them in the namespaces that it selects', async () => {
    const cluster = { apiVersion: API_VERSION, plural: clusterProfilingPolicyKind.plural };
    const name = `flamegate-creation-${process.pid}`;
    const namespaceSelector = { matchLabels: { 'kubernetes.io/metadata.name': SHOP } };
    const jvm = { flags: { mode: 'OnPodCreation' } };
    const podSelector = { matchExpressions: [{ key: 'app', operator: 'In', values: ['wide'] }] };
    await makeDeployment('wide');
    await client.create(cluster, {
      ...{ apiVersion: API_VERSION, kind: clusterProfilingPolicyKind.kind, metadata: { name } },
      spec: { namespaceSelector, podSelector, jvm },
    });

    await untilCreatedWith('wide', 'JAVA_TOOL_OPTIONS=FLAGS');

    await client.delete({ ...cluster, name });
    await untilCreatedWith('wide', '');
  });
});

describe('by webhook', () => {
  let webhook: Awaited<ReturnType<typeof webhookInstalled>>;
  before(async () => {
    webhook = await webhookInstalled(controller.view, AGENTS, AGENTS);
  });
  after(() => webhook.remove());

  createdPods('webhook');

  test('the API server trusts the authority that the controller wrote, and only that field is its own', async () => {
    const name = 'flamegate-pod-creation';
    const text = kubectl([
      'get',
      'mutatingwebhookconfiguration',
      name,
      '-o',
      'json',
      '--show-managed-fields',
    ]);
    const { metadata } = JSON.parse(text);
    const ours = metadata.managedFields.find(({ manager }: { manager: string }) => manager === 'flamegate');

    assert.deepEqual(ours.fieldsV1, {
      'f:webhooks': {
        'k:{"name":"pods.flamegate.dev"}': { '.': {}, 'f:clientConfig': { 'f:caBundle': {} }, 'f:name': {} },
      },
    });
  });

  test('pods are created all the same when nobody answers', async () => {
    await makeDeployment('deserted');
    await makePolicy('deserted');
    await untilCreatedWith('deserted', 'JAVA_TOOL_OPTIONS=FLAGS');

    await webhook.stop();

    assert.equal(await createdAnew('deserted'), '');
  });
});
