/** Mode OnPodCreation from caches to status: gather, plan and the condition together. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { V1Deployment, V1Pod, V1ReplicaSet } from '@kubernetes/client-node';
import type { ProfilingPolicy } from '../../crds/profiling-policy.ts';
import { findCondition } from '../../kube/conditions.ts';
import type { InstalledAdmission } from '../pod-creation/installed-admission.ts';
import { creationMemory } from './creation-memory.ts';
import { decide } from './decide.ts';
import { INJECT_ANNOTATION } from './flag-variables.ts';
import { gatherCreation } from './gather-creation.ts';
import { aContainer, aDeployment, aJvm, anObserved, aPolicy, NOW_MS, ours } from './testing/samples.ts';

interface APod {
  readonly flags?: boolean;
  readonly ageMs?: number;
  readonly restarts?: number;
  readonly ready?: boolean;
  readonly annotation?: string;
}

interface Cluster {
  readonly pods?: readonly APod[];
  readonly deployments?: readonly V1Deployment[];
  readonly policy?: ProfilingPolicy;
  readonly admission?: InstalledAdmission;
  readonly memory?: ReturnType<typeof creationMemory>;
  readonly nowMs?: number;
}

const BY_POLICY: InstalledAdmission = { by: 'MutatingAdmissionPolicy', sinceMs: NOW_MS - 3_600_000 };
const OWNER = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'orders', uid: 'u-1', controller: true };
const REPLICA_SET: V1ReplicaSet = { metadata: { uid: 'set', namespace: 'shop', ownerReferences: [OWNER] } };

function aPod(
  { flags = false, ageMs = 600_000, restarts = 0, ready = true, annotation }: APod,
  i: number,
): V1Pod {
  return {
    metadata: {
      ...{ uid: `pod-${i}`, name: `orders-${i}`, namespace: 'shop', labels: { app: 'orders' } },
      creationTimestamp: new Date(NOW_MS - ageMs),
      ...(annotation === undefined ? {} : { annotations: { [INJECT_ANNOTATION]: annotation } }),
      ownerReferences: [
        { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'orders-5d4f', uid: 'set', controller: true },
      ],
    },
    spec: { containers: [aContainer('main', flags ? [ours('JAVA_TOOL_OPTIONS')] : [])] },
    status: {
      containerStatuses: [
        { name: 'main', image: '', imageID: '', ready, restartCount: restarts, state: { running: {} } },
      ],
    },
  };
}

/** What is told of the flags, and to the API server. */
function told(cluster: Cluster) {
  const { policy = aPolicy({ mode: 'OnPodCreation' }), deployments = [aDeployment([aContainer('main')])] } =
    cluster;
  const { memory = creationMemory(), admission = BY_POLICY, nowMs = NOW_MS } = cluster;
  const pods = (cluster.pods ?? [{}]).map(aPod);
  const view = {
    ...{ pods: () => pods, deployments: () => deployments, replicaSets: () => [REPLICA_SET] },
    ...{
      policies: () => [policy],
      clusterPolicies: () => [],
      namespaces: () => [],
      namespaceLabels: () => ({}),
    },
  };
  const reports = {
    container: (uid: string) =>
      aJvm({
        environment: pods.find((pod) => pod.metadata?.uid === uid)?.spec?.containers[0]?.env?.length
          ? ['JAVA_TOOL_OPTIONS']
          : [],
      }),
  };
  const from = { view, reports, memory, admission, nowMs } as unknown as Parameters<typeof gatherCreation>[0];
  const workloads = gatherCreation(from, policy);
  const { status } = decide(anObserved({ policy, creation: { workloads, admission }, nowMs }));
  const of = (type: string): string => {
    const found = findCondition(status.conditions, type);
    return found === undefined ? 'absent' : `${found.status} ${found.reason}: ${found.message}`;
  };
  const injections = (status.injections ?? [])
    .map(({ name, variables }) => `${name} ${variables}`)
    .join('; ');
  return {
    flags: of('FlagsInjected'),
    stalled: of('Stalled'),
    injections,
    row: status.workloads?.[0]?.creation,
    status,
  };
}

