/** One simulated gate judged by the whole engine, from windows with sketches as agents send them: does it agree with the short way? */

import { planLooks } from '../../src/detect/looks.ts';
import { advanceRequests, openRequestEvaluation } from '../../src/detect/request-evaluation.ts';
import { requestChecks } from '../../src/detect/request-report.ts';
import { simulateRequests } from '../../test/reference/simulated-requests.ts';
import type { GateOutcome } from './gate-outcome.ts';

export interface FullCell {
  readonly requestsPerSecond: number;
  readonly podSd: number;
  readonly tailMs: number;
  /** Window of 10 s at which it begins. */
  readonly from: number;
  readonly minS: number;
}

const WINDOWS = 180;
const DEADLINE_MS = WINDOWS * 10_000;
const MARGIN = { relativeMargin: 0.1, absoluteMarginMs: 2, required: false };
const SETTINGS = {
  latency: [0.5, 0.99].map((quantile) => ({ quantile, ...MARGIN })),
  errors: { margin: 0.005, required: false },
};

export function simulateFullGate(cell: FullCell, seed: number): GateOutcome {
  const { history, baseline, canary } = simulateRequests({
    ...{ seed, requestsPerSecond: cell.requestsPerSecond, windows: WINDOWS, historyWindows: 120 },
    ...{ canaryPart: 0.05, baselinePods: 20, canaryPods: 3 },
    noise: { podSd: cell.podSd, waveSd: 0.05, commonSd: 0.08, bursts: 0.01 },
    canary: { tailMs: cell.tailMs, from: cell.from },
  });
  const limits = {
    ...{ falseFailureRate: 0.01, minDurationMs: cell.minS * 1_000, deadlineMs: DEADLINE_MS },
    ...{ minPods: 2, maxLossShare: 0.05 },
  };
  const evaluation = openRequestEvaluation(SETTINGS, limits, 0, history);
  const plan = { startedAtMs: 0, deadlineMs: DEADLINE_MS, warmUpMs: 0 };
  let looks = 0;
  for (const block of planLooks({ baseline, canary }, plan, DEADLINE_MS)) {
    advanceRequests(evaluation, block);
    looks += 1;
    const failed = requestChecks(evaluation, false).find(({ verdict }) => verdict === 'Failed');
    if (failed !== undefined) return { failedAtS: block.lookAtMs / 1_000, by: failed.check, looks };
    if (evaluation.checks.every(({ verdict }) => verdict === 'Passed'))
      return { passedAtS: block.lookAtMs / 1_000, looks };
  }
  return { looks };
}
