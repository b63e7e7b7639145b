/**
 * The conditions of each kind and the reasons they may carry, said once.
 * Ready is normal-true; Reconciling, Stalled and Conflicted are abnormal-true and absent when not so. Regressed is
 * abnormal-true too, False once Passed, Unknown while undecided, and absent without a live canary.
 * A reason is part of the API: alerts and scripts match it. An Event's reason is its condition's.
 */

export const PROFILING_POLICY_CONDITIONS = {
  Ready: ['Profiling', 'NoPodsMatch', 'AgentsMissing', 'NoJvmFound', 'Failing'],
  Reconciling: ['Progressing'],
  Stalled: ['FlagsConflict', 'InvalidSpec', 'NotPermitted'],
  AgentsReady: ['AllReady', 'SomeMissing', 'NoneReported', 'NotNeeded'],
  FlagsInjected: [
    'Injected',
    'NotRequested',
    'RollingOut',
    'EnvOwnedByUser',
    'NoDeploymentMatches',
    'Failed',
  ],
  Conflicted: ['OverlappingPolicy'],
} as const;

export const REGRESSION_GATE_CONDITIONS = {
  Ready: ['Evaluating', 'Decided', 'WaitingForCanary', 'TargetNotFound', 'NotProfiled', 'Failing'],
  Reconciling: ['Progressing'],
  Stalled: ['InvalidSpec', 'NotPermitted', 'TargetNotFound'],
  BaselineResolved: [
    'Resolved',
    'BaselineGone',
    'NoBaselinePods',
    'NoCanaryPods',
    'TargetNotFound',
    'SameRevision',
  ],
  DataSufficient: [
    'Sufficient',
    'Collecting',
    'NotProfiled',
    'NoSamples',
    'TooFewPods',
    'TooMuchLoss',
    'DeadlineReached',
    'BaselineGone',
    'Superseded',
  ],
  Regressed: ['FunctionGrew', 'NewHotPath', 'NoRegression', 'Undecided'],
} as const;

type ReasonsOf<Table extends Readonly<Record<string, readonly string[]>>> = {
  readonly [Type in keyof Table]: Table[Type][number];
};
export type ProfilingPolicyReasons = ReasonsOf<typeof PROFILING_POLICY_CONDITIONS>;
export type RegressionGateReasons = ReasonsOf<typeof REGRESSION_GATE_CONDITIONS>;
export type ProfilingPolicyConditionType = keyof ProfilingPolicyReasons;
export type RegressionGateConditionType = keyof RegressionGateReasons;
