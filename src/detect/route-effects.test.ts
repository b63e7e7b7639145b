import assert from 'node:assert/strict';
import { test } from 'node:test';
import { QUIET, type SimulatedRequests, simulateRequests } from '../../test/reference/simulated-requests.ts';
import { judgeGate } from './judge-gate.ts';
import type { PodWindow } from './pod-window.ts';
import type { GateJudgement } from './verdict.ts';

const WINDOWS = 60;
const NAMES = ['/orders', '/stock', '/users', '/price', '/a', '/b', '/c', '/d'];
const ROUTES = NAMES.map((route, at) => {
  const part = [0.4, 0.3, 0.1, 0.1, 0.025, 0.025, 0.025, 0.025][at] ?? 0;
  return { route, factor: [1, 1.5, 0.5, 1][at] ?? 1, baselinePart: part, canaryPart: part };
});
const RUN: SimulatedRequests = {
  ...{ seed: 21, requestsPerSecond: 600, canaryPart: 0.5, baselinePods: 3, canaryPods: 3 },
  ...{ windows: WINDOWS, historyWindows: 60, noise: { ...QUIET, podSd: 0.01, bursts: 0 }, routes: ROUTES },
};

/** A canary in which one route alone has changed. */
function judged(route: string, change: SimulatedRequests['canary']): GateJudgement {
  const { history, baseline, canary } = simulateRequests(RUN);
  const changed = simulateRequests({ ...RUN, ...(change && { canary: change }) });
  const isIt = (row: { readonly route: string }): boolean => row.route === route;
  const mixed = canary.map((window, at): PodWindow => {
    const { requests } = window;
    const other = changed.canary[at]?.requests?.routes.filter(isIt) ?? [];
    if (requests === undefined) return window;
    const routes = [...requests.routes.filter((row) => !isIt(row)), ...other];
    return { ...window, requests: { ...requests, routes } };
  });
  const P99 = { quantile: 0.99, relativeMargin: 0.1, absoluteMarginMs: 2, required: false };
  return judgeGate({
    ...{ history, baseline, canary: mixed, startedAtMs: 0, nowMs: WINDOWS * 10_000 },
    settings: {
      ...{ functionMargin: 0.05, falseFailureRate: 0.01, minDurationMs: 180_000, warmUpMs: 0 },
      deadlineMs: WINDOWS * 10_000,
      requests: { latency: [P99], errors: { margin: 0.005, required: false } },
    },
  });
}

const ofCheck = ({ routes = [] }: GateJudgement, name: string) =>
  routes.filter(({ check }) => check === name);

test('a latency failure names the route that carries it, by how much, and no other', () => {
  const judgement = judged('/stock', { factor: 1.5 });

  const [first, ...others] = ofCheck(judgement, 'latency.p99');
  assert.equal(judgement.reason, 'LatencyGrew', judgement.message);
  assert.equal(first?.route, 'GET /stock');
  assert.ok((first.shareOfDelta ?? 0) > 0.9, `${first.shareOfDelta}`);
  const { baseline = 0, interval = [0, 0] } = first.numbers ?? {};
  assert.ok(interval[0] < 0.5 * baseline && 0.5 * baseline < interval[1], `${baseline} ${interval}`);
  assert.ok(others.every(({ isGrown }) => !isGrown));
  assert.match(judgement.message, /; GET \/stock carries \d+ % of it \(\+[\d.]+ ms\)/);
});

test('routes beyond the fifth are one row that says how many they are', () => {
  const rows = ofCheck(judged('/stock', { factor: 1.5 }), 'latency.p99');

  assert.equal(rows.length, 6);
  assert.equal(rows.at(-1)?.route, '3 other routes');
  assert.equal(rows.at(-1)?.numbers, undefined);
});

test('of a canary like its baseline no route has grown, and no share of a growth is told', () => {
  const { routes = [] } = judged('/stock', undefined);

  assert.ok(routes.length > 0);
  assert.ok(routes.every(({ isGrown, shareOfDelta }) => !isGrown && shareOfDelta === undefined));
});

test('failures are told of the route that fails', () => {
  const judgement = judged('/users', { errors: 0.2 });

  const [first] = ofCheck(judgement, 'errors');
  assert.equal(judgement.reason, 'ErrorsGrew', judgement.message);
  assert.equal(first?.route, 'GET /users');
  assert.ok(first.isGrown);
  assert.ok(Math.abs((first.numbers?.delta ?? 0) - 0.2) < 0.02, `${first.numbers?.delta}`);
});

test('growth that begins later is told of the route since then', () => {
  const [first] = ofCheck(judged('/stock', { factor: 2, from: 30 }), 'latency.p99');

  assert.equal(first?.route, 'GET /stock');
  assert.ok(first.isGrown);
  const { sinceMs = 0, baseline = 0, delta = 0 } = first.numbers ?? {};
  assert.ok(sinceMs === 240_000 || sinceMs === 360_000, `${sinceMs}`);
  assert.ok(delta > 0.5 * baseline, `${delta} ${baseline}`);
});