test('pods that run without the flags get them at their next creation, and the row says how many have', () => {
  const { flags, injections, row, status } = told({ pods: [{ flags: true }, {}] });

  assert.match(
    flags,
    /^True AtNextCreation: 1 of 2 containers have the flags; .*which nothing here causes: .*main in 1 of 2 pods$/,
  );
  assert.equal(injections, 'orders JAVA_TOOL_OPTIONS,JDK_JAVA_OPTIONS');
  assert.deepEqual(row, { reason: 'AtNextCreation', withFlags: 1 });
  assert.equal(findCondition(status.conditions, 'Reconciling'), undefined);
});

test('once all have them nothing is left to do', () => {
  const { flags, row } = told({ pods: [{ flags: true }] });

  assert.match(flags, /^True Injected: 1 of 1/);
  assert.deepEqual(row, { reason: 'Injected', withFlags: 1 });
});

test('what is known of a Deployment stays while it has no pods, and goes with it', () => {
  const entry = {
    kind: 'Deployment',
    name: 'orders',
    container: 'main',
    variables: ['JAVA_TOOL_OPTIONS' as const],
  };
  const policy = { ...aPolicy({ mode: 'OnPodCreation' }), status: { injections: [entry] } };

  assert.equal(told({ pods: [], policy }).injections, 'orders JAVA_TOOL_OPTIONS');
  assert.equal(told({ pods: [], deployments: [], policy }).injections, '');
  assert.match(told({ pods: [], deployments: [], policy }).flags, /^False NoWorkloadMatches/);
});

test('without a way into the creation of pods the status says what to apply', () => {
  const { flags, stalled } = told({ admission: { by: 'Nobody', component: 'config/pod-creation/webhook' } });

  assert.equal(
    flags,
    'False AdmissionMissing: nothing gives pods their flags at this API server: apply config/pod-creation/webhook',
  );
  assert.match(stalled, /^True AdmissionMissing/);
});

test('pods that end again and again with the flags get none, until the spec changes', () => {
  const memory = creationMemory();
  const failing = { flags: true, restarts: 3, ready: false };

  const { flags, stalled, injections } = told({ pods: [failing], memory });
  assert.match(flags, /^False PodsFail: Deployment shop\/orders: main ended again and again/);
  assert.match(stalled, /^True PodsFail/);
  assert.equal(injections, 'orders ');
  assert.match(told({ pods: [{}], memory }).flags, /^False PodsFail/);
  assert.match(told({ pods: [{ ...failing, ageMs: 86_400_000 }] }).flags, /^True Injected/);
  const policy = aPolicy({ mode: 'OnPodCreation' });
  const changed = { ...policy, metadata: { ...policy.metadata, generation: 4 } };
  assert.match(told({ pods: [{}], memory, policy: changed }).flags, /^True AtNextCreation/);
});

test('pods of another revision that are ready with the flags acquit them', () => {
  const pods = [{ flags: true, restarts: 9, ready: false }, { flags: true }];

  assert.match(told({ pods }).flags, /^True Injected/);
});

test('pods that keep coming without are somebody’s work, once two were made a while after it was in force', () => {
  const memory = creationMemory();
  told({ memory, nowMs: NOW_MS - 300_000 });
  const late: APod = { ageMs: 60_000 };

  assert.match(told({ memory, pods: [late] }).flags, /^True AtNextCreation/);
  assert.match(
    told({ memory, pods: [late, { ...late, annotation: 'false' }] }).flags,
    /^True AtNextCreation/,
  );
  const { flags, row } = told({ memory, pods: [late, late] });
  assert.match(
    flags,
    /^False Conflicted: Deployment shop\/orders: 2 pods were created without the flags in main/,
  );
  assert.equal(row?.reason, 'Conflicted');
});

test('where the mode is Never again, it is said how many pods still run with the flags', () => {
  const observed = anObserved();
  const containers = observed.containers.map((container) => ({ ...container, hasFlags: true }));

  const { status } = decide({ ...observed, containers });

  assert.equal(
    findCondition(status.conditions, 'FlagsInjected')?.message,
    'spec.jvm.flags.mode is Never; 1 pods run with the flags until they are created anew',
  );
});
