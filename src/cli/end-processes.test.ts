import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { endProcesses } from './end-processes.ts';

test('who does not end when asked is made to', async (t) => {
  const child = spawn('sh', ['-c', 'trap "" TERM; echo deaf; while :; do sleep 0.05; done'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  const exit = once(child, 'exit');
  const all = () => ((child.exitCode ?? child.signalCode) === null ? [child.pid ?? 0] : []);

  assert.equal(await endProcesses(all, { askedMs: 300, killedMs: 60_000 }), true);

  assert.deepEqual(await exit, [null, 'SIGKILL']);
});

test('who stays is said', async () => {
  assert.equal(await endProcesses(() => [2 ** 22], { askedMs: 1, killedMs: 1 }), false); // no pid is that high
});
