/** What users get wrong, and what a cluster gets wrong: each ends in a condition with a reason, and the rest goes on. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { eventually, getJson, kubectl } from '../cluster/cluster.ts';
import { installFlamegate, profilingPolicy, regressionGate } from './support/install.ts';
import { applyObjects, conditionOf, namespace, ordersDeployment, rolledOut } from './support/orders.ts';

const NS = 'bad-input';
const arm = (name: string) => ({ podSelector: { matchLabels: { arm: name } } });

interface PolicyStatus {
  readonly status?: {
    readonly workloads?: readonly {
      readonly name: string;
      readonly profiled: number;
      readonly reason: string;
      readonly message: string;
    }[];
  };
}

describe('bad input', () => {
  before(async () => {
    await installFlamegate();
    const noAttach = ['-XX:+PreserveFramePointer', '-XX:+DisableAttachMechanism'];
    // names from a perf map: a JVM's own tables need no attach protocol
    applyObjects(namespace(NS), profilingPolicy(NS, 'shop', { jvm: { symbols: 'PerfMap' } }));
    applyObjects(
      ordersDeployment({ namespace: NS, name: 'good', replicas: 1, jdk: '17' }),
      ordersDeployment({ namespace: NS, name: 'no-attach', replicas: 1, jdk: '17', jvmArgs: noAttach }),
      withoutJvm(),
    );
    for (const name of ['good', 'no-attach', 'no-jvm']) await rolledOut(NS, name);
  });
  after(() => kubectl('delete', 'namespace', NS, '--wait=false'));

  test('a pod without a JVM and a JVM without attach are named, and the good one is profiled', async () => {
    const workloads = await eventually('the policy to speak of all three', 120, async () => {
      const policy = await getJson<PolicyStatus>('profilingpolicy', 'shop', '-n', NS);
      const found = new Map(policy?.status?.workloads?.map((workload) => [workload.name, workload]));
      const told = found.get('no-attach')?.reason !== undefined && found.get('no-jvm')?.reason === 'NoLibjvm';
      return told && found.get('good')?.profiled === 1 ? found : undefined;
    });

    assert.match(workloads.get('no-attach')?.reason ?? '', /Attach/);
    assert.match(workloads.get('no-attach')?.message ?? '', /DisableAttachMechanism|attach/);
    assert.equal(workloads.get('no-attach')?.profiled, 0);
    assert.equal(workloads.get('no-jvm')?.profiled, 0);
  });

  test('a gate whose target does not exist is stalled', async () => {
    applyObjects(regressionGate(NS, 'missing', { targetRef: { kind: 'Deployment', name: 'absent' } }));

    const resolved = await conditionOf(['regressiongate', NS, 'missing'], 'BaselineResolved', {
      status: 'False',
    });

    assert.equal(resolved.reason, 'TargetNotFound');
    assert.match(resolved.message, /absent/);
  });

  test('a gate whose selectors match nothing says which', async () => {
    applyObjects(regressionGate(NS, 'empty', { baseline: arm('good'), canary: arm('nobody') }));

    const resolved = await conditionOf(['regressiongate', NS, 'empty'], 'BaselineResolved', {
      status: 'False',
    });

    assert.equal(resolved.reason, 'NoCanaryPods');
    assert.match(resolved.message, /nobody/);
  });

  test('a Deployment whose old pods are gone is Inconclusive: BaselineGone', async () => {
    applyObjects(regressionGate(NS, 'gone', { targetRef: { kind: 'Deployment', name: 'good' } }));
    await eventually(
      'the gate to wait',
      60,
      async () => (await verdictOf('gone')) === 'Waiting' || undefined,
    );

    await kubectl('set', 'env', '-n', NS, 'deployment/good', 'CODEC=slow');
    await rolledOut(NS, 'good');

    await eventually(
      'BaselineGone',
      300,
      async () => (await verdictOf('gone')) === 'Inconclusive' || undefined,
    );
    const resolved = await conditionOf(['regressiongate', NS, 'gone'], 'BaselineResolved', {
      status: 'False',
    });
    assert.equal(resolved.reason, 'BaselineGone');
  });
});

async function verdictOf(name: string): Promise<string | undefined> {
  const gate = await getJson<{ status?: { verdict?: string } }>('regressiongate', name, '-n', NS);
  return gate?.status?.verdict;
}

/** A pod of the shop that runs something else than Java: the agent's own Node. */
function withoutJvm(): object {
  const prefix = process.env['IMAGE_PREFIX'] ?? 'localhost';
  const labels = { arm: 'no-jvm', 'app.kubernetes.io/part-of': 'shop' };
  const container = {
    name: 'idle',
    image: `${prefix}/flamegate-controller:dev`,
    imagePullPolicy: 'IfNotPresent',
    command: ['/usr/local/bin/node', '-e', 'setInterval(() => {}, 1000)'],
  };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { namespace: NS, name: 'no-jvm' },
    spec: {
      replicas: 1,
      selector: { matchLabels: { arm: 'no-jvm' } },
      template: { metadata: { labels }, spec: { terminationGracePeriodSeconds: 1, containers: [container] } },
    },
  };
}
