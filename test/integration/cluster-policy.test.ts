/** Policies that overlap, of both kinds, on a real API server: which one counts, what the other says, and who takes over when it goes. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { V1Deployment } from '@kubernetes/client-node';
import { FLAG_LINE } from '../../src/controller/profiling-policy/flag-variables.ts';
import { clusterProfilingPolicyKind } from '../../src/crds/cluster-profiling-policy.ts';
import { profilingPolicyKind } from '../../src/crds/profiling-policy.ts';
import { API_VERSION, type Condition } from '../../src/crds/schema.ts';
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
import { type PolicyController, startPolicyController } from './support/policy-controller.ts';

const RUN = process.pid;
const SHOP = `flamegate-overlap-a-${RUN}`;
const WEB = `flamegate-overlap-b-${RUN}`;
const AGENTS = `flamegate-overlap-agents-${RUN}`;
const TEAM = `team-${RUN}`;
const IMMEDIATE = { flags: { mode: 'Immediate', acknowledgeRestarts: true } };
let controller: PolicyController;

before(async () => {
  await installKinds();
  for (const namespace of [SHOP, WEB, AGENTS]) await makeNamespace(namespace);
  controller = await startPolicyController([SHOP, WEB], AGENTS);
});

after(async () => {
  for (const name of ['wide', 'moving', 'flags']) await client.delete(ref({ name: `${name}-${RUN}` }));
  await eventually('the policies of the cluster are gone', 30, async () => {
    const left = await client.get(ref({ name: `flags-${RUN}` }));
    return left === undefined ? true : undefined;
  });
  await controller.stop();
  for (const namespace of [SHOP, WEB, AGENTS]) await dropNamespace(namespace);
});

interface Named {
  readonly name: string;
  readonly namespace?: string;
}
interface StoredPolicy {
  readonly metadata: { readonly resourceVersion: string };
  readonly status?: {
    readonly conditions?: readonly Condition[];
    readonly namespaces?: number;
    readonly selected?: number;
    readonly workloads?: readonly { readonly namespace?: string; readonly name: string }[];
  };
}

const kindOf = ({ namespace }: Named) =>
  namespace === undefined ? clusterProfilingPolicyKind : profilingPolicyKind;
const ref = (named: Named) => ({ apiVersion: API_VERSION, plural: kindOf(named).plural, ...named });
const makePolicy = (named: Named, spec: object) =>
  client.create(
    { ...ref(named) },
    { apiVersion: API_VERSION, kind: kindOf(named).kind, metadata: named, spec },
  );
const read = async (named: Named): Promise<StoredPolicy> => {
  const found = await client.get<StoredPolicy>(ref(named));
  assert.ok(found, named.name);
  return found;
};
/** The condition once it is like this; `absent` waits until there is none while Ready is told. */
const says = (named: Named, type: string, expected: RegExp | 'absent') =>
  eventually(`${named.name}: ${type} ${expected}`, 30, async () => {
    const { conditions } = (await read(named)).status ?? {};
    const found = findCondition(conditions, type);
    if (expected === 'absent') return findCondition(conditions, 'Ready') && !found ? 'absent' : undefined;
    const text = found === undefined ? '' : `${found.status} ${found.reason}: ${found.message}`;
    return expected.test(text) ? text : undefined;
  });
const podsRun = (namespace: string, app: string) =>
  eventually(`a pod of ${app}`, 60, async () => {
    const path = `/api/v1/namespaces/${namespace}/pods?labelSelector=app%3D${app}`;
    const { items } = await client.request<{ items: unknown[] }>('GET', path);
    return items.length === 1 ? true : undefined;
  });
const label = (namespace: string, value: string) =>
  kubectl(['label', 'namespace', namespace, `flamegate-test/team=${value}`, '--overwrite']);
const teamSelector = { matchLabels: { 'flamegate-test/team': TEAM } };
const valueIn = async (namespace: string, name: string): Promise<string | undefined> => {
  const found = await client.get<V1Deployment>(deploymentRef(namespace, name));
  return found?.spec?.template.spec?.containers[0]?.env?.find((env) => env.name === 'JAVA_TOOL_OPTIONS')
    ?.value;
};

test('of two policies of a namespace the older counts, the other says Conflicted, and takes over when it goes', async () => {
  kubectl(['apply', '-f', '-'], aDeployment(SHOP, 'orders'));
  await podsRun(SHOP, 'orders');
  // Made within one second they are told apart by name.
  await makePolicy({ namespace: SHOP, name: 'a-first' }, { podSelector: { matchLabels: { app: 'orders' } } });
  await makePolicy(
    { namespace: SHOP, name: 'b-second' },
    { podSelector: { matchLabels: { app: 'orders' } } },
  );

  await says(
    { namespace: SHOP, name: 'b-second' },
    'Conflicted',
    new RegExp(
      `^True OlderPolicyCounts: of 1 pods that match, others profile 1: 1 by ProfilingPolicy ${SHOP}/a-first, which is older$`,
    ),
  );
  await says({ namespace: SHOP, name: 'b-second' }, 'Ready', /^False Conflicted: /);
  await says({ namespace: SHOP, name: 'a-first' }, 'Conflicted', 'absent');

  await client.delete(ref({ namespace: SHOP, name: 'a-first' }));

  await says({ namespace: SHOP, name: 'b-second' }, 'Conflicted', 'absent');
  await says({ namespace: SHOP, name: 'b-second' }, 'Ready', /^True Profiling: 1 of 1/);
  await client.delete(ref({ namespace: SHOP, name: 'b-second' }));
});

