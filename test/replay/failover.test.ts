/**
 * What breaks while a gate is judged, and what it comes to. Where nothing is lost that cannot be had again, the report and the status are
 * those of an undisturbed gate over the same windows, to the last character; else the verdict is right, or says why there is none.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RegressionGateSpec } from '../../src/crds/regression-gate.ts';
import { type Breakage, type Played, play } from './played-gate.ts';
import type { Service } from './played-service.ts';

const gateOf = (latency: string, functions: string): Partial<RegressionGateSpec> => ({
  duration: { warmUp: '10s', min: '1m', deadline: '4m' },
  checks: {
    cpu: { function: { margin: functions }, perRequest: { margin: '10%', decides: false } },
    latency: [{ quantile: 'p99', margin: { relative: latency, absolute: '2ms' }, required: false }],
    errors: { margin: '2%', required: false },
  },
});

interface Case {
  readonly spec: Partial<RegressionGateSpec>;
  readonly service: Service;
  readonly verdict: RegExp;
  readonly seconds: number;
}

/** Each decided at the look at two minutes, or open at the deadline. */
const CASES = {
  slower: {
    ...{ spec: gateOf('10%', '2%'), service: { slow: 40, slowFromS: 60 } },
    ...{ verdict: /^Failed FunctionGrew/, seconds: 300 },
  },
  harmless: {
    ...{ spec: gateOf('60%', '3%'), service: { slow: 0, slowFromS: 0, podGoneAtS: 80 } },
    ...{ verdict: /^Passed/, seconds: 300 },
  },
  open: {
    ...{ spec: gateOf('10%', '3%'), service: { slow: 0, slowFromS: 0 } },
    ...{ verdict: /^Inconclusive MarginNotReached/, seconds: 360 },
  },
} satisfies Record<string, Case>;

const played = (of: Case, breakage?: Breakage): Promise<Played> =>
  play(of.spec, of.service, of.seconds, breakage);

const undisturbed = new Map<Case, Promise<Played>>();
const undisturbedOf = (of: Case): Promise<Played> => {
  const known = undisturbed.get(of) ?? played(of);
  undisturbed.set(of, known);
  return known;
};

const verdictOf = ({ report }: Played): string => `${report?.status?.verdict} ${report?.status?.reason}`;

/** All that is said, but for when a controller noticed and how often it wrote. */
function said({ gate, report }: Played): string {
  const conditions = (gate.status?.conditions ?? []).map(
    ({ lastTransitionTime: _, ...condition }) => condition,
  );
  const { resourceVersion: _, ...metadata } = report?.metadata ?? {};
  return JSON.stringify({ status: { ...gate.status, conditions }, report: { ...report, metadata } }, null, 1);
}

async function assertSaidTheSame(of: Case, breakage: Breakage): Promise<Played> {
  const expected = await undisturbedOf(of);
  assert.match(verdictOf(expected), of.verdict, expected.report?.status?.message);
  const disturbed = await played(of, breakage);
  assert.equal(said(disturbed), said(expected));
  return disturbed;
}

test('a leader is lost before a canary gets slower, and the next one fails it at the same look', async () => {
  await assertSaidTheSame(CASES.slower, {
    ...{ leaderDiesAtS: 65, nextLeadsAtS: 80, foundAtS: [85, 125], atOnce: [2, 4], killed: 0 },
  });
});

test('a leader is lost just before the look that decides, and its agents come back one by one', async () => {
  await assertSaidTheSame(CASES.slower, {
    ...{ leaderDiesAtS: 125, nextLeadsAtS: 140, foundAtS: [180, 150], atOnce: [100, 1] },
  });
});

test('a pod that had gone before the leader did still counts for the next one', async () => {
  await assertSaidTheSame(CASES.harmless, {
    ...{ leaderDiesAtS: 90, nextLeadsAtS: 105, foundAtS: [110, 110], atOnce: [3, 100], killed: 1 },
  });
});

test('nobody leads at the deadline, and the gate is Inconclusive for the reason that it had then', async () => {
  await assertSaidTheSame(CASES.open, {
    ...{ leaderDiesAtS: 235, nextLeadsAtS: 250, foundAtS: [260, 290], atOnce: [5, 5] },
  });
});

test('a leader that was overtaken, and looks on, writes over nothing', async () => {
  const { failedLooks } = await assertSaidTheSame(CASES.slower, {
    ...{ nextLeadsAtS: 80, foundAtS: [85, 85], staleLooksToS: 240 },
  });

  assert.ok(failedLooks.length > 0);
  assert.deepEqual([...new Set(failedLooks)], ['KUBE_CONFLICT']);
});

test('a database that breaks is begun anew and filled again', async () => {
  const { corruptFiles } = await assertSaidTheSame(CASES.slower, { storeBreaksAtS: 110 });

  assert.equal(corruptFiles, 1);
});

