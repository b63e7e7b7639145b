import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { V1Container, V1Pod, V1ReplicaSet } from '@kubernetes/client-node';
import type { PodWindow } from '../../wire/batch-schema.ts';
import { type EvidenceFrom, evidenceOf, type JvmEvidence } from './jvm-evidence.ts';
import { aContainer, aDeployment, aJvm, ours } from './testing/samples.ts';

interface APod {
  /** The container of the template that the pod was made from; 'unknown' when its ReplicaSet is not in the cache. */
  readonly madeFrom?: V1Container | 'unknown';
  /** What an agent said of its JVM; undefined when it said nothing. */
  readonly jvm?: Partial<PodWindow['jvm']>;
  readonly leaving?: boolean;
}

const main = aContainer('main');
const taken = { name: 'JAVA_TOOL_OPTIONS', value: '-Xmx1g' };

/** What pods of a Deployment with one container, as in its template, tell of it. */
function told(template: V1Container, ...pods: readonly APod[]): JvmEvidence {
  const replicaSets = pods.flatMap(({ madeFrom = template }, i): readonly V1ReplicaSet[] => {
    if (madeFrom === 'unknown') return [];
    const spec = { selector: {}, template: { spec: { containers: [madeFrom] } } };
    return [{ metadata: { uid: `set-${i}`, namespace: 'shop' }, spec }];
  });
  const live = pods.map(
    ({ leaving }, i): V1Pod => ({
      metadata: {
        uid: `pod-${i}`,
        namespace: 'shop',
        labels: { app: 'orders' },
        ownerReferences: [
          { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: `set-${i}`, uid: `set-${i}`, controller: true },
        ],
        ...(leaving === true ? { deletionTimestamp: new Date(0) } : {}),
      },
    }),
  );
  const from: EvidenceFrom = {
    view: { pods: () => live, replicaSets: () => replicaSets },
    reports: {
      container(podUid, container) {
        const jvm = container === 'main' ? pods[Number(podUid.slice(4))]?.jvm : undefined;
        return jvm && aJvm(jvm);
      },
    },
  };
  return evidenceOf(from, aDeployment([template]))('main');
}

test('one pod with a JVM is enough, and its JDK is known in every spelling', () => {
  const none = { jvm: { state: 'NoJvm', jdk: '' } } as const;

  assert.equal(told(main).jvm, 'Unknown');
  assert.equal(told(main, none).jvm, 'NoJvm');
  assert.equal(told(main, none, { jvm: { jdk: '17.0.15+6' } }).jvm, 'Jvm');
  const versions = ['1.8.0_412', '8u412', '17.0.15+6', '25', ''];
  assert.deepEqual(
    versions.map((jdk) => told(main, { jvm: { jdk } }).jdk),
    [8, 8, 17, 25, undefined],
  );
});

test('a JVM that has a variable which its template does not set has it from the image', () => {
  const { imageSets } = told(main, { jvm: { environment: ['JAVA_TOOL_OPTIONS'] } });

  assert.deepEqual(imageSets, { JAVA_TOOL_OPTIONS: true, JDK_JAVA_OPTIONS: false });
});

test('a JVM that has neither variable leaves both free', () => {
  const { imageSets } = told(main, { jvm: { environment: [] } });

  assert.deepEqual(imageSets, { JAVA_TOOL_OPTIONS: false, JDK_JAVA_OPTIONS: false });
});

test('one pod that has a variable from the image is enough', () => {
  const { imageSets } = told(
    main,
    { jvm: { environment: [] } },
    { jvm: { environment: ['JDK_JAVA_OPTIONS'] } },
  );

  assert.deepEqual(imageSets, { JAVA_TOOL_OPTIONS: false, JDK_JAVA_OPTIONS: true });
});

test('a pod with another image tells nothing of the template’s image', () => {
  const old = { ...main, image: 'example/service:0' };

  assert.deepEqual(told(main, { madeFrom: old, jvm: { environment: [] } }).imageSets, {});
  assert.deepEqual(told(main, { madeFrom: 'unknown', jvm: { environment: [] } }).imageSets, {});
});

test('a variable that we or the user set in the pod’s template hides the image’s', () => {
  for (const env of [ours('JAVA_TOOL_OPTIONS'), taken]) {
    const madeFrom = aContainer('main', [env]);
    const { imageSets } = told(main, { madeFrom, jvm: { environment: ['JAVA_TOOL_OPTIONS'] } });

    assert.deepEqual(imageSets, { JDK_JAVA_OPTIONS: false });
  }
});

test('pods that still run with our flags after they were taken out do not make the variable the image’s', () => {
  const before: APod = {
    madeFrom: aContainer('main', [ours('JAVA_TOOL_OPTIONS')]),
    jvm: { environment: ['JAVA_TOOL_OPTIONS'] },
  };

  assert.equal(told(main, before).imageSets.JAVA_TOOL_OPTIONS, undefined);
  assert.equal(told(main, before, { jvm: { environment: [] } }).imageSets.JAVA_TOOL_OPTIONS, false);
});

test('a variable that may come from the envFrom of the pod’s template tells nothing, its absence does', () => {
  const madeFrom = { ...main, envFrom: [{ configMapRef: { name: 'settings' } }] };

  const { imageSets } = told(main, { madeFrom, jvm: { environment: ['JAVA_TOOL_OPTIONS'] } });

  assert.deepEqual(imageSets, { JDK_JAVA_OPTIONS: false });
});

test('nothing is told by an environment that was not read, a pod that leaves, or no pod', () => {
  assert.deepEqual(told(main, { jvm: {} }).imageSets, {});
  assert.deepEqual(told(main, { leaving: true, jvm: { environment: [] } }).imageSets, {});
  assert.deepEqual(told(main, {}).imageSets, {});
  assert.deepEqual(told(main).imageSets, {});
});
