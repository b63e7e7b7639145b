/**
 * What is wrong with an install and what it watches, the worst first, each with what to do about it. Pure.
 *
 * what is seen                                         → Broken: no verdict can be trusted to come, or is up to date
 *   kinds, controller or its leader missing, nobody answers, no agent of several nodes is ready, an object is Stalled
 * a gate's canary has regressed                        → Failed
 * any other condition that is not as it should be, for
 * a reason that somebody can do something about, some
 * agents missing, samples lost beyond what gates take  → Notice
 */
import type { AnyProfilingPolicy } from '../../crds/cluster-profiling-policy.ts';
import { parseDurationMs } from '../../crds/quantities.ts';
import type { RegressionGate } from '../../crds/regression-gate.ts';
import { adviceFor, GATE_ADVICE, POLICY_ADVICE } from './advice.ts';
import {
  type AgentsState,
  type Asked,
  type ClusterState,
  type ControllerState,
  NO_KINDS,
} from './cluster-state.ts';

export type Severity = 'Broken' | 'Failed' | 'Notice';

export interface Problem {
  readonly severity: Severity;
  readonly what: string;
  readonly reason: string;
  readonly message: string;
  readonly advice: string;
}

const SEVERITIES: readonly Severity[] = ['Broken', 'Failed', 'Notice'];
const LOOK_AT_AGENTS = 'kubectl -n flamegate-agents get pods -o wide, and describe those that are not ready';
const INSTALL = 'kubectl apply --server-side -k config/default';
/** As src/detect/decide-look.ts has it. */
const MOST_LOST_PERCENT = 5;
/** The lease is renewed every 1.5 s and lasts 12; clocks of machines differ, too. */
const OLDEST_RENEWAL_MS = 60_000;

export function problemsOf(state: ClusterState, nowMs: number): readonly Problem[] {
  const policies = policiesOf(state);
  return [
    ...kindsProblems(state),
    ...controllerProblems(state.controller, nowMs),
    ...agentsProblems(state.agents, policies),
    ...policies.flatMap(policyProblems),
    ...knownOf(state.gates).flatMap((gate) => gateProblems(gate, nowMs)),
  ].toSorted((a, b) => SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity));
}

/** 4 before 1: where something is broken, a verdict may be an old one. */
export function exitCodeOf(problems: readonly Problem[]): 0 | 1 | 4 {
  const has = (severity: Severity) => problems.some((problem) => problem.severity === severity);
  return has('Broken') ? 4 : has('Failed') ? 1 : 0;
}

export const knownOf = <T>(asked: Asked<readonly T[]>): readonly T[] => ('known' in asked ? asked.known : []);

export const policiesOf = ({ clusterPolicies, policies }: ClusterState): readonly AnyProfilingPolicy[] => [
  ...knownOf(clusterPolicies),
  ...knownOf(policies),
];

export const policyName = ({ kind, metadata }: AnyProfilingPolicy): string =>
  kind === 'ClusterProfilingPolicy' ? `cluster/${metadata.name}` : `${metadata.namespace}/${metadata.name}`;

export const gateName = ({ metadata }: RegressionGate): string => `${metadata.namespace}/${metadata.name}`;

/** Who asks for a namespace and may read nothing of it has not learnt that it is well. */
function kindsProblems({ policies, gates }: ClusterState): readonly Problem[] {
  const why = [gates, policies].flatMap((asked) => ('unknown' in asked ? [asked.unknown] : []));
  if (why.includes(NO_KINDS)) {
    const message = 'the API server does not know ProfilingPolicy and RegressionGate';
    return [{ severity: 'Broken', what: 'install', reason: 'KindsMissing', message, advice: INSTALL }];
  }
  const advice = 'ask for the role flamegate-view, or name a namespace that you may read (-n)';
  return why
    .slice(0, 1)
    .map((message) => ({ severity: 'Broken', what: 'your rights', reason: 'NotPermitted', message, advice }));
}

function controllerProblems(asked: Asked<ControllerState>, nowMs: number): readonly Problem[] {
  if ('unknown' in asked) return [];
  const { wanted, ready, leader, answers } = asked.known;
  const said = (severity: Severity, reason: string, message: string, advice: string): Problem[] => [
    { severity, what: 'controller', reason, message, advice },
  ];
  const look = 'kubectl -n flamegate-system describe pods, and their logs';
  if (wanted === 0) return said('Broken', 'NotInstalled', 'there is none in flamegate-system', INSTALL);
  if (ready === 0) return said('Broken', 'NotReady', `none of ${wanted} is ready`, look);
  const away =
    leader === undefined
      ? said('Broken', 'NoLeader', 'nobody holds the lease flamegate-controller', look)
      : nowMs - leader.renewedAtMs > OLDEST_RENEWAL_MS
        ? said(
            'Broken',
            'NoLeader',
            `${leader.pod} has not renewed its lease for ${secondsSince(leader, nowMs)} s`,
            look,
          )
        : [];
  const silent =
    answers === undefined || answers.isSo
      ? []
      : said('Broken', 'NotReachable', answers.why, `${look}; is the way to it by the API server open?`);
  const few = ready < wanted ? said('Notice', 'NotReady', `${ready} of ${wanted} are ready`, look) : [];
  return [...away, ...silent, ...few];
}

export const secondsSince = ({ renewedAtMs }: { readonly renewedAtMs: number }, nowMs: number): number =>
  Math.max(0, Math.round((nowMs - renewedAtMs) / 1_000));

