import assert from 'node:assert/strict';
import { test } from 'node:test';
import { totalCount } from '../profile/stack-counts.ts';
import { createExposure, exposed } from './exposure.ts';
import { judgeCpu } from './judge-cpu.ts';
import { LOOK_MS } from './looks.ts';
import type { PodWindow } from './pod-window.ts';

const FAST = ['shop.Fast.run', 'shop.Main.main'];
const SLOW = ['shop.Slow.run', 'shop.Main.main'];

/** A block of one pod, half of it in each of two functions unless told otherwise. */
function aWindow(pod: string, hz: number, { look = 0, part = 0.5, samples = hz * 30 } = {}): PodWindow {
  const inFast = Math.round(samples * part);
  return {
    ...{ pod, hz, startMs: look * LOOK_MS, endMs: (look + 1) * LOOK_MS, podStartedAtMs: -3_600_000 },
    ...{ samplesTaken: samples, samplesLost: 0, cpuUsec: 30_000_000, throttledUsec: 0, flags: '' },
    stacks: [
      { frames: FAST, count: inFast },
      { frames: SLOW, count: samples - inFast },
    ],
  };
}

const aBlock = (look: number, canaryHz: number, baselineHz: number) => ({
  canary: [aWindow('canary', canaryHz, { look })],
  baseline: [aWindow('baseline', baselineHz, { look })],
  lookAtMs: (look + 1) * LOOK_MS,
  warmUpExcluded: false,
});
const samplesIn = (windows: readonly PodWindow[]) =>
  windows.reduce((sum, { stacks }) => sum + totalCount(stacks), 0);

test('arms that change their rate together keep all of their samples', () => {
  const exposure = createExposure();
  for (const [look, hz] of [49, 199, 199].entries()) {
    const block = aBlock(look, hz, hz);
    assert.equal(exposed(exposure, block), block);
  }

  assert.deepEqual([exposure.looks, exposure.hzLooks, exposure.hz, exposure.unequal], [3, 447, 199, 0]);
});

test('an arm that hears of another rate before the other is thinned to it, the same way for everybody', () => {
  const exposure = createExposure();
  exposed(exposure, aBlock(0, 49, 49));
  const block = aBlock(1, 199, 49);

  const even = exposed(exposure, block);
  const again = exposed({ ...createExposure(), ratio: 1 }, block);

  assert.deepEqual(even, again);
  assert.equal(even.baseline, block.baseline);
  const kept = samplesIn(even.canary);
  assert(Math.abs(kept - 49 * 30) < 5 * Math.sqrt(49 * 30), `${kept} of ${samplesIn(block.canary)}`);
  assert.equal(exposure.unequal, 1);
  const other = exposed(exposure, aBlock(2, 49, 199));
  assert(samplesIn(other.baseline) < 2_000 && samplesIn(other.canary) === 49 * 30);
});

test('arms that policies sample differently all along keep all of their samples', () => {
  const exposure = createExposure();
  for (const look of [0, 1, 2]) exposed(exposure, aBlock(look, 97, 49));
  assert.equal(exposure.unequal, 0);
});

// In its second half the whole service does other work. Were an arm’s rate raised then, that half would weigh four times as much
// in it, and one function would seem to have grown from 37 to 45 % of CPU.
test('a service that changes while one arm is sampled more often is not compared with what it was, and the report says so', () => {
  const LOOKS = 20;
  const arm = (name: string, hzLater: number): PodWindow[] =>
    ['a', 'b', 'c'].flatMap((pod) =>
      Array.from({ length: LOOKS }, (_, look) => {
        const hz = look < LOOKS / 2 ? 49 : hzLater;
        return aWindow(`${name}-${pod}`, hz, { look, part: look < LOOKS / 2 ? 0.25 : 0.5 });
      }),
    );
  const settings = {
    ...{ functionMargin: 0.03, falseFailureRate: 0.01, warmUpMs: 0 },
    ...{ minDurationMs: (LOOKS - 1) * LOOK_MS, deadlineMs: LOOKS * LOOK_MS },
  };
  const judged = (canaryHz: number) =>
    judgeCpu({
      baseline: arm('baseline', 49),
      canary: arm('canary', canaryHz),
      ...{ settings, startedAtMs: 0, nowMs: LOOKS * LOOK_MS },
    });

  const unequal = judged(199);
  const delta = unequal.checks[0]?.delta ?? Number.NaN;
  assert(Math.abs(delta) < 0.01, unequal.message);
  assert(unequal.flags.includes('RatesDiffered'));
  assert(!judged(49).flags.includes('RatesDiffered'));
});
