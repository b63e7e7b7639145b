/**
 * What to do about a condition that is not as it should be, by its reason. `undefined`: nothing, it goes by itself or is meant to be so, and
 * status does not call it wrong. Pure.
 */
import type {
  CLUSTER_PROFILING_POLICY_CONDITIONS,
  REGRESSION_GATE_CONDITIONS,
} from '../../crds/condition-types.ts';

type AdviceOf<Table extends Readonly<Record<string, readonly string[]>>> = {
  readonly [Type in keyof Table]: { readonly [Reason in Table[Type][number]]: string | undefined };
};

const PODS_OF_AGENTS = 'kubectl -n flamegate-agents get pods -o wide, and describe those that are not ready';
const LOG_OF_AGENTS = 'look at the logs of the agent of that node: kubectl -n flamegate-agents logs';
const NAME_CONTAINERS = 'correct spec.containers of the policy';
const RIGHTS = 'apply what the message names, or ask who runs the platform to';
const SETTINGS_SINKS = 'correct the name, or add the sink to the settings of the install (docs/sinks.md)';
const SINK_AWAY =
  'look at what the sink answers, and at the NetworkPolicy that has to allow it (docs/sinks.md)';
const PASTE_FLAGS = 'paste the line of the message into the template, or leave it (docs/flags.md)';
const MORE_PODS = 'more pods of both arms, or a longer spec.duration.deadline';

export const POLICY_ADVICE: AdviceOf<typeof CLUSTER_PROFILING_POLICY_CONDITIONS> = {
  Ready: {
    Profiling: undefined,
    NoPodsSelected: 'compare spec.podSelector with the labels of the pods',
    NoNamespaceSelected: 'compare spec.namespaceSelector with the labels of the namespaces',
    Conflicted: 'another policy profiles these pods: delete one of the two',
    ContainerNotFound: NAME_CONTAINERS,
    ContainerNotRunning: 'look at the pods: kubectl get pods',
    AgentsMissing: PODS_OF_AGENTS,
    WaitingForAgents: undefined,
    AgentSilent: LOG_OF_AGENTS,
    Starting: undefined,
    NoJvm: `${NAME_CONTAINERS}: none of the containers runs a JVM`,
    AttachFailed: 'look the reason up in docs/errors.md',
    Partial: 'look the reason up in docs/errors.md',
    Gone: undefined,
  },
  Conflicted: {
    OlderPolicyCounts: 'of both policies one is enough: delete one, or part their selectors',
    NamespacePolicyCounts: undefined,
  },
  Capped: {
    InstallLimit: 'lower it in the policy, or raise it in the settings of the install (docs/settings.md)',
  },
  Reconciling: { Progressing: undefined },
  Stalled: {
    FlagsConflict: 'another field manager owns the variable: take it out of one of the two (docs/flags.md)',
    NotPermitted: RIGHTS,
    AdmissionMissing: 'apply config/pod-creation (docs/flags.md)',
    PodsFail: 'look at the log of the pods that fail with the flags; any change of spec tries again',
  },
  AgentsReady: {
    AllReady: undefined,
    SomeMissing: PODS_OF_AGENTS,
    NoneReported: LOG_OF_AGENTS,
    NoNodes: undefined,
    DaemonSetMissing: 'apply config/agent, and look at the log of the controller',
  },
  FlagsInjected: {
    Injected: undefined,
    RollingOut: undefined,
    NotRequested: undefined,
    WaitingForAgents: undefined,
    NoDeploymentMatches: undefined,
    NoWorkloadMatches: undefined,
    AtNextCreation: undefined,
    AdmissionMissing: 'apply config/pod-creation (docs/flags.md)',
    PodsFail: 'look at the log of the pods that fail with the flags; any change of spec tries again',
    NotMadeAgain: 'annotate the template with flamegate.dev/inject: "true" (docs/flags.md)',
    OptedOut: undefined,
    TooManyContainers: 'share the containers among several policies',
    OtherPolicyCounts: undefined,
    ContainerNotFound: NAME_CONTAINERS,
    NoJvm: NAME_CONTAINERS,
    EnvOwnedByUser: PASTE_FLAGS,
    EnvFromMayHideVariable: PASTE_FLAGS,
    Conflicted: 'another webhook takes the variable out, or ours is not reached (docs/flags.md)',
    Failed: 'look at the log of the controller',
    LiveSet: undefined,
    LiveNotGranted:
      'FLAMEGATE_LIVE: "true" in the PodTemplate flamegate-agent, or another mode (docs/flags.md)',
    LiveRefused: 'status.workloads[].live.refused of the policy says why (docs/conditions.md)',
    MetTooLate: 'restart those pods when you like',
  },
  SinksReady: {
    Delivering: undefined,
    SinkUnknown: SETTINGS_SINKS,
    SinkFailing: SINK_AWAY,
    WaitingForAgents: undefined,
  },
};

