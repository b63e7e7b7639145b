/** AgentsReady and overhead: what the DaemonSet and the agents themselves say. Pure. */
import type { V1DaemonSet } from '@kubernetes/client-node';
import type { PolicyReasons } from '../../crds/condition-types.ts';
import type { ProfilingPolicyStatus } from '../../crds/profiling-policy.ts';
import type { AgentState } from '../agent-reports.ts';
import type { Finding } from './decide.ts';
import { FRESH_MS } from './workload-rows.ts';

/** An agent starts, asks for its work and sends its first window within this; until then nothing is wrong yet. */
const STARTING_MS = 90_000;

type Reason = PolicyReasons['AgentsReady'];

export interface AgentsSeen {
  readonly daemonSet: V1DaemonSet | undefined;
  readonly agents: readonly AgentState[];
  /** Since when this process could have heard of agents. */
  readonly listeningSinceMs: number;
  readonly nowMs: number;
}

/**
 * The agents                                → AgentsReady
 * no DaemonSet                              → False DaemonSetMissing
 * no node takes one                         → False NoNodes
 * not all are ready                         → False SomeMissing
 * none has reported within a minute         → False NoneReported
 * some have not reported within a minute    → False SomeMissing
 * otherwise                                 → True  AllReady
 * Instead of False: Unknown, during the first 90 s of the DaemonSet and of this process.
 */
export function agentsReady({ daemonSet, agents, listeningSinceMs, nowMs }: AgentsSeen): Finding<Reason> {
  const madeMs = daemonSet?.metadata?.creationTimestamp?.valueOf() ?? 0;
  const starting = nowMs - Math.max(listeningSinceMs, new Date(madeMs).getTime()) < STARTING_MS;
  const no = (reason: Reason, message: string): Finding<Reason> => ({
    status: starting ? 'Unknown' : 'False',
    reason,
    message,
  });
  if (daemonSet === undefined) {
    return no('DaemonSetMissing', 'the agents’ DaemonSet is not there: see the PodTemplate flamegate-agent');
  }
  const wanted = daemonSet.status?.desiredNumberScheduled ?? 0;
  const ready = daemonSet.status?.numberReady ?? 0;
  const reporting = fresh(agents, nowMs).length;
  if (wanted === 0) {
    return no('NoNodes', 'no node takes an agent: look at the tolerations and selectors of the PodTemplate');
  }
  if (ready < wanted) {
    return no('SomeMissing', `${ready} of ${wanted} agents are ready`);
  }
  if (reporting < wanted) {
    const reason = reporting === 0 ? 'NoneReported' : 'SomeMissing';
    return no(reason, `${reporting} of ${wanted} agents have reported within the last minute`);
  }
  return {
    status: 'True',
    reason: 'AllReady',
    message: `${wanted} of ${wanted} agents are ready and report`,
  };
}

const fresh = (agents: readonly AgentState[], nowMs: number): readonly AgentState[] =>
  agents.filter(({ reportedAtMs }) => nowMs - reportedAtMs <= FRESH_MS);

/** What watching costs; undefined while no agent reports. */
export function overheadOf(agents: readonly AgentState[], nowMs: number): ProfilingPolicyStatus['overhead'] {
  const reporting = fresh(agents, nowMs);
  if (reporting.length === 0) {
    return undefined;
  }
  const samples = reporting.reduce((sum, agent) => sum + agent.samplesPerSecond, 0);
  const lost = reporting.reduce((sum, agent) => sum + agent.samplesPerSecond * agent.lostShare, 0);
  return {
    agents: reporting.length,
    cpuPercent: `${Math.max(...reporting.map((agent) => agent.cpuPercentOfCore)).toFixed(2)}%`,
    memory: `${Math.ceil(Math.max(...reporting.map((agent) => agent.rssBytes)) / 2 ** 20)}Mi`,
    samplesPerSecond: Math.round(samples),
    lostPercent: `${(samples === 0 ? 0 : (100 * lost) / samples).toFixed(2)}%`,
  };
}
