/**
 * A service that forces each answered order to disk twenty times: the policy's status names the function that does. The same
 * service without its ledger syncs nothing.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Load, podAddresses, startLoad } from '../../scripts/demo/load.ts';
import type { ProfilingPolicy } from '../../src/crds/profiling-policy.ts';
import { eventually, getJson, kubectl } from '../cluster/cluster.ts';
import { installFlamegate, profilingPolicy } from './support/install.ts';
import { applyObjects, namespace, ordersDeployment, rolledOut } from './support/orders.ts';

const NS = 'io';
const FORGETFUL = 'forgetful';
const CAUTIOUS = 'cautious';
const SYNCS = 20;
const LOAD_SECONDS = 600;
const RATE = 5;

describe('reads, writes and syncs on a real cluster', () => {
  let load: Load;

  before(async () => {
    await installFlamegate();
    applyObjects(namespace(NS), profilingPolicy(NS, 'shop', { io: { enabled: true } }));
    applyObjects(
      ordersDeployment({ namespace: NS, name: FORGETFUL, replicas: 1, jvmArgs: [] }),
      ordersDeployment({
        namespace: NS,
        name: CAUTIOUS,
        replicas: 1,
        jvmArgs: [],
        env: { LEDGER_SYNCS: String(SYNCS) },
      }),
    );
    for (const name of [FORGETFUL, CAUTIOUS]) await rolledOut(NS, name);
    load = startLoad({ io: await podAddresses(NS, 'app=orders') }, RATE, LOAD_SECONDS);
  });

  after(async () => {
    await load.stop();
    await kubectl('delete', 'namespace', NS, '--wait=false');
  });

  test('the function that syncs a file too often is in the status, with its callers and what it costs', async () => {
    const row = await eventually('a function that syncs', 180, async () => {
      const found = await rowOf(CAUTIOUS);
      return found?.slowIo === undefined ? undefined : found;
    });

    assert.equal(row.io, 'Seen', row.ioMessage);
    const sync = row.slowIo?.find(({ kind }) => kind === 'FileSync');
    assert.deepEqual(
      [sync?.function, sync?.call, sync?.pods],
      ['suspend shop.Ledger.record', 'sun.nio.ch.FileChannelImpl.force', 1],
    );
    assert((sync?.calls ?? 0) >= SYNCS, `${sync?.calls} syncs`);
    assert(
      sync?.stack.some((name) => name.startsWith('suspend shop.Orders.')),
      sync?.stack.join('\n'),
    );
  });

  test('what both read and write is there, and the one without a ledger syncs nothing', async () => {
    const row = await eventually('what it reads and writes', 60, async () => {
      const found = await rowOf(FORGETFUL);
      const kinds = new Set(found?.ioTotals?.map(({ kind }) => kind));
      return kinds.has('SocketReceive') && kinds.has('SocketSend') ? found : undefined;
    });

    assert.equal(row.io, 'Seen', row.ioMessage);
    assert(!row.ioTotals?.some(({ kind }) => kind === 'FileSync'), JSON.stringify(row.ioTotals));
    assert(!row.slowIo?.some(({ kind }) => kind === 'FileSync'), JSON.stringify(row.slowIo));
    const sent = row.ioTotals?.find(({ kind }) => kind === 'SocketSend');
    assert((sent?.bytesPerSecond ?? 0) > 0, JSON.stringify(sent));
  });
});

async function rowOf(name: string) {
  const policy = await getJson<ProfilingPolicy>('profilingpolicy', 'shop', '-n', NS);
  return policy?.status?.workloads?.find((workload) => workload.name === name);
}
