/** AgentReports in memory. What nobody repeats for five minutes is forgotten, so it stays as small as the cluster. */
import type { Batch, PodWindow } from '../wire/batch-schema.ts';
import type { AgentReports, AgentState, ContainerState } from './agent-reports.ts';

const FORGET_MS = 5 * 60_000;
const FORGET_EVERY_MS = 30_000;
/** An agent that makes up containers must not fill our memory: 512 a batch, from the largest clusters' nodes. */
const MAX_CONTAINERS = 200_000;
const MAX_AGENTS = 10_000;

export function agentReports(): AgentReports {
  const agents = new Map<string, AgentState>();
  const containers = new Map<string, ContainerState>();
  let forgotAtMs = 0;
  const forget = (nowMs: number): void => {
    if (nowMs - forgotAtMs < FORGET_EVERY_MS) return;
    forgotAtMs = nowMs;
    for (const known of [agents, containers]) {
      for (const [key, { reportedAtMs }] of known) {
        if (nowMs - reportedAtMs > FORGET_MS) known.delete(key);
      }
    }
  };
  return {
    record(batch, nowMs) {
      forget(nowMs);
      if (batch.endMs < nowMs - FORGET_MS) return; // sent again from a spool: old news
      if (agents.size < MAX_AGENTS || agents.has(batch.node))
        agents.set(batch.node, agentState(batch, nowMs));
      for (const pod of batch.pods) {
        const key = `${pod.podUid}/${pod.container}`;
        if (containers.size >= MAX_CONTAINERS && !containers.has(key)) continue;
        containers.set(key, { reportedAtMs: nowMs, window: withoutCounts(pod) });
      }
    },
    agents: () => [...agents.values()],
    container: (podUid, container) => containers.get(`${podUid}/${container}`),
  };
}

function withoutCounts({ counts: _, requests, ...window }: PodWindow): ContainerState['window'] {
  if (requests === undefined) return window;
  const { state, reason, message } = requests;
  return { ...window, requests: { state, reason, message } };
}

function agentState(batch: Batch, nowMs: number): AgentState {
  const seconds = (batch.endMs - batch.startMs) / 1_000;
  const samples = sum(batch.pods, (pod) => pod.samples);
  return {
    node: batch.node,
    reportedAtMs: nowMs,
    cpuPercentOfCore: batch.agent.cpuUsec / 10_000 / seconds,
    rssBytes: batch.agent.rssBytes,
    samplesPerSecond: samples / seconds,
    lostShare: samples === 0 ? 0 : Math.min(1, sum(batch.pods, lost) / samples),
  };
}

const lost = ({ losses }: PodWindow): number => losses.ringFull + losses.tableFull + losses.noUserStack;

const sum = (pods: readonly PodWindow[], of: (pod: PodWindow) => number): number =>
  pods.reduce((total, pod) => total + of(pod), 0);
