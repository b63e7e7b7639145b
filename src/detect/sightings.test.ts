import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PodWindow, StackCount } from './pod-window.ts';
import { createSightings } from './sightings.ts';
import { createStackIndex, selfNode, totalNode } from './stack-index.ts';

const windowOf = (stacks: readonly StackCount[]): PodWindow => ({
  pod: 'a',
  startMs: 0,
  endMs: 10_000,
  podStartedAtMs: 0,
  samplesTaken: 1,
  samplesLost: 0,
  hz: 49,
  cpuUsec: 1,
  throttledUsec: 0,
  flags: '',
  stacks,
});
const FRAMES = ['shop.Codec.encode', 'shop.Orders.handle'];
const at = (encode: string, handle: string, count: number): StackCount => ({
  frames: FRAMES,
  places: [encode, handle],
  count,
});

test('a function is placed where it stood most often, over all stacks and windows', () => {
  const index = createStackIndex();
  const sightings = createSightings();
  const often = at('Codec.kt:87', 'Orders.kt:7', 5);
  sightings.add([windowOf([at('Codec.kt:91', 'Orders.kt:7', 6), often])], index);
  sightings.add([windowOf([often])], index);

  const { nodes } = index.of(FRAMES);
  const [encode = 0, handle = 0] = nodes.map((node) => node >> 1);
  assert.equal(sightings.placeOf(selfNode(encode), index), 'Codec.kt:87');
  assert.equal(sightings.placeOf(totalNode(handle), index), 'Orders.kt:7');
  assert.deepEqual(sightings.placesOf(index.of(FRAMES)), often.places);
});

test('a stack of which no place is known has none', () => {
  const index = createStackIndex();
  const sightings = createSightings();
  sightings.add([windowOf([{ frames: FRAMES, count: 3 }, at('', '', 2)])], index);

  const [node = 0] = index.of(FRAMES).nodes;
  assert.equal(sightings.placeOf(node, index), '');
  assert.equal(createSightings().placesOf(index.of(FRAMES)), undefined);
});

test('when there is no room, what was seen least goes', () => {
  const index = createStackIndex();
  const sightings = createSightings(10);
  const often = at('Codec.kt:87', '', 3);
  const seldom = Array.from({ length: 100 }, (_, line) => at(`Codec.kt:${line + 100}`, '', 1));
  sightings.add([windowOf([seldom[0] ?? often, often, ...seldom])], index);

  const [node = 0] = index.of(FRAMES).nodes;
  assert.equal(sightings.placeOf(node, index), 'Codec.kt:87');
});
