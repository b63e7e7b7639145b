import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sayAfterAWhile } from './progress.ts';

test('what takes more than a second is told once, what is done before is not', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const said: string[] = [];
  const say = (line: string) => void said.push(line);
  const slow = Promise.withResolvers<number>();

  const quick = await sayAfterAWhile(Promise.resolve(1), say, 'quick');
  const waiting = sayAfterAWhile(slow.promise, say, 'slow');
  t.mock.timers.tick(1_000);
  slow.resolve(2);

  assert.deepEqual([quick, await waiting, said], [1, 2, ['slow']]);
  t.mock.timers.tick(10_000);
  assert.deepEqual(said, ['slow']);
});

test('a failure is the work’s own', async () => {
  await assert.rejects(
    sayAfterAWhile(Promise.reject(new Error('it broke')), () => undefined, 'slow'),
    /it broke/,
  );
});
