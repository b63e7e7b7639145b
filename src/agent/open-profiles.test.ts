import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PbfReader } from 'pbf';
import { anAssignment } from './agent-fixture.ts';
import { createOpenProfiles } from './open-profiles.ts';

const STACK = [{ name: 'shop.Main.main', place: '' }];
const container = (id: string) => anAssignment(id).containers[0] ?? assert.fail();

/** Of a profile, by the numbers of profile.proto: time, duration and period, in seconds. */
function secondsOf(pprof: Uint8Array): readonly number[] {
  const found = new Map<number, number>();
  new PbfReader(pprof).readFields((tag, to, reader) => {
    if (reader.type === 0) to.set(tag, reader.readVarint() / 1e9);
  }, found);
  return [9, 10, 12].map((tag) => found.get(tag) ?? Number.NaN);
}

test('windows of ten seconds become profiles of half a minute, of each container its own', () => {
  const profiles = createOpenProfiles();
  const ended = [0, 10, 20, 30].map((startS) => {
    profiles.of(container('a'), 50).add(STACK, 3);
    if (startS === 0) profiles.of(container('b'), 50).add(STACK, 4);
    return profiles.windowClosed(startS * 1_000, (startS + 10) * 1_000);
  });

  assert.deepEqual(
    ended.map((all) => all.map(({ container: { containerId }, samples }) => [containerId, samples])),
    [[], [['b', 4]], [['a', 9]], []],
  );
  assert.deepEqual(secondsOf(ended[2]?.[0]?.pprof ?? new Uint8Array()), [0, 30, 0.02]);
  assert.deepEqual(
    profiles.end().map(({ samples, pprof }) => [samples, ...secondsOf(pprof)]),
    [[3, 30, 10, 0.02]],
  );
});

test('a window of another rate begins a profile of its own, and one without samples is none', () => {
  const profiles = createOpenProfiles();
  profiles.of(container('a'), 50).add(STACK, 3);
  profiles.of(container('b'), 50);
  profiles.windowClosed(0, 10_000);
  profiles.of(container('a'), 100).add(STACK, 5);

  const ended = [...profiles.windowClosed(10_000, 20_000), ...profiles.end()];

  assert.deepEqual(
    ended.map(({ samples, pprof }) => [samples, ...secondsOf(pprof)]),
    [
      [3, 0, 10, 0.02],
      [5, 10, 10, 0.01],
    ],
  );
});
