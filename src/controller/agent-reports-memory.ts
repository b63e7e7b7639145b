/** AgentReports in memory. What nobody repeats for five minutes is forgotten, so it stays as small as the cluster. */
import { type IoFunction, ioFunctionKey, MOST_IO_FUNCTIONS } from '../profile/io-window.ts';
import { type BlockedCall, blockedCallKey, MOST_BLOCKED } from '../profile/waiting-window.ts';
import type { PodWindow } from '../wire/batch-schema.ts';
import type { AgentReports, AgentState, ContainerState, ReportedBatch } from './agent-reports.ts';
import { sharedValues } from './shared-values.ts';

const FORGET_MS = 5 * 60_000;
const FORGET_EVERY_MS = 30_000;
/** An agent that makes up containers must not fill our memory: 512 a batch, from the largest clusters' nodes. */
const MAX_CONTAINERS = 200_000;
const MAX_AGENTS = 10_000;

/** What the containers of a service say of themselves is nearly always the same. */
const { share } = sharedValues();

export function agentReports(): AgentReports {
  const agents = new Map<string, AgentState>();
  const containers = new Map<string, ContainerState>();
  const findings = new WeakMap<ContainerState, Findings>();
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
        const found = findingsSince((before && findings.get(before)) ?? NO_FINDINGS, pod, nowMs);
        const window = withoutCounts(pod, found, batch.endMs - batch.startMs);
        const state = { reportedAtMs: nowMs, window };
        containers.set(key, state);
        findings.set(state, found);
      }
    },
    agents: () => [...agents.values()],
    container: (podUid, container) => containers.get(`${podUid}/${container}`),
  };
}

interface Seen<T> {
  readonly what: T;
  readonly seenAtMs: number;
  /** In how many windows. */
  readonly windows: number;
}

/** A JVM that starts loads classes and collects, and makes its threads wait for that once. */
const WINDOWS_OF_A_BLOCKING_CALL = 2;

/** What was found in the windows of a container lately, each as it was seen last. */
interface Findings {
  readonly blocked: readonly Seen<BlockedCall>[];
  readonly io: readonly Seen<IoFunction>[];
}

const NO_FINDINGS: Findings = { blocked: [], io: [] };

function findingsSince(before: Findings, { waiting, io }: PodWindow, nowMs: number): Findings {
  return {
    blocked: waiting
      ? since(before.blocked, waiting.blocked, blockedCallKey, nowMs).slice(0, MOST_BLOCKED)
      : [],
    io: io ? since(before.io, io.functions, ioFunctionKey, nowMs).slice(0, MOST_IO_FUNCTIONS) : [],
  };
}

/** What is found now and then stays told for a while. */
function since<T>(
  before: readonly Seen<T>[],
  now: readonly T[],
  keyOf: (what: T) => string,
  nowMs: number,
): readonly Seen<T>[] {
  const kept = before.filter(({ seenAtMs }) => nowMs - seenAtMs <= FORGET_MS);
  const windowsOf = new Map(kept.map(({ what, windows }) => [keyOf(what), windows]));
  const seenNow = new Set(now.map(keyOf));
  const earlier = kept.filter(({ what }) => !seenNow.has(keyOf(what)));
  const seen = (what: T) => ({ what, seenAtMs: nowMs, windows: (windowsOf.get(keyOf(what)) ?? 0) + 1 });
  return [...now.map(seen), ...earlier];
}

function withoutCounts(
  { counts: _, served: __, requests, waiting, io, ...window }: PodWindow,
  found: Findings,
  windowMs: number,
): ContainerState['window'] {
  const functions = found.io.map(({ what }) => what);
  const blocked = found.blocked.filter(({ windows: seen }) => seen >= WINDOWS_OF_A_BLOCKING_CALL);
  return {
    ...window,
    jvm: window.jvm.live === undefined ? share(window.jvm) : window.jvm, // with its times it is like no other
    ...(requests && { requests: toldOf(requests) }),
    ...(waiting && { waiting: { ...toldOf(waiting), blocked: blocked.map(({ what }) => what) } }),
    ...(io && { io: { ...toldOf(io), totals: io.totals, functions, windowMs } }),
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
}) => share({ state, reason, message });

function agentState(batch: ReportedBatch, nowMs: number): AgentState {
  const seconds = (batch.endMs - batch.startMs) / 1_000;
  const samples = sum(batch.pods, (pod) => pod.samples);
  return {
    node: batch.node,
    reportedAtMs: nowMs,
    cpuPercentOfCore: batch.agent.cpuUsec / 10_000 / seconds,
    rssBytes: batch.agent.rssBytes,
    samplesPerSecond: samples / seconds,
    lostShare: samples === 0 ? 0 : Math.min(1, sum(batch.pods, lost) / samples),
    sinks: batch.agent.sinks ?? [],
  };
}

const lost = ({ losses }: PodWindow): number => losses.ringFull + losses.tableFull + losses.noUserStack;

const sum = (pods: readonly PodWindow[], of: (pod: PodWindow) => number): number =>
  pods.reduce((total, pod) => total + of(pod), 0);
