import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StatusCounts } from '../requests/request-window.ts';
import { openCpuEvaluation } from './cpu-evaluation.ts';
import { LOOK_MS } from './looks.ts';
import type { PodWindow } from './pod-window.ts';
import { YoungCanary } from './young-canary.ts';

const SETTINGS = {
  ...{ functionMargin: 0.005, falseFailureRate: 0.01, minDurationMs: 180_000 },
  ...{ deadlineMs: 900_000, warmUpMs: 180_000 },
};
const LOOKS = 30;
const REQUESTS = 19; // a pod and look, as a canary of 5 % of the traffic has on the real cluster
const HANDLE = ['shop.Main.handle', 'java.lang.Thread.run'];

/** Samples by leaf, below its callers. */
type Burnt = readonly (readonly [stack: readonly string[], count: number])[];

function window(pod: string, look: number, burnt: Burnt, requests: number): PodWindow {
  const startMs = look * LOOK_MS;
  const stacks = burnt.map(([leaf, count]) => ({ frames: [...leaf, ...HANDLE], count: Math.round(count) }));
  const answers: StatusCounts = [0, 0, requests, 0, 0, 0];
  const row = { method: 'GET', route: '/', answers, clientGone: 0, unfinished: 0, reset: 0 };
  return {
    ...{ pod, startMs, endMs: startMs + LOOK_MS, podStartedAtMs: -180_000, hz: 199, flags: '' },
    ...{ samplesTaken: stacks.reduce((sum, { count }) => sum + count, 0), samplesLost: 0 },
    ...{ cpuUsec: 1_000_000, throttledUsec: 0, stacks },
    requests: {
      ...{ state: 'Seen', reason: '', message: '', lost: 0 },
      routes: [{ ...row, latency: [], waited: [] }],
    },
  };
}

/** Pods that stray a little, without chance. */
const strayed = (burnt: Burnt, pod: number, look: number): Burnt =>
  burnt.map(([leaf, count], at) => [leaf, count * (1 + 0.1 * Math.sin(7 * pod + 3 * look + 5 * at))]);

const SERVICE: Burnt = Array.from({ length: 30 }, (_, at) => [[`shop.Part${at}.run`], 40]);
const FAST: Burnt = [[['shop.FastCodec.encode', 'shop.Orders.encode'], 24]];

/** What canary pods burn in a look, having served `served` requests each. */
function judged(canary: (served: number) => Burnt): YoungCanary {
  const cpu = openCpuEvaluation(SETTINGS, 0);
  const young = new YoungCanary(SETTINGS, cpu);
  for (let look = 0; look < LOOKS && !young.hasFailed; look++) {
    const served = 113 + REQUESTS * look;
    const windowsOf = (arm: string, pods: number, burnt: Burnt, requests: number) =>
      Array.from({ length: pods }, (_, pod) =>
        window(`${arm}${pod}`, look, strayed(burnt, pod, look), requests),
      );
    const baseline = windowsOf('b', 12, [...SERVICE, ...FAST], 5 * REQUESTS);
    const ofCanary = windowsOf('c', 3, canary(served), REQUESTS);
    const block = { lookAtMs: (look + 1) * LOOK_MS, baseline, canary: ofCanary, warmUpExcluded: false };
    cpu.facts.maturity.matured(block);
    young.advance(block, undefined);
  }
  return young;
}

const cold = (burnt: Burnt, times: number): Burnt =>
  burnt.map(([leaf, count], at) => [leaf, (count / 12) * (at % 3 === 0 ? times : 1)]);
const encode = (leaf: string, count: number): Burnt => [[[leaf, 'shop.Orders.encode'], count]];

test('code that the baseline does not run fails a canary that is still warming, and is named', () => {
  const { cpu, hasFailed } = judged((served) => [
    ...cold(SERVICE, 1 + 300 / served),
    ...encode('shop.SlowCodec.encode', 10),
  ]);

  assert.equal(hasFailed, true);
  assert.equal(cpu.decision?.reason, 'NewHotPath');
  const [first] = cpu.decision.findings;
  assert.ok(first);
  assert.match(cpu.index.functions[Math.floor(first.evidence.node / 2)] ?? '', /SlowCodec/);
});

test('what only costs a young JVM more fails nothing, however much that is', () => {
  const { hasFailed } = judged((served) => [
    ...cold(SERVICE, 1 + 300 / served),
    ...encode('shop.FastCodec.encode', 6),
  ]);

  assert.equal(hasFailed, false);
});

test('the same work under another name fails nothing', () => {
  const { hasFailed } = judged((served) => [
    ...cold(SERVICE, 1 + 300 / served),
    ...encode('shop.QuickCodec.encode', 3),
  ]);

  assert.equal(hasFailed, false);
});

test('what a pod runs less often the more it has served fails nothing', () => {
  const { hasFailed } = judged((served) => [
    ...cold(SERVICE, 1 + 300 / served),
    ...encode('shop.FastCodec.encode', 2),
    ...encode('shop.Cache.fill', 1_500 / served),
  ]);

  assert.equal(hasFailed, false);
});

test('new code whose caller has less than twice its cost fails a canary whose other functions take what they do in the baseline', () => {
  const { hasFailed } = judged(() => [...cold(SERVICE, 1), ...encode('shop.SlowCodec.encode', 3.6)]);

  assert.equal(hasFailed, true);
});

test('the same fails nothing where a third of the other functions take as much more', () => {
  const { hasFailed } = judged(() => [...cold(SERVICE, 2.8), ...encode('shop.SlowCodec.encode', 5.8)]);

  assert.equal(hasFailed, false);
});
