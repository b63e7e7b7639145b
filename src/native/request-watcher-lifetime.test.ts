import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { bpfObjectsOf, eventually, holdings, kernelHas } from './sampler-fixture.ts';
import { aNode, aWatcher } from './testing/peers.ts';

const WATCHING = fileURLToPath(new URL('testing/watch-requests.ts', import.meta.url));

test('opening and closing again and again leaves nothing behind', async (t) => {
  const peer = await aNode(t);
  const before = { ...holdings(), bpf: bpfObjectsOf('self') };

  for (let i = 0; i < 10; i++) {
    const watcher = aWatcher(t);
    watcher.watch(peer.cgroupId, 1);
    watcher.close();
    watcher.close();
    assert.throws(() => watcher.take(), { code: 'SAMPLER_CLOSED' });
  }

  assert.deepEqual({ ...holdings(), bpf: bpfObjectsOf('self') }, before);
});

test('a worker that is ended, and a process that exits, leave nothing in the kernel', async (t) => {
  const before = bpfObjectsOf('self');

  const worker = new Worker(WATCHING);
  t.after(() => worker.terminate());
  await once(worker, 'message');
  const during = bpfObjectsOf('self');
  await worker.terminate();
  const { status, stdout } = spawnSync(process.execPath, [WATCHING, 'exit'], { encoding: 'utf8' });

  assert(during.programs.length > 0);
  await eventually('the kernel has freed them', () =>
    during.programs.every((id) => !kernelHas('program', id)),
  );
  assert.deepEqual(bpfObjectsOf('self'), before);
  assert.deepEqual({ status, stdout }, { status: 0, stdout: 'watching\n' });
});

test('options out of range are refused in words', (t) => {
  assert.throws(() => aWatcher(t, { ringBytes: 100_000 }), { code: 'SAMPLER_BAD_OPTION' });
  assert.throws(() => aWatcher(t, { maxConnections: 0 }), { code: 'SAMPLER_BAD_OPTION' });
  assert.throws(() => aWatcher(t, { objectPath: '/nowhere' }), { code: 'BPF_OBJECT_MISSING' });
  assert.throws(() => aWatcher(t).watch(-1n, 1), { code: 'SAMPLER_BAD_OPTION' });
});
