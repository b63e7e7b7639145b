/** Flags at Pod creation with real JVMs, an install of its own and real agents: by the API server's policies, then by the webhook. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { eventually, getJson, kubectl } from '../cluster/cluster.ts';
import { installFlamegate, profilingPolicy } from '../e2e/support/install.ts';
import { applyObjects, conditionOf, namespace, ordersDeployment, rolledOut } from '../e2e/support/orders.ts';

const NS = 'creation';
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const POLICIES = `${ROOT}config/pod-creation/policy-v1beta1`;
const WITH_WEBHOOK = `${ROOT}test/fixtures/webhook-install`;

interface Deployment {
  readonly metadata: { readonly generation: number };
  readonly spec: { readonly template: object };
}

interface Pods {
  readonly items: readonly {
    readonly metadata: { readonly name: string; readonly uid: string; readonly deletionTimestamp?: string };
  }[];
}

async function onlyPod(name: string) {
  const pods = await getJson<Pods>('pods', '-n', NS, '-l', `arm=${name}`);
  const live = pods?.items.filter(({ metadata }) => metadata.deletionTimestamp === undefined) ?? [];
  return live.length === 1 ? live[0]?.metadata : undefined;
}

/** As when a node is drained. */
async function createdAnew(name: string): Promise<void> {
  const old = await eventually(`a pod of ${name}`, 60, () => onlyPod(name));
  await kubectl('delete', 'pod', old.name, '-n', NS, '--wait=false');
  await eventually('another pod', 60, async () => {
    const pod = await onlyPod(name);
    return pod !== undefined && pod.uid !== old.uid ? pod : undefined;
  });
  await rolledOut(NS, name);
}

const flagsOfJvm = (name: string): Promise<string> =>
  eventually(`VM.flags of ${name}`, 60, async () => {
    const pod = await onlyPod(name);
    return pod && kubectl('exec', '-n', NS, pod.name, '--', '/opt/java/bin/jcmd', '1', 'VM.flags');
  });

const deploymentOf = async (name: string): Promise<Deployment> =>
  (await getJson<Deployment>('deployment', name, '-n', NS)) ?? assert.fail(name);

/** A JVM that ran before the policy, then one that was created under it, then one after it. */
async function throughItsLife(name: string): Promise<void> {
  applyObjects(ordersDeployment({ namespace: NS, name, replicas: 1, jdk: '17', jvmArgs: [] }));
  await rolledOut(NS, name);
  const { metadata, spec } = await deploymentOf(name);
  const podSelector = { matchLabels: { arm: name } };
  const flags = { mode: 'OnPodCreation' };
  applyObjects(profilingPolicy(NS, name, { podSelector, jvm: { flags } }));
  const policy = ['profilingpolicy', NS, name] as const;
  await conditionOf([...policy], 'FlagsInjected', { status: 'True', reason: 'AtNextCreation' }, 180);
  assert.doesNotMatch(await flagsOfJvm(name), /DebugNonSafepoints/);

  await createdAnew(name);

  const given = await flagsOfJvm(name);
  for (const flag of ['PreserveFramePointer', 'UnlockDiagnosticVMOptions', 'DebugNonSafepoints']) {
    assert.match(given, new RegExp(`-XX:\\+${flag}`));
  }
  await conditionOf([...policy], 'FlagsInjected', { status: 'True', reason: 'Injected' });
  await eventually('the agent sees the flags in the running JVM', 90, async () => {
    const seen = await getJson<{ status?: { workloads?: readonly { flags?: string }[] } }>(
      'profilingpolicy',
      name,
      '-n',
      NS,
    );
    return seen?.status?.workloads?.some((row) => row.flags?.includes('DebugNonSafepoints')) || undefined;
  });

  await kubectl('delete', 'profilingpolicy', name, '-n', NS, '--timeout=60s');
  await createdAnew(name);

  assert.doesNotMatch(await flagsOfJvm(name), /DebugNonSafepoints/);
  const now = await deploymentOf(name);
  assert.equal(now.metadata.generation, metadata.generation);
  assert.deepEqual(now.spec.template, spec.template);
}

describe('flags at Pod creation', () => {
  before(async () => {
    await installFlamegate();
    applyObjects(namespace(NS));
  });
  after(async () => {
    await kubectl('delete', 'namespace', NS, '--wait=false');
    await kubectl('delete', '-k', POLICIES, '--ignore-not-found');
    await kubectl('delete', 'mutatingwebhookconfiguration', 'flamegate-pod-creation', '--ignore-not-found');
    await installFlamegate();
  });

  test('by the API server’s policies they are in the JVM that is created, and in no template', async () => {
    await kubectl('apply', '--server-side', '-k', POLICIES);

    await throughItsLife('by-policy');

    await kubectl('delete', '-k', POLICIES);
  });

  test('by the webhook likewise, behind its Service and with the controller’s own authority', async () => {
    await kubectl('apply', '--server-side', '-k', WITH_WEBHOOK);
    await rolledOut('flamegate-system', 'flamegate-controller', 120);
    await eventually('the authority is in its configuration', 60, async () => {
      const path = 'jsonpath={.webhooks[0].clientConfig.caBundle}';
      const name = 'flamegate-pod-creation';
      const bundle = await kubectl('get', 'mutatingwebhookconfiguration', name, '-o', path);
      return bundle === '' ? undefined : true;
    });

    await throughItsLife('by-webhook');
  });
});
