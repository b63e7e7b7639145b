import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LOOK_MS } from '../../src/detect/looks.ts';
import type { PodWindow } from '../../src/detect/pod-window.ts';
import { judgeInTurn, lessOnePod } from './canaries.ts';
import { namesCodec } from './codec.ts';
import { generationsOf, type RecordedPod } from './recorded-pods.ts';

const LOOKS = 36;
const SETTINGS = {
  ...{ functionMargin: 0.02, falseFailureRate: 0.01, warmUpMs: 120_000 },
  ...{ minDurationMs: 3 * 60_000, deadlineMs: 10 * 60_000 },
};

/** 3,000 samples a look, and as large a `part` more in the codec, from look `from` on. */
function aPod(id: string, arm: string, part: number, from = 0): RecordedPod {
  const windowAt = (look: number): PodWindow => ({
    ...{ pod: id, startMs: look * LOOK_MS, endMs: (look + 1) * LOOK_MS, podStartedAtMs: 0 },
    ...{ samplesTaken: 3_000, samplesLost: 0, hz: 199, cpuUsec: 15_000_000, throttledUsec: 0, flags: '' },
    stacks: [
      { frames: ['shop.Orders.find', 'java.lang.Thread.run'], count: 1_800 + (look % 3) },
      { frames: ['shop.Stock.of', 'java.lang.Thread.run'], count: 1_200 },
      ...(part > 0
        ? [{ frames: ['shop.SlowCodec.encode', 'java.lang.Thread.run'], count: 3_000 * part }]
        : []),
    ],
  });
  const looks = Array.from({ length: LOOKS - from }, (_, at) => from + at);
  return {
    ...{ id, arm, hash: `${arm}${from}`, jdk: '25', firstMs: from * LOOK_MS, lastMs: LOOKS * LOOK_MS },
    cold: new Map(),
    looks: new Map(looks.slice(from === 0 ? 0 : 4).map((look) => [look, windowAt(look)])),
  };
}

const baseline = [0, 1, 2, 3].map((pod) => aPod(`stable-${pod}`, 'stable', 0));
const canaries = [0, 1, 2].map((pod) => aPod(`codec-${pod}`, 'codec', 0.1, 1));
const [generation] = generationsOf([...baseline, ...canaries], 'codec');
assert(generation !== undefined);

test('gates over one generation follow each other, and none begins that has too little left', () => {
  const outcomes = judgeInTurn(baseline, generation, SETTINGS);

  assert.ok(outcomes.length >= 2, JSON.stringify(outcomes));
  const ends = outcomes.map(
    ({ startedAtMs, afterS = 0 }) => Math.max(startedAtMs, 5 * LOOK_MS) + afterS * 1_000,
  );
  for (const [number, { verdict, startedAtMs, codecPlace, by, deadlineS }] of outcomes.entries()) {
    assert.deepEqual([verdict, codecPlace, by], ['Failed', 1, ['cpu.function']]);
    assert.equal(startedAtMs, number === 0 ? LOOK_MS : ends[number - 1]);
    assert.ok(startedAtMs + deadlineS * 1_000 <= LOOKS * LOOK_MS && deadlineS >= 300);
  }
});

test('of three pods there are three pairs', () => {
  const pairs = lessOnePod(generation).map(({ pods }) => pods.map(({ id }) => id));

  assert.deepEqual(pairs, [
    ['codec-1', 'codec-2'],
    ['codec-0', 'codec-2'],
    ['codec-0', 'codec-1'],
  ]);
});

test('the codec is named by its functions, and by what only it calls; its callers are not it', () => {
  const named = (name: string, stack: string[], kind: 'New' | 'Moved' = 'New') =>
    namesCodec({ function: name, kind, stack });
  const stack = [
    'java.util.zip.Deflater.deflate',
    'shop.SlowCodec.encode (SlowCodec.kt:31)',
    'shop.Orders.find',
  ];

  assert.ok(named('shop.SlowCodec.decode', []));
  assert.ok(named('suspend shop.SlowCodec$encode$2.invokeSuspend', []));
  assert.ok(named('java.util.zip.Deflater.deflate', stack));
  assert.ok(!named('shop.Orders.find', stack));
  assert.ok(!named('shop.SlowCodecs.of', []));
  assert.ok(!named('shop.SlowCodec.decode', [], 'Moved'));
});
