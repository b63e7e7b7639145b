/** The gate that a recording's pods are judged by: as the cluster had it, and one whose margins these pods can be told by. */

import { defaultSpec, type ReplayOverrides, settingsFor } from '../../src/cli/replay.ts';
import type { RegressionGateSpec } from '../../src/crds/regression-gate.ts';
import type { GateSettings } from '../../src/detect/gate-evaluation.ts';
import type { PowerRow } from '../../src/detect/power-plan.ts';
import { latencyCheckName } from '../../src/detect/request-settings.ts';

/** Where the recorder may not list gates: the times that record.ts gives them, everything else by default. */
const TIMES = { warmUp: '3m', min: '3m', deadline: '15m' };

export type GateTimes = Pick<ReplayOverrides, 'warmUp' | 'deadline'>;

export const settingsOf = (spec: RegressionGateSpec | undefined, times: GateTimes): GateSettings => {
  const overrides = { latency: [], ...(spec === undefined ? TIMES : {}), ...times };
  return settingsFor(spec ?? defaultSpec(), overrides);
};

/**
 * With the margins that the plans of all slices foretell to be seen, or the gate's own where those are wider: what a team would set
 * that has asked `flamegate plan`. Undefined where nothing is foretold.
 */
export function withSeenMargins(
  settings: GateSettings,
  plans: readonly (PowerRow | undefined)[],
): GateSettings | undefined {
  const powers = plans.flatMap((row) => row?.power ?? []);
  if (powers.length === 0) return undefined;
  const { requests } = settings;
  const cpu = powers.flatMap((power) => power.cpu ?? []);
  const seenMs = (check: string): number[] =>
    powers.flatMap(({ latency }) => latency.filter((one) => one.check === check).map(({ ms }) => ms));
  return {
    ...settings,
    functionMargin: Math.max(settings.functionMargin, ...cpu),
    ...(requests && {
      requests: {
        ...requests,
        latency: requests.latency.map((one) => ({
          ...one,
          absoluteMarginMs: Math.max(one.absoluteMarginMs, ...seenMs(latencyCheckName(one))),
        })),
      },
    }),
  };
}

/** "CPU 2.1 %, P50 10 % or 3.2 ms, …" */
export function marginsText({ functionMargin, requests }: GateSettings): string {
  const percent = (part: number): string => `${Number((part * 100).toPrecision(3))} %`;
  const latency = (requests?.latency ?? []).map(
    (one) =>
      `P${latencyCheckName(one).slice('latency.p'.length)} ${percent(one.relativeMargin)} or ${Number(one.absoluteMarginMs.toPrecision(3))} ms`,
  );
  const errors = requests?.errors === undefined ? [] : [`errors ${percent(requests.errors.margin)}`];
  return [`a function ${percent(functionMargin)} of CPU`, ...latency, ...errors].join(', ');
}
