import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RegressionReport, RegressionReportStatus } from '../crds/regression-report.ts';
import { renderReport } from './report-text.ts';

const FOLDED = { useColour: false, isRaw: false, columns: 80 };

const aReport = (status?: RegressionReportStatus): RegressionReport => ({
  apiVersion: 'flamegate.dev/v1alpha1',
  kind: 'RegressionReport',
  metadata: {
    name: 'orders-85bf-1',
    namespace: 'shop',
    uid: 'u',
    generation: 1,
    resourceVersion: '1',
    creationTimestamp: '2026-01-02T03:00:00Z',
  },
  spec: {
    gate: 'orders',
    gateGeneration: 1,
    baselineHash: '7c9d',
    canaryHash: '85bf',
    images: { baseline: ['shop/orders:1'], canary: ['shop/orders:2'] },
    attempt: 1,
  },
  ...(status === undefined ? {} : { status }),
});
const FAILED: RegressionReportStatus = {
  verdict: 'Failed',
  reason: 'FunctionGrew',
  message: 'SlowCodec.encode takes 12.3% more of the CPU.',
  startedAt: '2026-01-02T03:00:00Z',
  decidedAt: '2026-01-02T03:04:20Z',
  pods: { baseline: 3, canary: 3 },
  samples: { baseline: 26_120, canary: 27_430 },
  checks: [
    {
      check: 'cpu.function',
      subject: 'shop.SlowCodec.encode',
      baseline: '0%',
      canary: '12.3%',
      delta: '+12.3%',
      interval: ['+10.1%', '+14.2%'],
      margin: '2.00%',
      detectable: '0.8%',
      verdict: 'Failed',
      falseFailureRate: '0.4%',
      evidence: 'over 1000000',
      evidenceNeeded: '46583',
    },
  ],
  culprits: [
    {
      function: 'shop.SlowCodec.encode',
      file: 'SlowCodec.kt',
      line: 87,
      kind: 'New',
      baseline: '0%',
      canary: '12.3%',
      delta: '+12.3%',
      interval: ['+10.1%', '+14.2%'],
      shareOfDelta: '93.0%',
      stack: ['java.util.regex.Matcher.find (Matcher.java:722)', 'shop.SlowCodec.encode (SlowCodec.kt:87)'],
    },
  ],
  falseFailureRate: { allowed: '1.00%', spent: '0.4%' },
  flags: ['AssumedVariance'],
};

test('a failed report says verdict, reason, checks, culprit and its stack', () => {
  assert.equal(
    renderReport(aReport(FAILED), FOLDED),
    `Failed (FunctionGrew)  shop/orders-85bf-1
SlowCodec.encode takes 12.3% more of the CPU.

gate      orders, attempt 1
baseline  7c9d  shop/orders:1
canary    85bf  shop/orders:2
data      3 and 3 pods, 26,120 and 27,430 samples
time      began 2026-01-02T03:00:00Z, decided after 4m20s

CHECK         VERDICT  BEFORE → AFTER  CHANGE (INTERVAL)         MARGIN
cpu.function  Failed   0 → 12.3%       +12.3% (+10.1 to +14.2%)  2.00%

Functions that grew
1. shop.SlowCodec.encode  (SlowCodec.kt:87)  New
   0 → 12.3% of CPU: +12.3% (+10.1 to +14.2%); 93.0% of the growth found
     at java.util.regex.Matcher.find (Matcher.java:722)
     at shop.SlowCodec.encode (SlowCodec.kt:87)

Evidence of growth, and the false alarms it may cost
CHECK         MAY COST  EVIDENCE      PROOF FROM  WOULD HAVE SEEN
cpu.function  0.4%      over 1000000  46583       0.8%
  Of harmless canaries at most 1.00% are Failed; what could be compared here may
  cost 0.4%.
  Evidence: how many times likelier the data are with growth than without.

Know this of the data
  AssumedVariance: few baseline pods; how far pods of one version differ in CPU
  rests in part on an assumption.
`,
  );
});

