import assert from 'node:assert/strict';
import { test } from 'node:test';
import { simulatedService, simulateRun } from '../../test/reference/simulated-pods.ts';
import { QUIET, type SimulatedRequests, simulateRequests } from '../../test/reference/simulated-requests.ts';
import type { RequestWindow } from '../requests/request-window.ts';
import type { GateSettings } from './gate-evaluation.ts';
import { judgeGate } from './judge-gate.ts';
import type { PodWindow } from './pod-window.ts';
import type { GateJudgement, RequestCheck } from './verdict.ts';

const WINDOWS = 60;
const P99 = { quantile: 0.99, relativeMargin: 0.1, absoluteMarginMs: 2, required: false };
const SETTINGS: GateSettings = {
  functionMargin: 0.05,
  falseFailureRate: 0.01,
  minDurationMs: 180_000,
  deadlineMs: WINDOWS * 10_000,
  warmUpMs: 0,
  requests: { latency: [P99], errors: { margin: 0.005, required: false } },
};

interface Arms {
  readonly baseline: readonly PodWindow[];
  readonly canary: readonly PodWindow[];
}

/** Three pods an arm whose CPU does not differ; requests by the model, unless none are watched. */
function arms(fields: Partial<SimulatedRequests> | undefined): Arms {
  const cpu = { podSd: 0.01, lottery: 0, waveSd: 0.02 };
  const service = simulatedService(40, 7);
  const run = { pods: 3, windows: WINDOWS, samplesPerWindow: 400, noise: cpu, seed: 5 };
  const burnt = simulateRun({ ...run, baselinePaths: service, canaryPaths: service });
  if (fields === undefined) return burnt;
  const served = simulateRequests({
    ...{ seed: 11, requestsPerSecond: 600, canaryPart: 0.5, baselinePods: 3, canaryPods: 3 },
    ...{ windows: WINDOWS, noise: { ...QUIET, podSd: 0.01, bursts: 0 } },
    ...fields,
  });
  const join = (windows: readonly PodWindow[], other: readonly PodWindow[]): PodWindow[] => {
    const requests = new Map(other.map((window) => [`${window.pod} ${window.startMs}`, window.requests]));
    return windows.map((window) => {
      const ofWindow = requests.get(`${window.pod} ${window.startMs}`);
      return ofWindow === undefined ? window : { ...window, requests: ofWindow };
    });
  };
  return { baseline: join(burnt.baseline, served.baseline), canary: join(burnt.canary, served.canary) };
}

const judged = (
  windows: Arms,
  settings: Partial<GateSettings> = {},
  nowMs = WINDOWS * 10_000,
): GateJudgement => judgeGate({ ...windows, settings: { ...SETTINGS, ...settings }, startedAtMs: 0, nowMs });

const checksOf = ({ checks }: GateJudgement): RequestCheck[] =>
  checks.filter((check): check is RequestCheck => 'reason' in check);

const withRequests = (windows: readonly PodWindow[], requests: RequestWindow): PodWindow[] =>
  windows.map((window) => ({ ...window, requests }));

test('a canary like its baseline passes, with what was compared in its sentence', () => {
  const judgement = judged(arms({}), {
    requests: { latency: [{ ...P99, relativeMargin: 0.25 }], errors: { margin: 0.005, required: false } },
  });

  assert.equal(judgement.verdict, 'Passed', judgement.message);
  assert.equal(judgement.reason, 'NoRegression');
  assert.deepEqual(
    judgement.checks.map(({ check, verdict }) => [check, verdict]),
    [
      ['cpu.function', 'Passed'],
      ['latency.p99', 'Passed'],
      ['errors', 'Passed'],
    ],
  );
  assert.match(
    judgement.message,
    /P99 latency did not grow by the margin of [\d.]+ ms .*; failed requests did not/,
  );
});

test('a canary that answers slower fails, and its sentence has the numbers and the route', () => {
  const judgement = judged(arms({ canary: { factor: 1.4 } }));

  assert.equal(judgement.verdict, 'Failed');
  assert.equal(judgement.reason, 'LatencyGrew');
  assert.match(
    judgement.message,
    /^P99 latency grew by [\d.]+ ms, over the margin of [\d.]+ ms \([\d.]+ ms → [\d.]+ ms, interval \+[\d.]+ ms to \+[\d.]+ ms\); most of it in GET \/orders\/\{\}; that pods of one version differ by 5 % is assumed in part$/,
  );
  assert.ok((judgement.decidedAtMs ?? 0) <= 300_000, `${judgement.decidedAtMs}`);
  const [latency] = checksOf(judgement);
  const { baseline = 0, canary = 0, interval = [0, 0], margin = 0 } = latency?.numbers ?? {};
  assert.ok(Math.abs(canary / baseline / 1.4 - 1) < 0.12, `${baseline} → ${canary}`);
  assert.ok(interval[0] < canary - baseline && canary - baseline < interval[1]);
  assert.ok(Math.abs(margin / baseline - 0.1) < 1e-9);
});