export const GATE_ADVICE: AdviceOf<typeof REGRESSION_GATE_CONDITIONS> = {
  Ready: {
    Evaluating: undefined,
    Decided: undefined,
    WaitingForCanary: undefined,
    TargetNotFound: 'correct spec.targetRef of the gate, or deploy what it names',
    NotPermitted: `${RIGHTS} (config/targets)`,
    NotProfiled: 'make a ProfilingPolicy that selects the pods (samples/)',
    Failing: 'correct the spec of the gate as the message says',
  },
  Reconciling: { Progressing: undefined },
  Stalled: {
    InvalidSpec: 'correct the spec of the gate as the message says',
    NotPermitted: `${RIGHTS} (config/targets)`,
    TargetNotFound: 'correct spec.targetRef of the gate, or deploy what it names',
  },
  // Without a canary there is nothing wrong; what is, Ready says.
  BaselineResolved: {
    Resolved: undefined,
    BaselineGone: 'keep some pods of the baseline until the gate has decided',
    NoBaselinePods: undefined,
    NoCanaryPods: undefined,
    TargetNotFound: undefined,
    SameRevision: undefined,
  },
  DataSufficient: {
    Sufficient: undefined,
    Collecting: undefined,
    NotProfiled: undefined,
    NoSamples: 'put load on the pods; look at the policy that profiles them',
    TooFewPods: MORE_PODS,
    TooMuchLoss: 'lower spec.cpu.frequencyHz of the policy, or look at how busy the nodes are',
    TooFewRequests: 'more traffic to the canary, or a longer spec.duration.deadline',
    NotObservable:
      'look at status.workloads of the policy; with TLS in the JVM read them out of Prometheus (docs/metrics.md)',
    BackendUnreadable: 'look the code in the message up in docs/errors.md',
    DeadlineOutOfReach: `${MORE_PODS}; the message says what would settle it`,
    DeadlineReached: `${MORE_PODS}; the message says what would settle it`,
    BaselineGone: 'keep some pods of the baseline until the gate has decided',
    Superseded: undefined,
  },
  SinksReady: { Delivering: undefined, SinkUnknown: SETTINGS_SINKS, SinkFailing: SINK_AWAY },
  Certified: {
    PlacebosPassed: undefined,
    PlacebosFailed:
      'raise the margins of the gate, or find what makes pods of one version differ (flamegate plan)',
    Certifying: undefined,
    TooFewPods: undefined,
    TooFewWindows: undefined,
    Evaluating: undefined,
  },
  // Is told as the verdict.
  Regressed: {
    FunctionGrew: undefined,
    NewHotPath: undefined,
    LatencyGrew: undefined,
    ErrorsGrew: undefined,
    CostGrew: undefined,
    NoRegression: undefined,
    Undecided: undefined,
  },
  RolloutStopped: {
    Held: undefined,
    Paused: 'roll back, or go on as the message says',
    Aborted: undefined,
    Released: undefined,
    Overruled: undefined,
    LeftAlone: undefined,
    Refused: RIGHTS,
    Idle: undefined,
  },
};

interface Said {
  readonly type: string;
  readonly reason: string;
}

/** Of a reason of another version there is no advice. */
export function adviceFor(
  table: Readonly<Record<string, Readonly<Record<string, string | undefined>>>>,
  { type, reason }: Said,
): string | undefined {
  return Object.hasOwn(table, type) && Object.hasOwn(table[type] ?? {}, reason)
    ? table[type]?.[reason]
    : undefined;
}