const LATENCY: RegressionReportStatus = {
  ...FAILED,
  reason: 'LatencyGrew',
  message:
    'P99 latency grew by 17.8 ms, over the margin of 8.0 ms; GET /orders carries 72 % of it (+65.4 ms); co-occurring, which does not show it to be the cause: SlowCodec.encode is new',
  requests: { baseline: 63_566, canary: 20_797 },
  checks: [
    {
      check: 'latency.p99',
      subject: 'GET /orders',
      baseline: '80.1ms',
      canary: '97.9ms',
      delta: '+17.8ms',
      interval: ['+9.8ms', '+26.0ms'],
      margin: '8.01ms',
      detectable: '14.0ms',
      verdict: 'Failed',
      since: '8m',
      falseFailureRate: '0.25%',
      evidence: '2439',
      evidenceNeeded: '400',
    },
    { check: 'cpu.perRequest', verdict: 'Inconclusive' },
  ],
  routes: [
    {
      check: 'latency.p99',
      route: 'GET /orders',
      requests: 10_371,
      baseline: '86.5ms',
      canary: '152ms',
      delta: '+65.4ms',
      interval: ['+46.0ms', '+87.8ms'],
      shareOfDelta: '72%',
      since: '8m',
      grown: true,
    },
    { check: 'latency.p99', route: '12 other routes', requests: 5_215, shareOfDelta: '28%', grown: false },
  ],
  leaveOnePodOut: ['a', 'b'].map((pod) => ({
    ...{ pod, check: 'latency.p99', effect: '+17.0ms', lower: '+8.0ms', upper: '+26.0ms' },
    verdictWithout: 'Failed' as const,
  })),
  flags: [],
};

test('a latency failure says its routes, and calls CPU beside it co-occurring', () => {
  assert.equal(
    renderReport(aReport(LATENCY), FOLDED),
    `Failed (LatencyGrew)  shop/orders-85bf-1
P99 latency grew by 17.8 ms, over the margin of 8.0 ms; GET /orders carries 72 %
of it (+65.4 ms); co-occurring, which does not show it to be the cause:
SlowCodec.encode is new

gate      orders, attempt 1
baseline  7c9d  shop/orders:1
canary    85bf  shop/orders:2
data      3 and 3 pods, 26,120 and 27,430 samples, 63,566 and 20,797 requests
time      began 2026-01-02T03:00:00Z, decided after 4m20s

CHECK           VERDICT       BEFORE → AFTER  CHANGE (INTERVAL)          MARGIN
latency.p99     Failed        80.1 → 97.9ms   +17.8ms (+9.8 to +26.0ms)  8.01ms
cpu.perRequest  Inconclusive  -               -
  latency.p99: since 8m into the evaluation; the change is against the canary
  before.
  cpu.perRequest (CPU of a request) is reported only; it decides nothing.

latency.p99 by route
REQUESTS  OF GROWTH  BEFORE → AFTER  CHANGE (INTERVAL)           GREW      ROUTE
10,371    72%        86.5 → 152ms    +65.4ms (+46.0 to +87.8ms)  since 8m  GET /orders
5,215     28%        -               -                           -         12 other routes
  No verdict rests on a single route; of those that grew, one in twenty may not
  have.

CPU that grew at the same time: co-occurring, not shown to be the cause
1. shop.SlowCodec.encode  (SlowCodec.kt:87)  New
   0 → 12.3% of CPU: +12.3% (+10.1 to +14.2%); 93.0% of the growth found
     at java.util.regex.Matcher.find (Matcher.java:722)
     at shop.SlowCodec.encode (SlowCodec.kt:87)

Without each single canary pod
  latency.p99: Failed without any one of 2 pods, at a change of +17.0ms.

Evidence of growth, and the false alarms it may cost
CHECK        MAY COST  EVIDENCE  PROOF FROM  WOULD HAVE SEEN
latency.p99  0.25%     2439      400         14.0ms
  Of harmless canaries at most 1.00% are Failed; what could be compared here may
  cost 0.4%.
  Evidence: how many times likelier the data are with growth than without.
`,
  );
});

test('a report that has just begun says so', () => {
  const text = renderReport(aReport(), FOLDED);

  assert.match(text, /^Collecting {2}shop\/orders-85bf-1\n/);
  assert.match(text, /data +none yet\ntime +not started\n$/);
});

test('an undecided report says what would have settled it', () => {
  const wouldSettle = [
    {
      check: 'latency.p99',
      deadline: '52m',
      pods: { baseline: 3, canary: 6 },
      traffic: '×2.1',
      margin: '12ms',
    },
    { check: 'cpu.function', margin: '2.30%' },
  ];

  const text = renderReport(aReport({ ...FAILED, verdict: 'Inconclusive', wouldSettle }), FOLDED);

  assert.match(
    text,
    /\n\nWhat would have settled it, each alone, if the canary stays as it is\nCHECK {9}DEADLINE {2}BASELINE \+ CANARY PODS {2}TRAFFIC {2}MARGIN\nlatency\.p99 {3}52m {7}3 \+ 6 {19}×2\.1 {5}12ms\ncpu\.function {2}- {9}- {23}- {8}2\.30%\n\n/,
  );
});

test('a name with terminal escapes is shown, not obeyed', () => {
  const text = renderReport(aReport({ ...FAILED, message: 'a\u001b]0;owned\u0007b\u202e' }), FOLDED);

  assert.match(text, /a\\u\{1b\}\]0;owned\\u\{7\}b\\u\{202e\}/);
});

