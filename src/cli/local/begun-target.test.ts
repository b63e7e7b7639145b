import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { begin } from './begun-target.ts';

const untilEnded = async (pids: () => readonly number[]): Promise<void> => {
  for (let look = 0; look < 1_200 && pids().length > 0; look++) await delay(50);
  assert.deepEqual(pids(), []);
};

test('a command that ends by Ctrl-C has not failed, and one that ends by itself has', async () => {
  const ctrlC = new AbortController();
  const target = () => begin({ kind: 'command', command: 'sh', args: ['-c', 'kill -INT $$'] }, ctrlC.signal);
  const alone = target();
  await untilEnded(alone.pids);
  await assert.rejects(alone.end(), { code: 'COMMAND_FAILED', message: 'sh ended by SIGINT' });

  const ended = target();
  await untilEnded(ended.pids);
  ctrlC.abort();

  await ended.end();
});