test('a node that is cut off for a minute is waited for', async () => {
  await assertSaidTheSame(CASES.slower, { cutOff: { node: 1, fromS: 90, toS: 160 } });
});

test('a leader whose clock is an hour ahead for a while decides nothing by it', async () => {
  await assertSaidTheSame(CASES.slower, { clockSet: { fromS: 70, toS: 90, ms: 50 * 60_000 } });
});

test('a leader whose clock is set back for two minutes takes later what it could not take, and loses nothing', async () => {
  const { pushed } = await assertSaidTheSame(CASES.slower, {
    clockSet: { fromS: 90, toS: 210, ms: -600_000 },
  });

  assert.ok((pushed['failed BATCH_TIME_AHEAD'] ?? 0) > 0, JSON.stringify(pushed));
});

test('a leader whose clock is right again after the deadline waits for what its agents have kept', async () => {
  await assertSaidTheSame(CASES.open, {
    clockSet: { fromS: 120, toS: 300, ms: -600_000 },
    cutOff: { node: 1, fromS: 300, toS: 325 }, // it tries again half a minute later
  });
});

test('a node whose clock is minutes ahead for a while lacks windows, and what it makes afterwards does not wait for them', async () => {
  const agentAhead = { node: 1, fromS: 70, toS: 100, ms: 600_000 };
  const { pushed, ...rest } = await played(CASES.slower, { agentAhead });
  const stopped = await played(CASES.slower, { stopped: agentAhead });

  assert.ok((pushed['failed BATCH_TIME_AHEAD'] ?? 0) > 0, JSON.stringify(pushed));
  assert.match(verdictOf({ pushed, ...rest }), CASES.slower.verdict);
  assert.equal(said({ pushed, ...rest }), said(stopped));
});

test('a leader that is rolled is followed at once, by one that comes to the same', async () => {
  await assertSaidTheSame(CASES.slower, {
    ...{ leaderDiesAtS: 110, nextLeadsAtS: 115, foundAtS: [115, 120], atOnce: [3, 100] },
  });
});

test('a node that is gone with its pods and its agent leaves what it told, and the rest decides', async () => {
  const { report } = await played(CASES.slower, { nodeGone: { node: 1, atS: 90 } });

  assert.match(verdictOf({ report } as Played), CASES.slower.verdict, report?.status?.message);
});

test('an agent that is stopped for a minute lacks its windows, and the verdict is right without', async () => {
  const stopped = await played(CASES.slower, { stopped: { node: 1, fromS: 70, toS: 130 } });

  assert.match(verdictOf(stopped), CASES.slower.verdict, stopped.report?.status?.message);
});

test('an agent that never comes back to the next leader is given up, and the rest decides or says why not', async () => {
  const { report } = await played(CASES.slower, {
    ...{ leaderDiesAtS: 65, nextLeadsAtS: 80, foundAtS: [85, 10_000] },
  });

  assert.match(
    `${report?.status?.verdict} ${report?.status?.reason}`,
    /^(Failed FunctionGrew|Inconclusive )/,
  );
  assert.ok((report?.status?.message ?? '') !== '');
});

test('windows that come after the verdict change nothing, and are counted', async () => {
  const stayedAway = await played(CASES.slower, { cutOff: { node: 1, fromS: 90, toS: 10_000 } });
  const cameLate = await played(CASES.slower, { cutOff: { node: 1, fromS: 90, toS: 270 } });

  assert.match(verdictOf(stayedAway), CASES.slower.verdict);
  assert.equal(said(cameLate), said(stayedAway));
  assert.equal(stayedAway.late, 0);
  assert.ok(cameLate.late > 0);
  assert.equal((await undisturbedOf(CASES.slower)).late, 0);
});

test('a store that is too small for the evaluation drops the oldest, counts them, and says nothing wrong', async () => {
  const full = await played(CASES.slower, {
    ...{ storeBytes: 200_000, leaderDiesAtS: 125, nextLeadsAtS: 140, foundAtS: [145, 145] },
  });

  assert.ok(full.droppedEarly > 0);
  assert.match(verdictOf(full), /^(Failed FunctionGrew|Inconclusive )/, full.report?.status?.message);
});

test('a spool that is too small for the time without a leader drops its oldest windows and counts them', async () => {
  const { dropped, ...rest } = await played(CASES.slower, {
    ...{ spoolBytes: 8_000, leaderDiesAtS: 65, nextLeadsAtS: 140, foundAtS: [145, 145] },
  });

  assert.ok(dropped > 0);
  assert.match(verdictOf({ dropped, ...rest }), /^(Failed FunctionGrew|Inconclusive )/);
});
