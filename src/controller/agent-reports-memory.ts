/** AgentReports in memory. What nobody repeats for five minutes is forgotten, so it stays as small as the cluster. */
import { type BlockedCall, blockedCallKey, MOST_BLOCKED } from '../profile/waiting-window.ts';
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
  const blocked = new WeakMap<ContainerState, readonly SeenCall[]>();
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
        const before = containers.get(key);
        const calls = blockedSince((before && blocked.get(before)) ?? [], pod, nowMs);
        const state = { reportedAtMs: nowMs, window: withoutCounts(pod, calls) };
        containers.set(key, state);
        blocked.set(state, calls);
      }
    },
    agents: () => [...agents.values()],
    container: (podUid, container) => containers.get(`${podUid}/${container}`),
  };
}

interface SeenCall {
  readonly call: BlockedCall;
  readonly seenAtMs: number;
}

/** A call that blocks now and then stays told for a while. */
function blockedSince(
  before: readonly SeenCall[],
  { waiting }: PodWindow,
  nowMs: number,
): readonly SeenCall[] {
  if (waiting === undefined) return [];
  const now = waiting.blocked.map((call) => ({ call, seenAtMs: nowMs }));
  const seenNow = new Set(waiting.blocked.map(blockedCallKey));
  const earlier = before.filter(
    ({ call, seenAtMs }) => !seenNow.has(blockedCallKey(call)) && nowMs - seenAtMs <= FORGET_MS,
  );
  return [...now, ...earlier].slice(0, MOST_BLOCKED);
}

function withoutCounts(
  { counts: _, requests, waiting, ...window }: PodWindow,
  calls: readonly SeenCall[],
): ContainerState['window'] {
  return {
    ...window,
    ...(requests && { requests: toldOf(requests) }),
    ...(waiting && { waiting: { ...toldOf(waiting), blocked: calls.map(({ call }) => call) } }),
  };
}

const toldOf = <State>({
  state,
  reason,
  message,
}: {
  readonly state: State;
  readonly reason: string;
  readonly message: string;
}) => ({ state, reason, message });

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
