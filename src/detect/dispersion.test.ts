import assert from 'node:assert/strict';
import { test } from 'node:test';
import { estimateDispersion } from './dispersion.ts';
import type { PodWindow } from './pod-window.ts';
import { createStackIndex, selfNode } from './stack-index.ts';
import { addBlock, createArmTally } from './tally.ts';

const BLOCKS = 12;

/** Samples of function `f` among 1,000 in each block of each pod; an arm per list of pods. */
function spreadOf(arms: readonly (readonly ((block: number) => number)[])[]) {
  const index = createStackIndex();
  const frames = { f: ['f', 'run'], rest: ['rest', 'run'] };
  const node = selfNode(0);
  index.of(['f']);
  index.of(frames.f);
  index.of(frames.rest);
  const tallies = { baseline: createArmTally(), canary: createArmTally() };
  for (let block = 0; block < BLOCKS; block++) {
    const windowsOf = (pods: readonly ((block: number) => number)[] = []): PodWindow[] =>
      pods.map((samplesOf, pod) => {
        const count = samplesOf(block);
        const stacks = [
          { frames: frames.f, count },
          { frames: frames.rest, count: 1000 - count },
        ];
        const times = { startMs: 0, endMs: 10_000, podStartedAtMs: 0 };
        const facts = {
          samplesTaken: 1000,
          samplesLost: 0,
          hz: 199,
          cpuUsec: 5e6,
          throttledUsec: 0,
          flags: '',
        };
        return { pod: `${pod}`, ...times, ...facts, stacks };
      });
    addBlock(tallies, { baseline: windowsOf(arms[0]), canary: windowsOf(arms[1]) }, index);
  }
  const { spreads, degreesOfFreedom } = estimateDispersion([tallies.baseline, tallies.canary]);
  return { ...(spreads[node] ?? { podVariance: 0, overdispersion: 0 }), degreesOfFreedom };
}

const steady = (samples: number) => (): number => samples;

test('pods that agree get the assumed spread of 3 %, not none', () => {
  const { podVariance, overdispersion } = spreadOf([Array(3).fill(steady(100)), Array(3).fill(steady(100))]);

  assert.ok(Math.abs(Math.sqrt(podVariance) - 0.03) < 1e-9);
  assert.equal(overdispersion, 1);
});

test('a difference between the arms does not count as spread', () => {
  const { podVariance } = spreadOf([Array(3).fill(steady(50)), Array(3).fill(steady(200))]);

  assert.ok(Math.abs(Math.sqrt(podVariance) - 0.03) < 1e-9);
});

test('a function that some pods inline keeps all of its own spread', () => {
  const { podVariance } = spreadOf([
    [steady(0), steady(200), steady(200)],
    [steady(200), steady(0), steady(200)],
  ]);

  assert.ok(podVariance > 0.3, `${podVariance}`);
});

test('bursts of a pod of its own raise the overdispersion', () => {
  const bursting = (phase: number) => (block: number) => (block % 3 === phase ? 220 : 40);
  const pods = [0, 1, 2].map(bursting);

  const { overdispersion } = spreadOf([pods, pods]);

  assert.ok(overdispersion > 20, `${overdispersion}`);
});

test('what all pods of an arm do at the same time is no overdispersion: both arms live through it', () => {
  const compiled = (block: number): number => (block < 4 ? 40 : 220);

  const { overdispersion } = spreadOf([Array(3).fill(compiled), Array(3).fill(compiled)]);

  assert.equal(overdispersion, 1);
});

test('every pod after the first of an arm is a degree of freedom', () => {
  const few = spreadOf([[steady(100)], [steady(100)]]).degreesOfFreedom;

  assert.equal(spreadOf([Array(3).fill(steady(100)), Array(3).fill(steady(100))]).degreesOfFreedom, few + 4);
});
