/**
 * A leader is lost while it judges, and its store with it. The next one, which has an empty store, comes to the same report and the
 * same status, to the last character, from what the agents have on their disks.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RegressionGateSpec } from '../../src/crds/regression-gate.ts';
import { type Disturbance, type Played, play, type Service } from './played-gate.ts';

const gateOf = (latency: string, functions: string): Partial<RegressionGateSpec> => ({
  duration: { warmUp: '10s', min: '1m', deadline: '4m' },
  checks: {
    cpu: { function: { margin: functions }, perRequest: { margin: '10%', decides: false } },
    latency: [{ quantile: 'p99', margin: { relative: latency, absolute: '2ms' }, required: false }],
    errors: { margin: '2%', required: false },
  },
});

/** All that is said, but for when a controller noticed and how often it wrote. */
function said({ gate, report }: Played): string {
  const conditions = (gate.status?.conditions ?? []).map(
    ({ lastTransitionTime: _, ...condition }) => condition,
  );
  const { resourceVersion: _, ...metadata } = report?.metadata ?? {};
  return JSON.stringify({ status: { ...gate.status, conditions }, report: { ...report, metadata } }, null, 1);
}

interface Case {
  readonly what: string;
  readonly spec: Partial<RegressionGateSpec>;
  readonly service: Service;
  readonly verdict: string;
  readonly seconds: number;
  readonly disturbances: readonly Disturbance[];
}

const CASES: readonly Case[] = [
  {
    what: 'a canary that gets slower is Failed at the same look',
    spec: gateOf('10%', '2%'),
    service: { slow: 40, slowFromS: 60 },
    verdict: 'Failed FunctionGrew',
    seconds: 300,
    disturbances: [
      { leaderDiesAtS: 65, nextLeadsAtS: 80, foundAtS: [85, 125], atOnce: [2, 4], killed: 0 },
      { leaderDiesAtS: 100, nextLeadsAtS: 115, foundAtS: [150, 120], atOnce: [100, 1] },
    ],
  },
  {
    what: 'a canary that burns the same passes at the same look, with a pod that has gone before',
    spec: gateOf('60%', '3%'),
    service: { slow: 0, slowFromS: 0, podGoneAtS: 80 },
    verdict: 'Passed',
    seconds: 330,
    disturbances: [
      { leaderDiesAtS: 90, nextLeadsAtS: 105, foundAtS: [110, 110], atOnce: [3, 100], killed: 1 },
    ],
  },
  {
    what: 'what is open at the deadline is Inconclusive for the same reason, though nobody led then',
    spec: gateOf('10%', '3%'),
    service: { slow: 0, slowFromS: 0 },
    verdict: 'Inconclusive',
    seconds: 360,
    disturbances: [{ leaderDiesAtS: 235, nextLeadsAtS: 250, foundAtS: [260, 290], atOnce: [5, 5] }],
  },
];

for (const { what, spec, service, verdict, seconds, disturbances } of CASES) {
  test(what, async () => {
    const undisturbed = await play(spec, service, seconds);
    const { status } = undisturbed.report ?? {};
    assert.match(`${status?.verdict} ${status?.reason}`, new RegExp(verdict), status?.message);

    for (const disturbance of disturbances) {
      const disturbed = await play(spec, service, seconds, disturbance);

      assert.equal(said(disturbed), said(undisturbed));
    }
  });
}
