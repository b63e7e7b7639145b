import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gateSettings } from '../../crds/gate-settings.ts';
import type { RegressionReport } from '../../crds/regression-report.ts';
import type { Forecast } from '../../detect/forecast.ts';
import type { CpuJudgement } from '../../detect/verdict.ts';
import type { ArmPods } from './arm-pods.ts';
import type { Arms } from './arms.ts';
import { type Decision, decide } from './decide.ts';
import type { Evaluations } from './evaluation.ts';
import type { Observed } from './gather.ts';
import { aGate, aPod, aReport, START_MS } from './testing/a-cluster.ts';

const MINUTE_MS = 60_000;
const arm = (hash: string, pods = 3): ArmPods => ({
  hash,
  images: [`orders:${hash}`],
  builtFrom: {},
  pods: Array.from({ length: pods }, (_, index) => aPod({ name: `${hash}-${index}` })),
});
const PAIR: Arms & { readonly kind: 'Pair' } = {
  kind: 'Pair',
  target: 'Deployment/orders',
  baseline: arm('aaa'),
  canary: arm('bbb'),
};
const NO_PAIR: Arms = {
  kind: 'NoPair',
  target: 'x vs y',
  reason: 'NoCanaryPods',
  message: 'no running pod matches',
};
/** Rolled out an hour after the gate was made. */
const GONE: Arms & { readonly kind: 'BaselineGone' } = {
  kind: 'BaselineGone',
  target: 'Deployment/orders',
  baselineHash: 'aaa',
  canary: arm('bbb'),
  sinceMs: START_MS,
};

function aJudgement(fields: Partial<CpuJudgement> = {}): CpuJudgement {
  return {
    verdict: 'Collecting',
    reason: 'MarginNotReached',
    message: 'may still have grown',
    looks: 4,
    samples: { baseline: 900, canary: 800 },
    pods: { baseline: 3, canary: 3 },
    checks: [],
    culprits: [],
    groups: [],
    flags: [],
    ...fields,
  };
}

const evaluations = (current?: RegressionReport, latest = current): Evaluations => ({
  current,
  latest,
  all: latest === undefined ? [] : [latest],
});

function anObserved(fields: Partial<Observed> = {}): Observed {
  const gate = aGate();
  return {
    gate,
    arms: PAIR,
    evaluations: evaluations(),
    settings: gateSettings(gate.spec),
    profiled: { baseline: 3, canary: 3 },
    judgement: undefined,
    baselineSeenMs: undefined,
    ...fields,
  };
}

/** `finding[: new attempt][ → report verdict reason][ close: verdict reason]` */
function asText({ finding, open, status, close }: Decision): string {
  const opened = open === undefined ? '' : `: new ${open.attempt} ${open.baselineHash}/${open.canaryHash}`;
  const said = status === undefined ? '' : ` → ${status.verdict} ${status.reason}`;
  const closed =
    close === undefined
      ? ''
      : ` close ${close.report.spec.attempt}: ${close.status.verdict} ${close.status.reason}`;
  return `${finding.kind}${opened}${said}${closed}`;
}

const decided = aReport({ status: { verdict: 'Failed', reason: 'FunctionGrew', latched: true } });
const failing = aJudgement({
  verdict: 'Failed',
  reason: 'FunctionGrew',
  decidedAtMs: START_MS + 4 * MINUTE_MS,
});

interface Row {
  readonly row: string;
  readonly observed: Partial<Observed>;
  readonly afterMs?: number;
  readonly expected: string;
}