test('what a Failed says stays what later windows say', () => {
  const windows = arms({ canary: { factor: 1.4 } });
  const first = judged(windows);

  assert.deepEqual(judged(windows, {}, (first.decidedAtMs ?? 0) + 60_000), first);
});

test('of two margins the larger counts', () => {
  const windows = arms({ canary: { factor: 1.4 } });
  const errors = { margin: 0.005, required: false };

  const wide = judged(windows, { requests: { latency: [{ ...P99, absoluteMarginMs: 60 }], errors } });

  assert.notEqual(wide.verdict, 'Failed');
  assert.equal(checksOf(wide)[0]?.numbers?.margin.toFixed(3), '60.000');
});

test('errors beyond the margin fail the gate, however fast they are', () => {
  const judgement = judged(arms({ canary: { errors: 0.02 } }));

  assert.equal(judgement.verdict, 'Failed');
  assert.equal(judgement.reason, 'ErrorsGrew');
  assert.match(judgement.message, /^failed requests grew by [\d.]+ %, over the margin of 0\.50 %/);
});

test('an unanswered request is as slow as it waited, and a short wait tells nothing', () => {
  const { baseline, canary } = arms({});
  const unanswered = (waited: readonly number[]): PodWindow[] =>
    canary.map((window) => ({
      ...window,
      requests: {
        ...(window.requests ?? { state: 'Seen', reason: '', message: '', lost: 0 }),
        routes: (window.requests?.routes ?? []).map((row) => ({ ...row, clientGone: 30, waited })),
      },
    }));

  const long = judged({ baseline, canary: unanswered([760, 30]) }); // four seconds
  const short = judged({ baseline, canary: unanswered([345, 30]) }); // a millisecond

  assert.equal(long.reason, 'LatencyGrew');
  assert.notEqual(short.verdict, 'Failed');
});

test('where slow answers are so thin that their quantile is hardly known, more of them prove no growth of it', () => {
  const { baseline, canary } = arms({});
  const thin = Array.from({ length: 10 }, () => [10, 1]).flat(); // from 1.2 to 9 s
  const latency = (windows: readonly PodWindow[], sketch: readonly number[]) =>
    windows.map((window) => ({
      ...window,
      requests: {
        ...(window.requests ?? { state: 'Seen' as const, reason: '', message: '', lost: 0 }),
        routes: (window.requests?.routes ?? []).map((row) => ({ ...row, latency: sketch })),
      },
    }));

  const judgement = judged(
    {
      baseline: latency(baseline, [460, 990, 231, 1, ...thin]),
      canary: latency(canary, [460, 985, 231, 1, 2, 5, 8, 1, ...thin.slice(2)]),
    },
    { requests: { latency: [{ ...P99, relativeMargin: 0.02 }] } },
  );

  const {
    interval = [0, 0],
    margin = 9,
    baseline: before = 9,
    canary: after = 0,
  } = checksOf(judgement)[0]?.numbers ?? {};
  assert.ok(after - before > margin, `${before} → ${after}`);
  assert.ok(interval[0] < 0);
  assert.equal(judgement.verdict, 'Inconclusive', judgement.message);
});

test('one pod of three that is slow fails nobody', () => {
  const judgement = judged(arms({ canary: { factor: 2.5, onlyPod: 1 } }));

  assert.equal(judgement.verdict, 'Inconclusive', judgement.message);
});

test('a canary that gets more of the slow route is no slower', () => {
  const routes = [
    { route: '/fast', factor: 1, baselinePart: 0.8, canaryPart: 0.4 },
    { route: '/slow', factor: 4, baselinePart: 0.2, canaryPart: 0.6 },
  ];
  const judgement = judged(arms({ routes }));
  const [latency] = checksOf(judgement);

  assert.notEqual(judgement.verdict, 'Failed');
  assert.ok(Math.abs(latency?.numbers?.delta ?? 99) < 0.1 * (latency?.numbers?.baseline ?? 0));
});

test('without requests CPU alone decides, and the checks say why they cannot be seen', () => {
  const windows = arms(undefined);
  const hidden: RequestWindow = {
    state: 'NotObservable',
    reason: 'Tls',
    message: 'TLS inside the JVM',
    lost: 0,
    routes: [],
  };

  const unwatched = judged(windows);
  const encrypted = judged({
    ...windows,
    canary: withRequests(windows.canary, hidden),
    baseline: withRequests(windows.baseline, hidden),
  });

  for (const judgement of [unwatched, encrypted]) {
    assert.equal(judgement.verdict, 'Passed');
    assert.deepEqual(
      checksOf(judgement).map(({ verdict }) => verdict),
      ['NotObservable', 'NotObservable'],
    );
  }
  assert.match(
    unwatched.message,
    /requests were not compared: no agent watches the requests of the baseline$/,
  );
  assert.match(encrypted.message, /requests of the baseline cannot be seen: TLS inside the JVM$/);
});

