import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judgeCpu } from './judge-cpu.ts';
import type { PodWindow } from './pod-window.ts';

const WORKER = 'kotlinx.coroutines.scheduling.CoroutineScheduler$Worker.run';
const TASK = 'kotlinx.coroutines.DispatchedTask.run';
const below = (...frames: readonly string[]): string => [...frames, TASK, WORKER].join(';');
const PLAIN = {
  [below('shop.Codec.write', 'shop.Orders.place')]: 70,
  [below('shop.Store.find', 'shop.Orders.place')]: 60,
  [below('shop.Prices.sum', 'shop.Orders.price')]: 50,
  [below()]: 20,
};
const LOADING = 'jdk.internal.loader.BuiltinClassLoader.loadClass';
const MARGIN = 0.05;

/** Three pods an arm and forty looks; a ripple stands for chance. */
function judge(added: Readonly<Record<string, number>>) {
  const windows = (arm: string, stacks: Readonly<Record<string, number>>): PodWindow[] =>
    ['a', 'bb', 'ccc'].flatMap((pod) =>
      Array.from({ length: 40 }, (_, at) => ({
        pod: `${arm}-${pod}`,
        ...{ startMs: at * 30_000, endMs: (at + 1) * 30_000, podStartedAtMs: -600_000 },
        ...{ samplesTaken: 206, samplesLost: 0, hz: 49, cpuUsec: 1e6, throttledUsec: 0, flags: '' },
        stacks: Object.entries(stacks).map(([text, count], i) => ({
          frames: text.split(';'),
          count: count + ((at * 7 + i * 5 + pod.length * 3) % 5) - 2,
        })),
      })),
    );
  return judgeCpu({
    baseline: windows('baseline', PLAIN),
    canary: windows('canary', { ...PLAIN, ...added }),
    ...{ startedAtMs: 0, nowMs: 1_200_000 },
    settings: {
      ...{ functionMargin: MARGIN, falseFailureRate: 0.01, warmUpMs: 0 },
      ...{ minDurationMs: 1_200_000, deadlineMs: 1_200_000 },
    },
  });
}

test('a new path of 3 % below the dispatcher is failed though functions may grow by 5 %', () => {
  const judgement = judge({ [below('shop.Audit.sign', 'shop.Orders.place')]: 6 });

  assert.equal(judgement.verdict, 'Failed', judgement.message);
  assert.equal(judgement.reason, 'NewHotPath');
  assert.match(judgement.message, /over the 1\.00 % from which/);
  const [first] = judgement.culprits;
  assert.deepEqual([first?.function, first?.kind, first?.dispatcher], ['shop.Audit.sign', 'New', 'Default']);
  assert.deepEqual(
    first?.stack.map(({ name }) => name),
    ['shop.Audit.sign', 'shop.Orders.place', TASK, WORKER],
  );
});

test('growth of a function that was there is tolerated up to the margin', () => {
  const [path = ''] = Object.keys(PLAIN);

  assert.notEqual(judge({ [path]: 76 }).verdict, 'Failed');
});

test('classes that are loaded are no path of the service', () => {
  assert.notEqual(judge({ [below(LOADING, 'shop.Orders.place')]: 6 }).verdict, 'Failed');
});

test('what the dispatcher itself spends is no path below it', () => {
  const parking = 'kotlinx.coroutines.scheduling.CoroutineScheduler$Worker.park';

  assert.notEqual(judge({ [[parking, WORKER].join(';')]: 6 }).verdict, 'Failed');
});