/** What policies say of agents is the same in each: it is told once. */
function agentsProblems(
  asked: Asked<AgentsState>,
  policies: readonly AnyProfilingPolicy[],
): readonly Problem[] {
  const said = (severity: Severity, reason: string, message: string, advice: string): Problem[] => [
    { severity, what: 'agents', reason, message, advice },
  ];
  const lost = Math.max(0, ...policies.map(lostPercent));
  const lossy =
    lost > MOST_LOST_PERCENT
      ? said(
          'Notice',
          'TooMuchLoss',
          `${lost.toFixed(2)}% of samples are lost; gates leave out windows with more than ${MOST_LOST_PERCENT}%`,
          'lower spec.cpu.frequencyHz of policies, or look at how busy the nodes are',
        )
      : [];
  const conditions = policies.flatMap(({ status }) => status?.conditions ?? []);
  const reported = conditions.find((condition) => condition.type === 'AgentsReady' && isAmiss(condition));
  const ofPolicies =
    reported === undefined
      ? []
      : said(
          'Notice',
          reported.reason,
          reported.message,
          adviceFor(POLICY_ADVICE, reported) ?? LOOK_AT_AGENTS,
        );
  if ('unknown' in asked) return [...ofPolicies, ...lossy];
  const { isThere, nodes, ready } = asked.known;
  if (!isThere) {
    const message = 'there is no DaemonSet, and there are policies: the controller makes it';
    const advice = 'apply config/agent, and look at the log of the controller';
    return policies.length > 0 ? said('Broken', 'DaemonSetMissing', message, advice) : [];
  }
  if (nodes > 0 && ready === 0) {
    return said('Broken', 'NoneReady', `none of ${nodes} nodes has one that is ready`, LOOK_AT_AGENTS);
  }
  const few = `${ready} of ${nodes} nodes have one that is ready`;
  return [...(ready < nodes ? said('Notice', 'SomeMissing', few, LOOK_AT_AGENTS) : ofPolicies), ...lossy];
}

function policyProblems(policy: AnyProfilingPolicy): readonly Problem[] {
  const what = `policy ${policyName(policy)}`;
  const conditions = (policy.status?.conditions ?? []).filter(({ type }) => type !== 'AgentsReady');
  return policy.status === undefined ? [unseen(what)] : conditionProblems(what, conditions, POLICY_ADVICE);
}

export const lostPercent = ({ status }: AnyProfilingPolicy): number =>
  Number.parseFloat(status?.overhead?.lostPercent ?? '0') || 0;

/** The controller writes a status within seconds. */
const unseen = (what: string): Problem => ({
  ...{ severity: 'Notice', what, reason: 'NotObserved' },
  message: 'the controller has not said anything about it yet',
  advice: 'look at the controller if it stays so',
});

function gateProblems(gate: RegressionGate, nowMs: number): readonly Problem[] {
  const what = `gate ${gateName(gate)}`;
  const { status } = gate;
  const report = status?.evaluation?.report;
  const failed: Problem[] =
    status?.verdict === 'Failed'
      ? [
          {
            ...{ severity: 'Failed', what, message: status.summary ?? 'the canary has regressed' },
            reason: status.conditions?.find(({ type }) => type === 'Regressed')?.reason ?? 'Failed',
            advice: `flamegate report ${gate.metadata.namespace}/${report ?? gate.metadata.name}`,
          },
        ]
      : [];
  return [
    ...(status === undefined ? [unseen(what)] : []),
    ...failed,
    ...conditionProblems(
      what,
      (status?.conditions ?? []).filter(({ reason }) => reason !== 'NoSamples' || !hasJustBegun(gate, nowMs)),
      GATE_ADVICE,
    ),
  ];
}

/** From the end of the warm-up to the first windows that were pushed and judged. */
const FIRST_SAMPLES_MS = 60_000;

/** That it has no samples yet is as it should be. */
function hasJustBegun({ spec, status }: RegressionGate, nowMs: number): boolean {
  const beganAtMs = Date.parse(status?.evaluation?.startedAt ?? '');
  return nowMs - beganAtMs < parseDurationMs(spec.duration.warmUp) + FIRST_SAMPLES_MS; // NaN: it has not begun
}

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
}

const ABNORMAL_WHEN_TRUE: ReadonlySet<string> = new Set([
  ...['Conflicted', 'Capped', 'Reconciling', 'Stalled', 'Regressed', 'RolloutStopped'],
]);

const isAmiss = ({ type, status }: Condition): boolean =>
  status === (ABNORMAL_WHEN_TRUE.has(type) ? 'True' : 'False');

/** What one reason says of two conditions is one problem. */
function conditionProblems(
  what: string,
  conditions: readonly Condition[],
  table: Parameters<typeof adviceFor>[0],
): readonly Problem[] {
  const problems = conditions.flatMap((condition): Problem[] => {
    const advice = adviceFor(table, condition);
    const isStalled = condition.type === 'Stalled' && condition.status === 'True';
    if (!isAmiss(condition) || (advice === undefined && !isStalled)) return [];
    const { reason, message } = condition;
    const severity = isStalled ? 'Broken' : 'Notice';
    return [{ severity, what, reason, message, advice: advice ?? 'as the message says' }];
  });
  const worst = problems.toSorted(({ severity }) => (severity === 'Broken' ? -1 : 1));
  return worst.filter(({ message }, at) => worst.findIndex((other) => other.message === message) === at);
}
