import assert from 'node:assert/strict';
import { test } from 'node:test';
import { watchedPods } from './watched-pods.ts';

const TWO_MINUTES_MS = 120_000;

test('a pod is watched for two minutes after the last question, and both ends are told', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const watched = watchedPods();
  let changes = 0;
  watched.onChange(() => {
    changes += 1;
  });

  assert.equal(watched.watch('a'), true);
  t.mock.timers.tick(TWO_MINUTES_MS - 1);
  assert.equal(watched.watch('a'), true);
  t.mock.timers.tick(TWO_MINUTES_MS - 1);

  assert.deepEqual([[...watched.all()], changes], [['a'], 1]);
  t.mock.timers.tick(1);
  assert.deepEqual([[...watched.all()], changes], [[], 2]);
});

test('so many at once and no more; those that are watched go on', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const watched = watchedPods();
  const all = Array.from({ length: 21 }, (_, index) => `pod-${index}`);

  const taken = all.map((pod) => watched.watch(pod));

  assert.deepEqual(
    taken,
    all.map((_, index) => index < 20),
  );
  assert.equal(watched.watch('pod-0'), true);
  t.mock.timers.tick(TWO_MINUTES_MS);
  assert.equal(watched.watch('pod-20'), true);
});

test('nothing is left running when it is stopped', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const watched = watchedPods();
  watched.watch('a');
  watched.onChange(() => assert.fail('it was stopped'));

  watched.stop();
  t.mock.timers.tick(TWO_MINUTES_MS);

  assert.equal(watched.all().size, 0);
});
