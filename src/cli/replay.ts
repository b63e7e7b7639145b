/** Past evaluations judged again under other settings. Pure. */
import { Default } from '@sinclair/typebox/value';
import { gateSettings } from '../crds/gate-settings.ts';
import { RegressionGateSpec } from '../crds/regression-gate.ts';
import type { GateSettings } from '../detect/gate-evaluation.ts';
import { judgeGate } from '../detect/judge-gate.ts';
import type { PodWindow } from '../detect/pod-window.ts';
import { HISTORY_MS } from '../detect/request-spread.ts';
import type { GateJudgement } from '../detect/verdict.ts';
import { failedBy, type PastEvaluation, type Said } from './past-evaluations.ts';

type Checks = RegressionGateSpec['checks'];
export type Quantile = Checks['latency'][number]['quantile'];

/** What is to be otherwise than in the gate, by the names and in the spelling of its spec. */
export interface ReplayOverrides {
  readonly latency: readonly {
    readonly quantile: Quantile;
    readonly margin: { readonly relative?: string; readonly absolute?: string };
  }[];
  readonly cpuFunction?: string;
  readonly cpuPerRequest?: string;
  readonly errors?: string;
  readonly falseFailureRate?: string;
  readonly warmUp?: string;
  readonly min?: string;
  readonly deadline?: string;
  readonly podVarianceFactor?: number;
}

export interface Replayed {
  readonly evaluation: PastEvaluation;
  readonly would: Said;
  readonly message: string;
  readonly pods: GateJudgement['pods'];
  readonly looks: number;
  /** How far the windows of both arms reach into it; less than the deadline: it may have been decided later. */
  readonly coveredMs: number;
}

/** A gate as it is when nothing is written but its target. */
export function defaultSpec(): RegressionGateSpec {
  return Default(RegressionGateSpec, {}) as RegressionGateSpec; // what the API server fills in, from the same schema
}

/** Throws a QuantityError for a quantity that is none. */
export function settingsFor(spec: RegressionGateSpec, overrides: ReplayOverrides): GateSettings {
  const { checks, duration, falseFailureRate } = spec;
  const { podVarianceFactor } = overrides;
  const others = checks.latency.filter(
    ({ quantile }) => !overrides.latency.some((override) => override.quantile === quantile),
  );
  const latency = overrides.latency.map((override) => {
    const known = checks.latency.find(({ quantile }) => quantile === override.quantile);
    return { required: known?.required ?? false, ...override };
  });
  const settings = gateSettings({
    ...spec,
    checks: {
      cpu: {
        function: { margin: overrides.cpuFunction ?? checks.cpu.function.margin },
        perRequest: {
          ...checks.cpu.perRequest,
          ...(overrides.cpuPerRequest === undefined
            ? {}
            : { margin: overrides.cpuPerRequest, decides: true }),
        },
      },
      latency: [...others, ...latency],
      errors: { ...checks.errors, margin: overrides.errors ?? checks.errors.margin },
    },
    falseFailureRate: overrides.falseFailureRate ?? falseFailureRate,
    duration: {
      warmUp: overrides.warmUp ?? duration.warmUp,
      min: overrides.min ?? duration.min,
      deadline: overrides.deadline ?? duration.deadline,
    },
  });
  return podVarianceFactor === undefined ? settings : { ...settings, podVarianceFactor };
}

export function replay(evaluation: PastEvaluation, overrides: ReplayOverrides): Replayed {
  const { baseline, canary, startedAtMs } = evaluation;
  const asked = settingsFor(evaluation.spec ?? defaultSpec(), overrides);
  const certified = evaluation.podVarianceFactor;
  const settings: GateSettings =
    asked.podVarianceFactor === undefined && certified !== undefined
      ? { ...asked, podVarianceFactor: certified }
      : asked;
  const { deadlineMs, warmUpMs } = settings;
  const history = baseline.filter(
    ({ startMs, endMs, podStartedAtMs }) =>
      startMs >= startedAtMs - HISTORY_MS && endMs <= startedAtMs && startMs - podStartedAtMs >= warmUpMs,
  );
  const nowMs = startedAtMs + deadlineMs;
  const judgement = judgeGate({ baseline, canary, settings, startedAtMs, nowMs, history });
  const isDecided = judgement.verdict === 'Failed' || judgement.verdict === 'Passed';
  const coveredMs = Math.min(deadlineMs, coveredBy(baseline, startedAtMs), coveredBy(canary, startedAtMs));
  const culprit = judgement.culprits.find(({ kind }) => kind !== 'Moved')?.function;
  return {
    evaluation,
    would: {
      verdict: judgement.verdict,
      reason: judgement.reason,
      ...(isDecided ? { afterMs: (judgement.decidedAtMs ?? nowMs) - startedAtMs } : {}),
      by: failedBy(judgement.checks, culprit),
    },
    message: judgement.message,
    pods: judgement.pods,
    looks: judgement.looks,
    coveredMs,
  };
}

const coveredBy = (windows: readonly PodWindow[], startedAtMs: number): number =>
  windows.reduce((covered, { endMs }) => Math.max(covered, endMs - startedAtMs), 0);

/** 1: one would have failed; 3: none, but one would not have been decided; 0: all would have passed. */
export function replayExitCode(replayed: readonly Replayed[]): number {
  if (replayed.some(({ would }) => would.verdict === 'Failed')) return 1;
  return replayed.some(({ would }) => would.verdict !== 'Passed') ? 3 : 0;
}
