import assert from 'node:assert/strict';
import { test } from 'node:test';
import { simulateRequests, UNEVEN } from '../../test/reference/simulated-requests.ts';
import { type Block, LOOK_MS } from './looks.ts';
import { addFacts, createGateFacts } from './pod-facts.ts';
import type { PodWindow } from './pod-window.ts';
import { trustedPart } from './trusted-windows.ts';

const ARMS = simulateRequests({
  ...{ seed: 1, requestsPerSecond: 60, canaryPart: 3 / 7, baselinePods: 4, canaryPods: 3, windows: 3 },
  noise: UNEVEN,
});

type Change = (window: PodWindow) => Partial<PodWindow>;

function partOf(canary: Change, baseline: Change = () => ({})) {
  const change = (windows: readonly PodWindow[], by: Change) =>
    windows.map((window) => ({ ...window, cpuUsec: 1_000_000, ...by(window) }));
  const block: Block = {
    ...{ lookAtMs: LOOK_MS, warmUpExcluded: false },
    canary: change(ARMS.canary, canary),
    baseline: change(ARMS.baseline, baseline),
  };
  const facts = createGateFacts();
  addFacts(facts, block);
  const part = trustedPart(block, facts);
  return {
    leftOut: Object.fromEntries(part.leftOut),
    canaryMs: part.canaryMs,
    groups: part.groups?.map((group) => [group.baseline.length, group.canary.length]),
  };
}

const WHOLE_MS = 3 * LOOK_MS;
const on = (cpuModel: string, at = 'n') => ({ host: { pod: '', node: at, cpuModel } });

test('where nothing is the matter all windows are as they are', () => {
  assert.deepEqual(
    partOf(() => ({})),
    { leftOut: {}, canaryMs: WHOLE_MS, groups: undefined },
  );
});

test('windows throttled in the canary alone are left out, those of both arms alike are not', () => {
  const throttled: Change = ({ pod }) => ({ throttledUsec: pod.endsWith('0') ? 200_000 : 0 });
  assert.deepEqual(partOf(throttled), {
    leftOut: { Throttled: LOOK_MS },
    canaryMs: WHOLE_MS,
    groups: [[12, 6]],
  });
  assert.equal(partOf(throttled, throttled).groups, undefined);
});

test('windows are compared within a model of CPU, and those without two pods beside them are left out', () => {
  const two: Change = ({ pod }) => on(pod.endsWith('0') ? 'old' : 'new');
  assert.deepEqual(
    partOf(two, () => on('new')),
    {
      leftOut: { SlowerCpu: LOOK_MS },
      canaryMs: WHOLE_MS,
      groups: [[12, 6]],
    },
  );
  const half: Change = ({ pod }) => on(/[01]$/.test(pod) ? 'old' : 'new');
  assert.deepEqual(partOf(two, half).groups, [
    [6, 6],
    [6, 3],
  ]);
});

test('requests lost on the way are no evidence of the rest', () => {
  const lossy: Change = ({ requests }) => (requests ? { requests: { ...requests, lost: 100 } } : {});
  assert.deepEqual(partOf(lossy).leftOut, { SamplesLost: WHOLE_MS });
});

test('a canary with a larger load of a pod is no evidence', () => {
  const few: Change = ({ requests }) => ({
    ...(requests && {
      requests: {
        ...requests,
        routes: requests.routes.map((row) => ({ ...row, answers: [0, 0, 10, 0, 0, 0] as const })),
      },
    }),
  });
  assert.deepEqual(partOf(() => ({}), few).leftOut, { UnequalLoad: WHOLE_MS });
});
