/** The three JVM flags: injected into a Deployment, seen in the running JVM, and taken out again. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { eventually, getJson, kubectl } from '../cluster/cluster.ts';
import { installFlamegate, profilingPolicy } from './support/install.ts';
import { applyObjects, conditionOf, namespace, ordersDeployment, rolledOut } from './support/orders.ts';

const NS = 'flags';
const IMMEDIATE = { jvm: { flags: { mode: 'Immediate', acknowledgeRestarts: true } } };

interface Deployment {
  readonly metadata: { readonly generation: number };
  readonly spec: {
    readonly template: {
      readonly spec: {
        readonly containers: readonly {
          readonly env?: readonly { readonly name: string; readonly value?: string }[];
        }[];
      };
    };
  };
}

describe('profiling flags', () => {
  before(async () => {
    await installFlamegate();
    applyObjects(namespace(NS));
    const plain = { namespace: NS, replicas: 1, jdk: '17', jvmArgs: [] } as const;
    applyObjects(
      ordersDeployment({ ...plain, name: 'plain' }),
      ordersDeployment({
        ...plain,
        name: 'owned',
        env: { JAVA_TOOL_OPTIONS: '-Dx=1', JDK_JAVA_OPTIONS: '-Dy=2' },
      }),
    );
    await rolledOut(NS, 'plain');
    await rolledOut(NS, 'owned');
    applyObjects(profilingPolicy(NS, 'shop', IMMEDIATE));
  });
  after(() => kubectl('delete', 'namespace', NS, '--wait=false'));

  test('they reach the running JVM', async () => {
    await eventually('the injected variable', 120, async () => (await toolOptions('plain')) ?? undefined);
    await rolledOut(NS, 'plain');

    const flags = await eventually('VM.flags of the new pod', 60, () =>
      kubectl('exec', '-n', NS, 'deployment/plain', '--', '/opt/java/bin/jcmd', '1', 'VM.flags'),
    );

    assert.match(flags, /-XX:\+PreserveFramePointer/);
    assert.match(flags, /-XX:\+DebugNonSafepoints/);
    assert.match(flags, /-XX:\+UnlockDiagnosticVMOptions/);
  });

  test('a Deployment whose owner uses both variables is left alone, and the status says what to paste', async () => {
    const condition = await eventually('a word on the owned Deployment', 90, async () => {
      const policy = await getJson<{
        status?: { workloads?: { name: string; reason: string; message: string }[] };
      }>('profilingpolicy', 'shop', '-n', NS);
      return policy?.status?.workloads?.find(
        (workload) => workload.name === 'owned' && workload.reason === 'EnvOwnedByUser',
      );
    });

    assert.match(condition.message, /-XX:\+PreserveFramePointer/);
    assert.equal(await toolOptions('owned'), '-Dx=1');
  });

  test('they are taken out again when the policy goes', async () => {
    await kubectl('delete', 'profilingpolicy', 'shop', '-n', NS, '--timeout=60s');

    assert.equal(await toolOptions('plain'), undefined);
    assert.equal(await toolOptions('owned'), '-Dx=1');
  });

  test('Immediate without acknowledged restarts is refused at apply, with the field and the reason', () => {
    const spec = { jvm: { flags: { mode: 'Immediate' } } };

    assert.throws(() => applyObjects(profilingPolicy(NS, 'unasked', spec)), /acknowledgeRestarts/);
  });

  test('a policy that selects nothing says so', async () => {
    applyObjects(profilingPolicy(NS, 'nothing', { podSelector: { matchLabels: { app: 'absent' } } }));

    const ready = await conditionOf(['profilingpolicy', NS, 'nothing'], 'Ready', { status: 'False' });

    assert.equal(ready.reason, 'NoPodsSelected');
  });
});

async function toolOptions(name: string): Promise<string | undefined> {
  const deployment = await getJson<Deployment>('deployment', name, '-n', NS);
  const env = deployment?.spec.template.spec.containers.flatMap((container) => container.env ?? []) ?? [];
  return env.find((item) => item.name === 'JAVA_TOOL_OPTIONS')?.value;
}
