/**
 * A service whose pricing sleeps on Dispatchers.Default: the policy's status says which call blocks, and who makes it. The
 * same service without that says nothing of the kind.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Load, podAddresses, startLoad } from '../../scripts/demo/load.ts';
import type { ProfilingPolicy } from '../../src/crds/profiling-policy.ts';
import { eventually, getJson, kubectl } from '../cluster/cluster.ts';
import { installFlamegate, profilingPolicy } from './support/install.ts';
import { applyObjects, namespace, ordersDeployment, rolledOut } from './support/orders.ts';

const NS = 'waiting';
const POLITE = 'polite';
const BLOCKING = 'blocking';
const LOAD_SECONDS = 600;
const RATE = 5;
const LOOKS = 8; // two seconds apart: more than a window

describe('waiting on a real cluster', () => {
  let load: Load;

  before(async () => {
    await installFlamegate();
    applyObjects(namespace(NS), profilingPolicy(NS, 'shop', { offCpu: { enabled: true } }));
    applyObjects(
      ordersDeployment({ namespace: NS, name: POLITE, replicas: 1, jvmArgs: [] }),
      ordersDeployment({
        namespace: NS,
        name: BLOCKING,
        replicas: 1,
        jvmArgs: [],
        env: { BLOCKING_WAIT_MS: '30' },
      }),
    );
    for (const name of [POLITE, BLOCKING]) await rolledOut(NS, name);
    load = startLoad({ waiting: await podAddresses(NS, 'app=orders') }, RATE, LOAD_SECONDS);
  });

  after(async () => {
    await load.stop();
    await kubectl('delete', 'namespace', NS, '--wait=false');
  });

  test('a call that blocks Dispatchers.Default is in the status, with its caller and the coroutine it belongs to', async () => {
    const row = await eventually('a blocking call', 180, async () => {
      const found = await rowOf(BLOCKING);
      return found?.blocking === undefined ? undefined : found;
    });

    assert.equal(row.offCpu, 'Seen', row.offCpuMessage);
    const sleep = row.blocking?.find(({ reason }) => reason === 'sleep');
    assert.deepEqual(
      [sleep?.call, sleep?.caller, sleep?.dispatcher, sleep?.pods],
      ['java.lang.Thread.sleep', 'shop.TaxOffice.askBlocking', 'Default', 1],
    );
    assert(
      sleep?.stack.some((name) => name.startsWith('suspend shop.Orders.')),
      sleep?.stack.join('\n'),
    );
  });

  test('a service that does not block has none', async () => {
    const seen = new Set<string>();
    let looks = 0;
    const row = await eventually('looks at what it waits for', 180, async () => {
      const found = await rowOf(POLITE);
      if (found?.offCpu === undefined) return undefined;
      for (const { reason, call, caller } of found.blocking ?? []) {
        seen.add(`${reason}: ${call} from ${caller}`);
      }
      looks += 1;
      return looks < LOOKS ? undefined : found;
    });

    assert.equal(row.offCpu, 'Seen', row.offCpuMessage);
    // Of two threads that need a class for the first time one waits, on a busy machine for long: but it is none of the service's.
    assert.deepEqual(
      [...seen].filter((call) => call.includes('shop.')),
      [],
    );
  });
});

async function rowOf(name: string) {
  const policy = await getJson<ProfilingPolicy>('profilingpolicy', 'shop', '-n', NS);
  return policy?.status?.workloads?.find((workload) => workload.name === name);
}
