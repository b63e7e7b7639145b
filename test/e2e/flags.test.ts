/** Profiling flags: injected into a Deployment, seen in the running JVM, and taken out again; or set in JVMs that start. */
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

  test('by mode Live a JVM that starts has the flag, its Deployment nothing, and the status says so', async () => {
    const selector = { podSelector: { matchLabels: { arm: 'plain' } } };
    await rolledOut(NS, 'plain');
    await eventually('a JVM that has run for a while', 60, async () => {
      const { items } = await kubectl('get', 'pods', '-n', NS, '-l', 'arm=plain', '-o', 'json').then(
        (text): { items: readonly RunningPod[] } => JSON.parse(text),
      );
      return items.every((pod) => isOlderThan(5_000, pod)) ? items : undefined;
    });
    applyObjects(profilingPolicy(NS, 'live', { ...selector, jvm: { flags: { mode: 'Live' } } }));
    const tooLate = await eventually('a word on the JVM that ran already', 90, () => liveOf('plain'));
    assert.deepEqual([tooLate.set, tooLate.tooLate.length], [0, 1]);

    await kubectl('rollout', 'restart', '-n', NS, 'deployment/plain');
    await rolledOut(NS, 'plain');

    const live = await eventually('the flag is set', 90, async () => {
      const said = await liveOf('plain');
      return said?.set === 1 ? said : undefined;
    });
    console.log(`set when the JVM was ${live.maxAgeMs} ms old`);
    assert.deepEqual([live.tooLate, live.refused], [[], []]);
    await eventually('the agent sees the flag in the running JVM', 60, async () =>
      (await workloadOf('plain'))?.flags?.includes('DebugNonSafepoints'),
    );
    assert.equal(await toolOptions('plain'), undefined);
  });

  test('a policy that selects nothing says so', async () => {
    applyObjects(profilingPolicy(NS, 'nothing', { podSelector: { matchLabels: { app: 'absent' } } }));

    const ready = await conditionOf(['profilingpolicy', NS, 'nothing'], 'Ready', { status: 'False' });

    assert.equal(ready.reason, 'NoPodsSelected');
  });
});

interface RunningPod {
  readonly status: {
    readonly containerStatuses?: readonly { state?: { running?: { startedAt: string } } }[];
  };
}

function isOlderThan(ageMs: number, { status }: RunningPod): boolean {
  const startedAt = status.containerStatuses?.[0]?.state?.running?.startedAt;
  return startedAt !== undefined && Date.now() - Date.parse(startedAt) > ageMs;
}

interface Live {
  readonly set: number;
  readonly maxAgeMs?: number;
  readonly tooLate: readonly string[];
  readonly refused: readonly { readonly reason: string }[];
}

interface Workload {
  readonly name: string;
  readonly flags?: string;
  readonly live?: Live;
}

/** As the policy `live` says it. */
async function workloadOf(name: string): Promise<Workload | undefined> {
  const policy = await getJson<{ status?: { workloads?: readonly Workload[] } }>(
    ...(['profilingpolicy', 'live', '-n', NS] as const),
  );
  return policy?.status?.workloads?.find((workload) => workload.name === name);
}

async function liveOf(name: string): Promise<Live | undefined> {
  const live = (await workloadOf(name))?.live;
  return live && live.set + live.tooLate.length > 0 ? live : undefined;
}

async function toolOptions(name: string): Promise<string | undefined> {
  const deployment = await getJson<Deployment>('deployment', name, '-n', NS);
  const env = deployment?.spec.template.spec.containers.flatMap((container) => container.env ?? []) ?? [];
  return env.find((item) => item.name === 'JAVA_TOOL_OPTIONS')?.value;
}