test('who insists on requests gets no Passed without them', () => {
  const required = { requests: { latency: [{ ...P99, required: true }] } };

  const judgement = judged(arms(undefined), required);

  assert.equal(judgement.verdict, 'Inconclusive');
  assert.equal(judgement.reason, 'NotObservable');
});

test('too few requests for a quantile are no Passed, and are said', () => {
  const judgement = judged(arms({ requestsPerSecond: 4 }));

  assert.equal(judgement.verdict, 'Inconclusive');
  assert.equal(checksOf(judgement)[0]?.reason, 'TooFewRequests');
  assert.match(
    judgement.message,
    /P99 latency: \d+ requests of 3 canary pods beside 3 baseline pods are too few/,
  );
});

test('requests that were lost on the way are never Passed', () => {
  const windows = arms({});
  const lossy = windows.canary.map((window) => ({
    ...window,
    ...(window.requests && { requests: { ...window.requests, lost: 500 } }),
  }));

  const judgement = judged({ ...windows, canary: lossy });

  assert.equal(judgement.verdict, 'Inconclusive');
  assert.equal(checksOf(judgement)[0]?.reason, 'TooMuchLoss');
});

test('where all requests were lost on the way, nobody passes by CPU as if there had been none to see', () => {
  const { baseline, canary } = arms({});
  const nothing = { state: 'Seen', reason: '', message: '', lost: 500, routes: [] } as const;

  const judgement = judged({ baseline, canary: withRequests(canary, nothing) });

  assert.deepEqual([judgement.verdict, judgement.reason], ['Inconclusive', 'TooMuchLoss']);
  assert.match(
    judgement.message,
    /of the baseline's requests 0 % were lost on the way and of the canary's 100 %/,
  );
});

test('CPU a request is reported, and decides only where it shall', () => {
  const { baseline, canary } = arms({ requestsPerSecond: 300 });
  const withCpu = (windows: readonly PodWindow[], usec: number): PodWindow[] =>
    windows.map((window) => {
      const [row] = window.requests?.routes ?? [];
      return { ...window, cpuUsec: 200_000 + usec * (row?.answers[2] ?? 0) };
    });
  const windows = { baseline: withCpu(baseline, 1_000), canary: withCpu(canary, 1_600) };
  const requests = { latency: [], cost: { margin: 0.1, decides: false } };

  const reported = judged(windows, { requests });
  const decisive = judged(windows, { requests: { ...requests, cost: { margin: 0.1, decides: true } } });

  assert.equal(reported.verdict, 'Passed', reported.message);
  assert.deepEqual([decisive.verdict, decisive.reason], ['Failed', 'CostGrew']);
  assert.match(decisive.message, /^CPU a request grew by 0\.\d+ ms, over the margin of/);
  const [cost] = checksOf(reported);
  assert.equal(cost?.check, 'cpu.perRequest');
  assert.ok((cost.numbers?.canary ?? 0) > (cost.numbers?.baseline ?? 9));
});

test('a gate that asks nothing of requests says what CPU says', () => {
  const { requests: _, ...settings } = SETTINGS;

  const judgement = judgeGate({
    ...arms({ canary: { factor: 3 } }),
    settings,
    startedAtMs: 0,
    nowMs: WINDOWS * 10_000,
  });

  assert.equal(judgement.verdict, 'Passed');
  assert.deepEqual(
    judgement.checks.map(({ check }) => check),
    ['cpu.function'],
  );
});

test('CPU that grew beside slower requests is said to co-occur, and costs so much a request', () => {
  const slower = arms({ canary: { factor: 1.6 } });
  const busy = slower.canary.map((window) => ({
    ...window,
    stacks: [...window.stacks, { frames: ['shop.Codec.slow', 'shop.Main.run'], count: 80 }],
  }));

  const judgement = judged(
    { ...slower, canary: busy },
    {
      requests: {
        ...{ latency: [P99], errors: { margin: 0.005, required: false } },
        cost: { margin: 0.1, decides: false },
      },
    },
  );

  assert.equal(judgement.reason, 'LatencyGrew', judgement.message);
  assert.match(
    judgement.message,
    /^P99 latency grew by .*; co-occurring, which does not show it to be the cause: shop\.Codec\.slow is new/,
  );
  const { perRequestMs, deltaShare = 0 } = judgement.culprits[0] ?? {};
  const cost = checksOf(judgement).find(({ check }) => check === 'cpu.perRequest')?.numbers;
  assert.equal(perRequestMs, deltaShare * (cost?.canary ?? Number.NaN));
  const { allowed = 0, spent = 0 } = judgement.falseFailureRate ?? {};
  assert.deepEqual([allowed, Number(spent.toFixed(6))], [0.01, 0.01]);
});
