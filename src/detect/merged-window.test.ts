import assert from 'node:assert/strict';
import { test } from 'node:test';
import { simulatedService, simulateRun } from '../../test/reference/simulated-pods.ts';
import { QUIET, simulateRequests } from '../../test/reference/simulated-requests.ts';
import { HistoryStacks } from './history-stacks.ts';
import { judgeGate } from './judge-gate.ts';
import { mergeWindows } from './merged-window.ts';
import type { PodWindow } from './pod-window.ts';

const LOOK_MS = 30_000;
const DEADLINE_MS = 600_000;
const paths = simulatedService(40, 1);
const cpu = simulateRun({
  ...{ baselinePaths: paths, canaryPaths: paths, pods: 4, windows: 60, samplesPerWindow: 100, seed: 3 },
  noise: { podSd: 0.03, lottery: 0.2, waveSd: 0.1 },
});
const requests = simulateRequests({
  ...{ seed: 4, requestsPerSecond: 200, canaryPart: 0.5, baselinePods: 4, canaryPods: 4, windows: 60 },
  noise: QUIET,
});

const withRequests = (windows: readonly PodWindow[], served: readonly PodWindow[]): PodWindow[] =>
  windows.map((window) => {
    const same = served.find(({ pod, startMs }) => pod === window.pod && startMs === window.startMs);
    return { ...window, ...(same?.requests && { requests: same.requests }) };
  });

function merged(windows: readonly PodWindow[], stacks?: HistoryStacks): PodWindow[] {
  const byLook = Map.groupBy(windows, ({ pod, endMs }) => `${pod} ${Math.floor((endMs - 1) / LOOK_MS)}`);
  return [...byLook.values()].map(([first, ...others]) => {
    assert.ok(first);
    return mergeWindows([first, ...others], stacks && ((ofLook) => stacks.merged(ofLook)));
  });
}

test('a gate says the same of windows that were merged between its looks', () => {
  const judge = (ofArm: (windows: readonly PodWindow[]) => readonly PodWindow[]) =>
    judgeGate({
      baseline: ofArm(withRequests(cpu.baseline, requests.baseline)),
      canary: ofArm(withRequests(cpu.canary, requests.canary)),
      settings: {
        ...{ functionMargin: 0.02, falseFailureRate: 0.01, minDurationMs: 300_000, deadlineMs: DEADLINE_MS },
        warmUpMs: 0,
        requests: {
          latency: [{ quantile: 0.9, relativeMargin: 0.1, absoluteMarginMs: 2, required: false }],
          errors: { margin: 0.005, required: false },
          cost: { margin: 0.1, decides: false },
        },
      },
      startedAtMs: 0,
      nowMs: DEADLINE_MS,
    });

  const plain = judge((windows) => windows);

  assert.ok(plain.looks > 2 && plain.checks.length > 2);
  assert.deepEqual(
    judge((windows) => merged(windows)),
    plain,
  );
  const stacks = new HistoryStacks();
  assert.deepEqual(
    judge((windows) => merged(windows, stacks)),
    plain,
  );
});