const ROWS: readonly Row[] = [
  {
    row: '1 a spec that cannot be read',
    observed: { settings: '"5x" is not a duration' },
    expected: 'InvalidSpec',
  },
  {
    row: '2 a target that is missing',
    observed: {
      arms: { kind: 'TargetNotFound', target: 'Deployment/orders', message: 'no Deployment orders' },
    },
    expected: 'TargetNotFound',
  },
  {
    row: '3 no pair, and the open evaluation is past its deadline',
    observed: { arms: NO_PAIR, evaluations: evaluations(undefined, aReport()) },
    afterMs: 31 * MINUTE_MS,
    expected: 'Waiting close 1: Inconclusive NoCanaryPods',
  },
  {
    row: '4 no pair after a verdict',
    observed: { arms: NO_PAIR, evaluations: evaluations(undefined, decided) },
    expected: 'Waiting',
  },
  { row: '5 no pair and no evaluation', observed: { arms: NO_PAIR }, expected: 'Waiting' },
  {
    row: '5 no pair for a moment of an open evaluation',
    observed: { arms: NO_PAIR, evaluations: evaluations(undefined, aReport()) },
    expected: 'Waiting',
  },
  {
    row: '6 a pair that was decided',
    observed: { evaluations: evaluations(decided), judgement: aJudgement() },
    expected: 'Decided',
  },
  {
    row: '6 a decided pair whose baseline is gone',
    observed: { arms: GONE, evaluations: evaluations(decided) },
    expected: 'Decided',
  },
  {
    row: '7 a baseline gone just now',
    observed: {
      arms: GONE,
      evaluations: evaluations(aReport()),
      judgement: aJudgement(),
      baselineSeenMs: START_MS + 100_000,
    },
    afterMs: 130_000,
    expected: 'Evaluating → Collecting MarginNotReached',
  },
  {
    row: '8 a baseline gone after its windows decided',
    observed: {
      arms: GONE,
      evaluations: evaluations(aReport()),
      judgement: failing,
      baselineSeenMs: START_MS + 100_000,
    },
    afterMs: 130_000,
    expected: 'Decided → Failed FunctionGrew',
  },
  {
    row: '9 a baseline gone before its windows decided',
    observed: {
      arms: GONE,
      evaluations: evaluations(aReport()),
      judgement: aJudgement(),
      baselineSeenMs: START_MS + 100_000,
    },
    afterMs: 150_000,
    expected: 'Decided → Inconclusive BaselineGone',
  },
  {
    row: '10 a rollout that was over before a pair could be seen',
    observed: { arms: GONE },
    expected: 'Decided: new 1 aaa/bbb → Inconclusive BaselineGone',
  },
  {
    row: '11 a rollout from before the gate',
    observed: { arms: { ...GONE, sinceMs: START_MS - 3_600_000 } },
    expected: 'Waiting',
  },
  {
    row: '12 an open evaluation whose windows say nothing yet',
    observed: { evaluations: evaluations(aReport()), judgement: aJudgement() },
    expected: 'Evaluating → Collecting MarginNotReached',
  },
  {
    row: '12 an open evaluation whose windows prove a growth',
    observed: { evaluations: evaluations(aReport()), judgement: failing },
    expected: 'Decided → Failed FunctionGrew',
  },
  {
    row: '12 an open evaluation at its deadline, because no policy profiles an arm',
    observed: {
      evaluations: evaluations(aReport()),
      judgement: aJudgement({ verdict: 'Inconclusive', reason: 'NoSamples' }),
      profiled: { baseline: 3, canary: 0 },
    },
    expected: 'Decided → Inconclusive NotProfiled',
  },
  {
    row: '13 a new pair that no policy profiles',
    observed: { profiled: { baseline: 0, canary: 3 } },
    expected: 'NotProfiled',
  },
  { row: '14 a new pair', observed: {}, expected: 'Evaluating: new 1 aaa/bbb → Collecting WaitingForLooks' },
  {
    row: '14 a new pair while another was being evaluated',
    observed: { evaluations: evaluations(undefined, aReport({ attempt: 4, canaryHash: 'old' })) },
    expected: 'Evaluating: new 5 aaa/bbb → Collecting WaitingForLooks close 4: Inconclusive Superseded',
  },
];

for (const { row, observed, afterMs = MINUTE_MS, expected } of ROWS) {
  test(`row ${row}: ${expected}`, () => {
    const decision = decide(anObserved(observed), START_MS + afterMs);

    assert.equal(asText(decision), expected);
  });
}

test('a Failed is latched, carries when it was decided, and keeps when it began', () => {
  const { status } = decide(
    anObserved({ evaluations: evaluations(aReport()), judgement: failing }),
    START_MS + 5 * MINUTE_MS,
  );

  assert.equal(status?.latched, true);
  assert.equal(status.decidedAt, new Date(START_MS + 4 * MINUTE_MS).toISOString());
  assert.equal(status.startedAt, new Date(START_MS).toISOString());
});

test('what is missing from a ProfilingPolicy is said with what to do', () => {
  const { finding } = decide(anObserved({ profiled: { baseline: 0, canary: 0 } }), START_MS);

  assert.deepEqual(finding, {
    kind: 'NotProfiled',
    message:
      'no ProfilingPolicy of namespace shop selects a pod of the baseline and of the canary: create one whose podSelector matches both arms',
  });
});

const NO_SAMPLES: Forecast = {
  ...{ afterMs: 10 * MINUTE_MS, samplesPerSecond: 1.2, hz: 49, slowest: 'cpu.function' },
  ...{ passesAfterMs: 240 * MINUTE_MS, passesAtBestAfterMs: 120 * MINUTE_MS, detectableByDeadline: 0.031 },
  remedies: { canaries: 4, functionMargin: 0.034 },
  byRate: [],
};

/** Ten minutes into an evaluation of thirty that two hours would be too few for. */
function anObservedLate(fields: Partial<Observed> = {}): Observed {
  return anObserved({
    evaluations: evaluations(aReport()),
    judgement: aJudgement({ looks: 20 }),
    forecast: NO_SAMPLES,
    rateBounds: { baseHz: 49, mostHz: 49, agentCpu: 0.05, nodes: [] },
    ...fields,
  });
}
const TEN_MINUTES_IN = START_MS + 10 * MINUTE_MS;

test('Passed out of reach is said early, with what would settle it, while the evaluation goes on', () => {
  const decision = decide(anObservedLate(), TEN_MINUTES_IN);

  assert.equal(asText(decision), 'Evaluating → Inconclusive DeadlineOutOfReach');
  assert.equal(decision.status?.decidedAt, undefined);
  assert.equal(decision.evidence?.rateReason, 'NoUse');
  assert.match(decision.status?.message ?? '', /^Passed is out of reach: .*only by 4h \(by cpu\.function\)/);
  assert.match(
    decision.status?.message ?? '',
    /4 times the canary pods .*margin of 3\.4\d? ?%.*deadline of 4h/,
  );
  assert.match(decision.status?.message ?? '', /growth is looked for until then\. may still have grown$/);
});

