/** ProfilingPolicies on a real API server: who owns which field of a Deployment, and what is left when a policy goes. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { KubernetesObject, V1DaemonSet, V1Deployment } from '@kubernetes/client-node';
import { FLAG_LINE } from '../../src/controller/profiling-policy/flag-variables.ts';
import { UNINJECT_FINALIZER } from '../../src/controller/profiling-policy/reconciler.ts';
import type { ProfilingPolicy } from '../../src/crds/profiling-policy.ts';
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
  namespaceIsGone,
} from './support/api-server.ts';
import { type PolicyController, startPolicyController } from './support/policy-controller.ts';

const SHOP = `flamegate-policy-${process.pid}`;
const DOOMED = `flamegate-doomed-${process.pid}`;
const AGENTS = `flamegate-agents-${process.pid}`;
const policies = { apiVersion: API_VERSION, plural: 'profilingpolicies' };
let controller: PolicyController;

before(async () => {
  await installKinds();
  for (const namespace of [SHOP, DOOMED, AGENTS]) await makeNamespace(namespace);
  controller = await startPolicyController([SHOP, DOOMED], AGENTS);
});

after(async () => {
  await controller.stop();
  for (const namespace of [SHOP, DOOMED, AGENTS]) await dropNamespace(namespace);
});

const makePolicy = (namespace: string, name: string, mode: 'Never' | 'Immediate' = 'Immediate') =>
  client.create<ProfilingPolicy>(
    { ...policies, namespace },
    {
      apiVersion: API_VERSION,
      kind: 'ProfilingPolicy',
      metadata: { name, namespace },
      spec: {
        podSelector: { matchLabels: { app: name } },
        containers: ['main'],
        jvm: { flags: { mode, acknowledgeRestarts: true } },
      },
    },
  );
const dropPolicy = async (name: string): Promise<void> => {
  await client.delete({ ...policies, namespace: SHOP, name });
  await eventually(`policy ${name} is gone`, 30, async () =>
    (await client.get({ ...policies, namespace: SHOP, name })) === undefined ? true : undefined,
  );
};
const makeDeployment = (name: string, env: { name: string; value: string }[] = [], image?: string) =>
  kubectl(['apply', '-f', '-'], aDeployment(SHOP, name, env, image));
const read = async (name: string): Promise<V1Deployment> => {
  const found = await client.get<V1Deployment>(deploymentRef(SHOP, name));
  assert.ok(found);
  return found;
};
const valueIn = async (name: string, variable = 'JAVA_TOOL_OPTIONS'): Promise<string | undefined> =>
  (await read(name)).spec?.template.spec?.containers[0]?.env?.find((env) => env.name === variable)?.value;
const weOwnSomething = async (name: string): Promise<boolean> =>
  (await read(name)).metadata?.managedFields?.some(({ manager }) => manager === 'flamegate-inject') === true;
const injected = (name: string, variable = 'JAVA_TOOL_OPTIONS') =>
  eventually(`flags in ${name}`, 30, async () =>
    (await valueIn(name, variable)) === FLAG_LINE ? true : undefined,
  );
const flagsReason = (name: string, reason: string) =>
  eventually(`${name}: FlagsInjected ${reason}`, 30, async () => {
    const policy = await client.get<ProfilingPolicy>({ ...policies, namespace: SHOP, name });
    const condition = findCondition(policy?.status?.conditions, 'FlagsInjected');
    return condition?.reason === reason ? condition : undefined;
  });

test('flags enter under our field manager, a user’s re-apply keeps them, and they go with the policy', async () => {
  makeDeployment('plain');
  await makePolicy(SHOP, 'plain');
  await injected('plain');
  await flagsReason('plain', 'Injected');
  const { generation } = (await read('plain')).metadata ?? {};

  makeDeployment('plain');
  assert.equal((await read('plain')).metadata?.generation, generation);
  await dropPolicy('plain');

  assert.equal(await valueIn('plain'), undefined);
  assert.equal(await weOwnSomething('plain'), false);
});

test('a policy that changes its mode to Never takes its flags out', async () => {
  makeDeployment('mode');
  await makePolicy(SHOP, 'mode');
  await injected('mode');

  kubectl([
    'patch',
    'profpol',
    'mode',
    '-n',
    SHOP,
    '--type=merge',
    '-p',
    '{"spec":{"jvm":{"flags":{"mode":"Never"}}}}',
  ]);

  await flagsReason('mode', 'NotRequested');
  assert.equal(await valueIn('mode'), undefined);
});

test('a Deployment whose labels the selector no longer matches is freed', async () => {
  makeDeployment('moved');
  await makePolicy(SHOP, 'moved');
  await injected('moved');

  kubectl([
    'patch',
    'profpol',
    'moved',
    '-n',
    SHOP,
    '--type=merge',
    '-p',
    '{"spec":{"podSelector":{"matchLabels":{"app":"elsewhere"}}}}',
  ]);

  await flagsReason('moved', 'NoDeploymentMatches');
  assert.equal(await valueIn('moved'), undefined);
});

test('JAVA_TOOL_OPTIONS of the user stays, and JDK_JAVA_OPTIONS carries the flags', async () => {
  makeDeployment('tool', [{ name: 'JAVA_TOOL_OPTIONS', value: '-Xmx1g' }]);
  await makePolicy(SHOP, 'tool');

  await injected('tool', 'JDK_JAVA_OPTIONS');

  assert.equal(await valueIn('tool'), '-Xmx1g');
});

test('with both variables the user’s nothing is touched, and the line to paste is given', async () => {
  makeDeployment('both', [
    { name: 'JAVA_TOOL_OPTIONS', value: '-Xmx1g' },
    { name: 'JDK_JAVA_OPTIONS', value: '-Da=b' },
  ]);
  await makePolicy(SHOP, 'both');

  const condition = await flagsReason('both', 'EnvOwnedByUser');

  assert.ok(condition.message.includes(FLAG_LINE));
  assert.equal(await weOwnSomething('both'), false);
});

test('JAVA_TOOL_OPTIONS of the image is not replaced, and JDK_JAVA_OPTIONS carries the flags', async () => {
  makeDeployment('image-tool', [], 'localhost/sets-tool-options:1');
  await makePolicy(SHOP, 'image-tool');

  await injected('image-tool', 'JDK_JAVA_OPTIONS');

  assert.equal(await valueIn('image-tool'), undefined);
});

test('with both variables the image’s nothing is touched, and the line to paste is given', async () => {
  makeDeployment('image-both', [], 'localhost/sets-both:1');
  await makePolicy(SHOP, 'image-both');

  const condition = await flagsReason('image-both', 'EnvOwnedByUser');

  assert.match(condition.message, /image sets JAVA_TOOL_OPTIONS/);
  assert.ok(condition.message.includes(FLAG_LINE));
  assert.equal(await weOwnSomething('image-both'), false);
});

test('a named container whose image no agent has seen is left alone', async () => {
  makeDeployment('unseen', [], 'localhost/no-agent-sees-it:1');
  await makePolicy(SHOP, 'unseen');

  await flagsReason('unseen', 'WaitingForAgents');

  assert.equal(await weOwnSomething('unseen'), false);
});

test('a value that the user gives our variable later is kept, and survives the policy', async () => {
  makeDeployment('taken');
  await makePolicy(SHOP, 'taken');
  await injected('taken');

  makeDeployment('taken', [{ name: 'JAVA_TOOL_OPTIONS', value: '-Xmx1g' }]);
  await injected('taken', 'JDK_JAVA_OPTIONS');
  assert.equal(await valueIn('taken'), '-Xmx1g');
  await dropPolicy('taken');

  assert.equal(await valueIn('taken'), '-Xmx1g');
  assert.equal(await valueIn('taken', 'JDK_JAVA_OPTIONS'), undefined);
  assert.equal(await weOwnSomething('taken'), false);
});

test('another manager who applies our variable with its own value is told of the conflict by the API server', async () => {
  makeDeployment('conflict');
  await makePolicy(SHOP, 'conflict');
  await injected('conflict');
  const { uid } = (await read('conflict')).metadata ?? {};
  const containers = [{ name: 'main', env: [{ name: 'JAVA_TOOL_OPTIONS', value: '-Xmx2g' }] }];
  const object = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'conflict', namespace: SHOP, uid },
    spec: { template: { spec: { containers } } },
  };

  await assert.rejects(
    client.apply(deploymentRef(SHOP, 'conflict'), object, { fieldManager: 'somebody' }),
    (error) => isKubeError(error, 'KUBE_CONFLICT') && /flamegate-inject/.test(error.message),
  );
});

test('flags that a replace drops are put back once, and after the second time left out', async () => {
  makeDeployment('replaced');
  await makePolicy(SHOP, 'replaced');
  await injected('replaced');

  kubectl(['replace', '-f', '-'], aDeployment(SHOP, 'replaced'));
  await injected('replaced');
  kubectl(['replace', '-f', '-'], aDeployment(SHOP, 'replaced'));
  const condition = await flagsReason('replaced', 'Conflicted');

  assert.match(condition.message, /twice within 10 minutes/);
  assert.equal(await valueIn('replaced'), undefined);
});

test('a policy whose Deployment is gone can be deleted', async () => {
  makeDeployment('gone');
  const { metadata } = await makePolicy(SHOP, 'gone');
  assert.equal(metadata.name, 'gone');
  await injected('gone');
  kubectl(['delete', 'deployment', 'gone', '-n', SHOP]);

  await dropPolicy('gone');
});

test('a namespace with an injected Deployment and its policy can be deleted', async () => {
  kubectl(['apply', '-f', '-'], aDeployment(DOOMED, 'web'));
  await makePolicy(DOOMED, 'web');
  await eventually('the finalizer', 30, async () => {
    const policy = await client.get<ProfilingPolicy>({ ...policies, namespace: DOOMED, name: 'web' });
    return policy?.metadata.finalizers?.includes(UNINJECT_FINALIZER) === true ? true : undefined;
  });

  await dropNamespace(DOOMED);

  await eventually('the namespace is gone', 90, () => namespaceIsGone(DOOMED));
});

test('a selector that matches nothing is told on the policy and in an Event', async () => {
  await makePolicy(SHOP, 'nothing', 'Never');

  const ready = await eventually('Ready', 30, async () => {
    const policy = await client.get<ProfilingPolicy>({ ...policies, namespace: SHOP, name: 'nothing' });
    return findCondition(policy?.status?.conditions, 'Ready');
  });
  assert.equal(ready.reason, 'NoPodsSelected');
  await eventually('the Event', 30, async () => {
    const { items } = await client.request<{ items: { reason: string; regarding: { name: string } }[] }>(
      'GET',
      `/apis/events.k8s.io/v1/namespaces/${SHOP}/events`,
    );
    return items.find(({ reason, regarding }) => regarding.name === 'nothing' && reason === 'NoPodsSelected');
  });
});

test('agents are made from the install’s template while a policy exists, and follow its edits', async () => {
  const agent = { namespace: AGENTS, name: 'flamegate-agent' };
  const daemonSet = { apiVersion: 'apps/v1', plural: 'daemonsets', ...agent };
  const template = (image: string) => ({
    apiVersion: 'v1',
    kind: 'PodTemplate',
    metadata: agent,
    template: {
      spec: { nodeSelector: { 'flamegate.dev/none': 'here' }, containers: [{ name: 'agent', image }] },
    },
  });
  const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: agent };
  const { metadata } = await client.create<KubernetesObject>(
    { apiVersion: 'v1', plural: 'serviceaccounts', namespace: AGENTS },
    account,
  );
  kubectl(['apply', '-f', '-'], template('example/agent:1'));

  const first = await eventually('the DaemonSet', 30, () => client.get<V1DaemonSet>(daemonSet));
  assert.equal(first.metadata?.ownerReferences?.[0]?.uid, metadata?.uid);
  kubectl(['apply', '-f', '-'], template('example/agent:2'));
  await eventually('the edited image', 30, async () => {
    const { spec } = (await client.get<V1DaemonSet>(daemonSet)) ?? {};
    return spec?.template.spec?.containers[0]?.image === 'example/agent:2' ? true : undefined;
  });

  kubectl(['delete', 'profpol', '--all', '-n', SHOP, '--wait=false']);

  await eventually('no DaemonSet', 30, async () =>
    (await client.get(daemonSet)) === undefined ? true : undefined,
  );
});