test('a policy of the cluster reaches pods of the namespaces it selects, and leaves those that have a policy of their own', async () => {
  const wide = { name: `wide-${RUN}` };
  for (const namespace of [SHOP, WEB]) {
    kubectl(['apply', '-f', '-'], aDeployment(namespace, 'stock'));
    await podsRun(namespace, 'stock');
    label(namespace, TEAM);
  }
  await makePolicy({ namespace: WEB, name: 'own' }, { podSelector: { matchLabels: { app: 'stock' } } });
  await makePolicy(wide, {
    namespaceSelector: teamSelector,
    podSelector: { matchLabels: { app: 'stock' } },
  });

  await says(
    wide,
    'Conflicted',
    new RegExp(
      `^True NamespacePolicyCounts: of 2 pods that match, others profile 1: 1 by ProfilingPolicy ${WEB}/own, which is of`,
    ),
  );
  await says(wide, 'Ready', /^True Profiling: 1 of 1 pods are profiled$/);
  const { status } = await read(wide);
  assert.deepEqual([status?.namespaces, status?.selected], [2, 2]);
  assert.deepEqual(
    status?.workloads?.map(({ namespace, name }) => `${namespace}/${name}`),
    [`${SHOP}/stock`],
  );
  const printed = kubectl(['get', 'cprofpol', wide.name]);
  assert.match(printed, /^NAME\s+NAMESPACES\s+SELECTED\s+PROFILED\s+FLAGS\s+READY\s+REASON\s+AGE\n/);
  assert.match(printed, new RegExp(`^${wide.name}\\s+2\\s+2\\s+1\\s+Never\\s+True\\s+Profiling`, 'm'));
  const events = kubectl(['get', 'events', '-n', 'default', '-o', 'jsonpath={.items[*].reason}']);
  assert.match(events, /NamespacePolicyCounts/);
  await client.delete(ref({ namespace: WEB, name: 'own' }));
  await says(wide, 'Conflicted', 'absent');
  await client.delete(ref(wide));
});

test('a namespace comes under a policy of the cluster, and leaves it, by its labels; its flags with it', async () => {
  const moving = { name: `moving-${RUN}` };
  kubectl(['apply', '-f', '-'], aDeployment(SHOP, 'moved'));
  await podsRun(SHOP, 'moved');
  label(SHOP, 'none');
  await makePolicy(moving, {
    namespaceSelector: { matchLabels: { 'flamegate-test/team': `${TEAM}-moving` } },
    podSelector: { matchLabels: { app: 'moved' } },
    containers: ['main'],
    jvm: IMMEDIATE,
  });
  await says(moving, 'Ready', /^False NoNamespaceSelected: /);
  assert.equal(await valueIn(SHOP, 'moved'), undefined);

  label(SHOP, `${TEAM}-moving`);
  await eventually('flags in moved', 30, async () =>
    (await valueIn(SHOP, 'moved')) === FLAG_LINE ? true : undefined,
  );
  await says(moving, 'FlagsInjected', /^True (Injected|RollingOut): /);

  label(SHOP, 'none');
  await eventually('no flags in moved', 30, async () =>
    (await valueIn(SHOP, 'moved')) === undefined ? true : undefined,
  );
  await client.delete(ref(moving));
});

test('flags stay as they are when the policy that counts goes and the next one wants them, too: nothing rolls', async () => {
  const flags = { name: `flags-${RUN}` };
  const own = { namespace: SHOP, name: 'own-flags' };
  kubectl(['apply', '-f', '-'], aDeployment(SHOP, 'kept'));
  await podsRun(SHOP, 'kept');
  label(SHOP, TEAM);
  const spec = { podSelector: { matchLabels: { app: 'kept' } }, containers: ['main'], jvm: IMMEDIATE };
  await makePolicy(own, spec);
  await eventually('flags in kept', 30, async () =>
    (await valueIn(SHOP, 'kept')) === FLAG_LINE ? true : undefined,
  );
  await makePolicy(flags, { ...spec, namespaceSelector: teamSelector });
  await says(flags, 'FlagsInjected', /^False OtherPolicyCounts: /);
  const before = (await client.get<V1Deployment>(deploymentRef(SHOP, 'kept')))?.metadata?.generation;

  await client.delete(ref(own));
  await says(flags, 'FlagsInjected', /^True (Injected|RollingOut): /);
  await says(flags, 'Conflicted', 'absent');

  const after = await client.get<V1Deployment>(deploymentRef(SHOP, 'kept'));
  assert.equal(after?.metadata?.generation, before);
  await client.delete(ref(flags));
  await eventually('no flags in kept', 30, async () =>
    (await valueIn(SHOP, 'kept')) === undefined ? true : undefined,
  );
  assert.deepEqual(
    controller.failures.filter((failure) => isKubeError(Object(failure).err, 'KUBE_FORBIDDEN')),
    [],
  );
});