const earlier = aReport({ status: { verdict: 'Inconclusive', reason: 'DeadlineOutOfReach' } });

test('an evaluation that cannot pass any more is still Failed, or Passed after all, and Inconclusive for good at its deadline', () => {
  const after = (judgement: CpuJudgement) =>
    asText(decide(anObservedLate({ evaluations: evaluations(earlier), judgement }), TEN_MINUTES_IN));
  const atMs = TEN_MINUTES_IN;

  assert.equal(after(failing), 'Decided → Failed FunctionGrew');
  const passed = aJudgement({ verdict: 'Passed', reason: 'NoRegression', decidedAtMs: atMs });
  assert.equal(after(passed), 'Decided → Passed NoRegression');
  const over = aJudgement({ verdict: 'Inconclusive', decidedAtMs: atMs });
  assert.equal(after(over), 'Decided → Inconclusive MarginNotReached');
});

const NOT_EARLY: readonly { readonly what: string; readonly observed: Partial<Observed> }[] = [
  { what: 'in the first quarter', observed: { forecast: { ...NO_SAMPLES, afterMs: 7 * MINUTE_MS } } },
  { what: 'after a few looks', observed: { judgement: aJudgement({ looks: 5 }) } },
  {
    what: 'where luck would still do',
    observed: { forecast: { ...NO_SAMPLES, passesAtBestAfterMs: 36 * MINUTE_MS } },
  },
  {
    what: 'while a higher rate has not been tried',
    observed: {
      forecast: { ...NO_SAMPLES, byRate: [{ hz: 199, passesAfterMs: 20 * MINUTE_MS }] },
      rateBounds: { baseHz: 49, mostHz: 199, agentCpu: 0.05, nodes: [] },
    },
  },
  {
    what: 'when growth was just seen',
    observed: { judgement: aJudgement({ looks: 20, reason: 'FunctionGrew' }) },
  },
  {
    what: 'where the gate says not to',
    observed: {
      gate: aGate({ spec: { duration: { ...aGate().spec.duration, earlyInconclusive: false } } }),
    },
  },
];

for (const { what, observed } of NOT_EARLY) {
  test(`Passed out of reach is not said ${what}`, () => {
    assert.match(asText(decide(anObservedLate(observed), TEN_MINUTES_IN)), /^Evaluating → Collecting /);
  });
}

test('what was said to be out of reach comes back only when even the deadline would do', () => {
  const forecast = { ...NO_SAMPLES, passesAtBestAfterMs: 36 * MINUTE_MS };
  const said = (passesAtBestAfterMs: number) =>
    asText(
      decide(
        anObservedLate({ evaluations: evaluations(earlier), forecast: { ...forecast, passesAtBestAfterMs } }),
        TEN_MINUTES_IN,
      ),
    );

  assert.equal(said(36 * MINUTE_MS), 'Evaluating → Inconclusive DeadlineOutOfReach');
  assert.equal(said(29 * MINUTE_MS), 'Evaluating → Collecting MarginNotReached');
});

test('the rate that a look asks for, and what is expected, are in what is written', () => {
  const { evidence } = decide(
    anObservedLate({
      forecast: {
        ...NO_SAMPLES,
        byRate: [{ hz: 199, passesAfterMs: 20 * MINUTE_MS }],
        requestsPerSecond: 50.4,
      },
      rateBounds: { baseHz: 49, mostHz: 199, agentCpu: 0.05, nodes: [] },
    }),
    TEN_MINUTES_IN,
  );

  assert.equal(evidence?.frequencyHz, 199);
  assert.equal(evidence.rateReason, 'Raised');
  assert.equal(evidence.expectedAt, new Date(START_MS + 240 * MINUTE_MS).toISOString());
  assert.deepEqual([evidence.samplesPerSecond, evidence.requestsPerSecond], ['1.2', '50']);
});

test('a new evaluation keeps what each arm was built from, where its pods say so', () => {
  const built = (hash: string, revision: string): ArmPods => ({ ...arm(hash), builtFrom: { revision } });
  const openOf = (baseline: ArmPods, canary: ArmPods) =>
    decide(anObserved({ arms: { ...PAIR, baseline, canary } }), START_MS).open?.builtFrom;

  assert.deepEqual(openOf(built('aaa', 'v1'), built('bbb', 'v2')), {
    ...{ baseline: { revision: 'v1' }, canary: { revision: 'v2' } },
  });
  assert.deepEqual(openOf(arm('aaa'), built('bbb', 'v2')), { canary: { revision: 'v2' } });
  assert.equal(openOf(arm('aaa'), arm('bbb')), undefined);
  const gone = decide(anObserved({ arms: { ...GONE, canary: built('bbb', 'v2') } }), START_MS);
  assert.deepEqual(gone.open?.builtFrom, { canary: { revision: 'v2' } });
});
