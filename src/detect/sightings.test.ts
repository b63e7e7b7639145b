import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { WindowStacks } from '../profile/shared-stacks.ts';
import type { PodWindow, StackCount } from './pod-window.ts';
import { createSightings, type Sightings } from './sightings.ts';
import { createStackIndex, type StackIndex, selfNode, totalNode } from './stack-index.ts';

const windowOf = (stacks: WindowStacks): PodWindow => ({
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

function see(sightings: Sightings, index: StackIndex, stacks: WindowStacks): void {
  const numbers = new Int32Array(stacks.length);
  index.writeNumbers(stacks, numbers, 0);
  sightings.add([windowOf(stacks)], index, numbers);
}

test('a function is placed where it stood most often, over all stacks and windows', () => {
  const index = createStackIndex();
  const sightings = createSightings();
  const often = at('Codec.kt:87', 'Orders.kt:7', 5);
  see(sightings, index, [at('Codec.kt:91', 'Orders.kt:7', 6), often]);
  see(sightings, index, [often]);

  const { nodes } = index.of(FRAMES);
  const [encode = 0, handle = 0] = nodes.map((node) => node >> 1);
  assert.equal(sightings.placeOf(selfNode(encode), index), 'Codec.kt:87');
  assert.equal(sightings.placeOf(totalNode(handle), index), 'Orders.kt:7');
  assert.deepEqual(sightings.placesOf(index.of(FRAMES)), often.places);
});

test('a stack of which no place is known has none', () => {
  const index = createStackIndex();
  const sightings = createSightings();
  see(sightings, index, [{ frames: FRAMES, count: 3 }, at('', '', 2)]);

  const [node = 0] = index.of(FRAMES).nodes;
  assert.equal(sightings.placeOf(node, index), '');
  assert.equal(createSightings().placesOf(index.of(FRAMES)), undefined);
});

test('when there is no room, what was seen least goes', () => {
  const index = createStackIndex();
  const sightings = createSightings(10);
  const often = at('Codec.kt:87', '', 3);
  const seldom = Array.from({ length: 100 }, (_, line) => at(`Codec.kt:${line + 100}`, '', 1));
  see(sightings, index, [seldom[0] ?? often, often, ...seldom]);

  const [node = 0] = index.of(FRAMES).nodes;
  assert.equal(sightings.placeOf(node, index), 'Codec.kt:87');
});