test('colour marks the verdict only when asked for', () => {
  assert.ok(
    renderReport(aReport(FAILED), { ...FOLDED, useColour: true }).includes('\u001b[31mFailed\u001b[39m'),
  );
});

const [GROWN] = FAILED.culprits ?? [];
const [CHECK] = FAILED.checks ?? [];
const IN_COROUTINE: RegressionReportStatus = {
  ...FAILED,
  checks: CHECK === undefined ? [] : [{ ...CHECK, subject: 'shop.Orders$price$2.invokeSuspend' }],
  culprits:
    GROWN === undefined
      ? []
      : [
          {
            ...GROWN,
            function: 'shop.Orders$price$2.invokeSuspend',
            stack: [
              'futex_wait_[k]',
              'shop.Orders$price$2.invokeSuspend (Orders.kt:31)',
              'shop.Orders$price$2.invoke',
              'kotlinx.coroutines.intrinsics.UndispatchedKt.startUndspatched (Undispatched.kt:66)',
              'kotlinx.coroutines.BuildersKt.withContext',
              'shop.Orders.find (Orders.kt:~29)',
              'shop.Orders$find$1.invokeSuspend (Orders.kt)',
              'suspend shop.Orders.handle_[a] (Orders.kt:12)',
              '[launch]',
              'kotlin.coroutines.jvm.internal.BaseContinuationImpl.resumeWith (ContinuationImpl.kt:33)',
              'kotlinx.coroutines.DispatchedTask.run (DispatchedTask.kt:101)',
              'kotlinx.coroutines.scheduling.CoroutineScheduler$Worker.run (CoroutineScheduler.kt:717)',
              'JavaCalls::call_helper [libjvm.so]',
            ],
          },
        ],
};

test('functions and stacks are folded, with the lines where they stood', () => {
  const text = renderReport(aReport(IN_COROUTINE), FOLDED);

  assert.match(text, /\n1\. suspend shop\.Orders\.price {2}\(SlowCodec\.kt:87\)/);
  assert.deepEqual(stackOf(text), [
    'futex_wait_[k]',
    'suspend shop.Orders.price (Orders.kt:31)',
    'kotlinx.coroutines.BuildersKt.withContext',
    'suspend shop.Orders.find (Orders.kt:~29)',
    'suspend shop.Orders.handle_[a] (Orders.kt:12)',
    '[launch]',
    '[coroutines: Default]',
    'JavaCalls::call_helper [libjvm.so]',
  ]);
});

test('raw, they are as the report has them', () => {
  const text = renderReport(aReport(IN_COROUTINE), { ...FOLDED, isRaw: true });

  assert.match(text, /\n1\. shop\.Orders\$price\$2\.invokeSuspend {2}/);
  assert.deepEqual(stackOf(text), IN_COROUTINE.culprits?.[0]?.stack);
});

const stackOf = (text: string) => [...text.matchAll(/^ {5}at (.*)$/gm)].map(([, frame]) => frame);

test('what the arms were built from is said, and the commits of a clone stand below the functions they touched', () => {
  const report = aReport(FAILED);
  const builtFrom = {
    baseline: { revision: '1f0e2d3a4b5c6d7e8f901a2b3c4d5e6f70819203' },
    canary: { revision: 'v2.0.0', source: 'https://git.acme.example/shop' },
  };
  const commit = {
    id: '77f4c2d10e9a6d7e8f901a2b3c4d5e6f70819203',
    date: '2026-11-20',
    author: 'Ada \u001b[2J',
    subject: 'Encode twice',
  };
  const touched = {
    path: 'src/shop/SlowCodec.kt',
    lines: [80, 95] as const,
    commits: [commit],
    hasMore: true,
  };
  const commits = {
    ...{ repository: '../shop', baseline: builtFrom.baseline.revision, canary: commit.id, commits: 12 },
    culprits: [{ function: 'shop.SlowCodec.encode', found: { kind: 'Changed' as const, touched } }],
  };

  const text = renderReport({ ...report, spec: { ...report.spec, builtFrom } }, { ...FOLDED, commits });

  assert.match(text, /^baseline {2}7c9d {2}shop\/orders:1 {2}\(built from 1f0e2d3a4b5c\)$/m);
  assert.match(
    text,
    /^canary {4}85bf {2}shop\/orders:2 {2}\(built from v2\.0\.0 of https:\/\/git\.acme\.example\/shop\)$/m,
  );
  assert.match(text, /^commits {3}12 between 1f0e2d3a4b5c and 77f4c2d10e9a in \.\.\/shop$/m);
  assert.ok(
    text.includes(`93.0% of the growth found
   src/shop/SlowCodec.kt:80-95 changed by:
     77f4c2d10e9a 2026-11-20 Ada \\u{1b}[2J: Encode twice
     … and older ones
     at java.util`),
    text,
  );
});
