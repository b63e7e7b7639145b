/**
 * The conditions of each kind and the reasons they may carry, said once.
 * Ready is normal-true; Reconciling, Stalled, Conflicted and Capped are abnormal-true and absent when not so. Regressed is
 * abnormal-true too, False once Passed, Unknown while undecided, and absent without a live canary.
 * A reason is part of the API: alerts and scripts match it. An Event's reason is its condition's.
 */

export const PROFILING_POLICY_CONDITIONS = {
  // While nothing is profiled, Ready carries the reason of the worst workload, as its row in status.workloads does.
  Ready: [
    'Profiling',
    'NoPodsSelected',
    'Conflicted',
    'ContainerNotFound',
    'ContainerNotRunning',
    'AgentsMissing',
    'WaitingForAgents',
    'AgentSilent',
    'Starting',
    'NoJvm',
    'AttachFailed',
    'Partial',
    'Gone',
  ],
  // Pods that the selector matches and another policy profiles.
  Conflicted: ['OlderPolicyCounts', 'NamespacePolicyCounts'],
  // What the spec asks for is more than the install's settings allow.
  Capped: ['InstallLimit'],
  Reconciling: ['Progressing'],
  Stalled: ['FlagsConflict', 'NotPermitted', 'AdmissionMissing', 'PodsFail'],
  AgentsReady: ['AllReady', 'SomeMissing', 'NoneReported', 'NoNodes', 'DaemonSetMissing'],
  FlagsInjected: [
    'Injected',
    'RollingOut',
    'NotRequested',
    'WaitingForAgents',
    'NoDeploymentMatches',
    'NoWorkloadMatches',
    'AtNextCreation',
    'AdmissionMissing',
    'PodsFail',
    'NotMadeAgain',
    'OptedOut',
    'TooManyContainers',
    'OtherPolicyCounts',
    'ContainerNotFound',
    'NoJvm',
    'EnvOwnedByUser',
    'EnvFromMayHideVariable',
    'Conflicted',
    'Failed',
    'LiveSet',
    'LiveNotGranted',
    'LiveRefused',
    'MetTooLate',
  ],
  // Absent where the spec names no sink.
  SinksReady: ['Delivering', 'SinkUnknown', 'SinkFailing', 'WaitingForAgents'],
} as const;

export const CLUSTER_PROFILING_POLICY_CONDITIONS = {
  ...PROFILING_POLICY_CONDITIONS,
  Ready: [...PROFILING_POLICY_CONDITIONS.Ready, 'NoNamespaceSelected'],
} as const;

export const REGRESSION_GATE_CONDITIONS = {
  Ready: [
    'Evaluating',
    'Decided',
    'WaitingForCanary',
    'TargetNotFound',
    'NotPermitted',
    'NotProfiled',
    'Failing',
  ],
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
    'TooFewRequests',
    'NotObservable',
    'BackendUnreadable',
    'DeadlineOutOfReach',
    'DeadlineReached',
    'BaselineGone',
    'Superseded',
  ],
  // Absent where the spec names nobody to notify.
  SinksReady: ['Delivering', 'SinkUnknown', 'SinkFailing'],
  // Absent until there is a certification, or somebody asks for one.
  Certified: ['PlacebosPassed', 'PlacebosFailed', 'Certifying', 'TooFewPods', 'TooFewWindows', 'Evaluating'],
  Regressed: [
    'FunctionGrew',
    'NewHotPath',
    'LatencyGrew',
    'ErrorsGrew',
    'CostGrew',
    'NoRegression',
    'Undecided',
  ],
  // Only where the spec asks for acting; True while a rollout is stopped by Flamegate.
  RolloutStopped: ['Held', 'Paused', 'Aborted', 'Released', 'Overruled', 'LeftAlone', 'Refused', 'Idle'],
} as const;

type ReasonsOf<Table extends Readonly<Record<string, readonly string[]>>> = {
  readonly [Type in keyof Table]: Table[Type][number];
};
export type PolicyReasons = ReasonsOf<typeof CLUSTER_PROFILING_POLICY_CONDITIONS>;
export type RegressionGateReasons = ReasonsOf<typeof REGRESSION_GATE_CONDITIONS>;
