import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Block, LOOK_MS } from './looks.ts';
import { hasServedFew, MATURE_BY_MS, Maturity } from './maturity.ts';
import type { PodWindow } from './pod-window.ts';

interface Young {
  readonly compiling?: number;
  readonly interpreted?: number;
  readonly ageMs?: number;
}

function window(pod: string, look: number, young: Young = {}): PodWindow {
  const { compiling = 0, interpreted = 0, ageMs = 300_000 } = young;
  const startMs = look * LOOK_MS;
  return {
    ...{ pod, startMs, endMs: startMs + LOOK_MS, podStartedAtMs: startMs - ageMs },
    ...{ samplesTaken: 200, samplesLost: 0, hz: 49, cpuUsec: 4_000_000, throttledUsec: 0, flags: '' },
    stacks: [
      { frames: ['shop.Orders.find', 'java.lang.Thread.run'], count: 200 - compiling },
      ...(compiling > 0 ? [{ frames: ['[libjvm.so]', '[C2 compiler]'], count: compiling }] : []),
    ],
    java: { samples: 200 - compiling, interpreted },
  };
}

const block = (look: number, canary: Young, baseline: Young = {}): Block => ({
  lookAtMs: (look + 1) * LOOK_MS,
  baseline: [window('b1', look, baseline), window('b2', look, baseline)],
  canary: [window('c1', look, canary), window('c2', look, {})],
  warmUpExcluded: false,
});

const canaries = ({ canary }: Block): string[] => canary.map(({ pod }) => pod);

test('a pod that still compiles is left out until it has done with it, and the reason is told with numbers', () => {
  const maturity = new Maturity();

  const first = maturity.matured(block(0, { compiling: 20 }));
  assert.deepEqual(canaries(first), ['c2']);
  assert.equal(first.warmUpExcluded, true);
  const { why } = maturity;
  assert.ok(why);
  assert.equal(why.pods, 1);
  assert.deepEqual(why.compiling, [0.05, 0]);

  let look = 1;
  while (maturity.isBehind('c1') && look < 40) {
    maturity.matured(block(look, {}));
    look += 1;
  }
  assert.ok(look > 2 && look < 12);
  assert.equal(maturity.why, undefined);
  assert.equal(maturity.leftOutMs, (look - 1) * LOOK_MS);
});

test('a pod whose Java still runs in the interpreter is left out, but not one as interpreted as the baseline', () => {
  assert.deepEqual(canaries(new Maturity().matured(block(0, { interpreted: 60 }))), ['c2']);
  assert.deepEqual(canaries(new Maturity().matured(block(0, { interpreted: 60 }, { interpreted: 50 }))), [
    'c1',
    'c2',
  ]);
});

test('twins of the same age compile as much, and nobody is left out', () => {
  const twins = new Maturity().matured(block(0, { compiling: 20 }, { compiling: 18 }));
  assert.deepEqual([canaries(twins), twins.baseline.length, twins.warmUpExcluded], [['c1', 'c2'], 2, false]);
});

test('a pod that compiles for half an hour counts, and stays behind', () => {
  const maturity = new Maturity();
  assert.deepEqual(canaries(maturity.matured(block(0, { compiling: 20, ageMs: MATURE_BY_MS }))), [
    'c1',
    'c2',
  ]);
  assert.equal(maturity.isBehind('c1'), true);
});

test('a canary is young by what its pods have served, beside the baseline and at all, and not where that is unknown', () => {
  assert.equal(hasServedFew(500, 5_000), true);
  assert.equal(hasServedFew(500, 900), false);
  assert.equal(hasServedFew(3_000, 1_000_000), false);
  assert.equal(hasServedFew(0, 5_000), false);
});

test('what is counted from late in youth on stays young until three times as many are served, at most twice the usual', () => {
  assert.equal(hasServedFew(3_500, 1_000_000, 1_500), true);
  assert.equal(hasServedFew(4_500, 1_000_000, 1_500), false);
  assert.equal(hasServedFew(5_999, 1_000_000, 2_900), true);
  assert.equal(hasServedFew(6_000, 1_000_000, 2_900), false);
  assert.equal(hasServedFew(3_500, 1_000_000, 100), false);
  assert.equal(hasServedFew(8_000, 1_000_000, 4_000), false);
});
