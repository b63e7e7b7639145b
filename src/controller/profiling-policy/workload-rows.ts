/** status.workloads: one row per workload and container, with what its pods say in sum. Pure. */
import type { WorkloadStatus } from '../../crds/workload-status.ts';
import type { SelectedContainer } from './gather.ts';
import { ioOf } from './io-row.ts';
import { liveStatusOf } from './live-flags.ts';
import { offCpuOf } from './off-cpu-row.ts';

type JvmSeen = NonNullable<SelectedContainer['state']>['window']['jvm'];

/** A container that no agent has spoken of for this long does not count as profiled. */
export const FRESH_MS = 60_000;
export const MAX_ROWS = 64; // the kind's schema

/** Sorted by workload and container; rows with trouble come first when there are more than fit. */
export function workloadRows(
  containers: readonly SelectedContainer[],
  nowMs: number,
): readonly WorkloadStatus[] {
  const groups = Map.groupBy(
    containers,
    ({ owner, container }) => `${owner.kind}/${owner.name}/${container}`,
  );
  const rows = [...groups.values()].flatMap((group) => rowOf(group, nowMs) ?? []);
  const troubledFirst = rows.toSorted(
    (a, b) => Number(a.reason === 'Profiled') - Number(b.reason === 'Profiled'),
  );
  return troubledFirst.slice(0, MAX_ROWS).toSorted((a, b) => nameOf(a).localeCompare(nameOf(b)));
}

export const isProfiled = ({ state }: SelectedContainer, nowMs: number): boolean =>
  state !== undefined && state.window.jvm.state === 'Profiled' && nowMs - state.reportedAtMs <= FRESH_MS;

const nameOf = ({ kind, name, container }: WorkloadStatus): string => `${kind}/${name}/${container}`;

function rowOf(group: readonly SelectedContainer[], nowMs: number): WorkloadStatus | undefined {
  const [first] = group;
  if (first === undefined) {
    return undefined;
  }
  const profiled = group.filter((container) => isProfiled(container, nowMs)).length;
  const jvm = group
    .map(({ state }) => state?.window.jvm)
    .find((seen) => seen !== undefined && seen.jdk !== '');
  const live = liveStatusOf(group);
  const flags = jvm?.flags.join(' ').slice(0, 256) ?? '';
  return {
    kind: first.owner.kind.slice(0, 63),
    name: first.owner.name,
    container: first.container,
    pods: group.length,
    profiled,
    ...(jvm === undefined ? {} : { jdk: jvm.jdk.slice(0, 32) }),
    ...namingOf(group),
    ...coroutinesOf(group),
    ...requestsOf(group),
    ...offCpuOf(group),
    ...ioOf(group),
    ...(flags === '' ? {} : { flags }),
    ...(live === undefined ? {} : { live }),
    ...reasonOf(group, profiled, nowMs),
  };
}

const WORST_FIRST = ['Partial', 'PerfMap', 'VmStructs'] as const;

/** Of all its pods the worst, for a comparison is as good as that. */
function namingOf(group: readonly SelectedContainer[]): Pick<WorkloadStatus, 'symbols' | 'leaf'> {
  const seen = group.flatMap(({ state }) => (state === undefined ? [] : [state.window.jvm]));
  const symbols = new Set(seen.map(symbolsFrom));
  const leaves = new Set(seen.map(({ leaf }) => leaf));
  const leaf = (['SafepointAccurate', 'Exact'] as const).find((each) => leaves.has(each));
  return {
    symbols: WORST_FIRST.find((each) => symbols.has(each)) ?? 'None',
    ...(leaf === undefined ? {} : { leaf }),
  };
}

function coroutinesOf(
  group: readonly SelectedContainer[],
): Pick<WorkloadStatus, 'coroutines' | 'coroutinesReason'> {
  const seen = group.flatMap(({ state }) => (state === undefined ? [] : [state.window.jvm]));
  const worst = (['Unsupported', 'Off', 'Chains'] as const)
    .map((state) => seen.find(({ coroutines }) => coroutines === state))
    .find((jvm) => jvm !== undefined);
  if (worst?.coroutines === undefined) return {};
  const { coroutines, coroutinesReason } = worst;
  return { coroutines, ...(coroutinesReason === undefined ? {} : { coroutinesReason }) };
}

function requestsOf(
  group: readonly SelectedContainer[],
): Pick<WorkloadStatus, 'requests' | 'requestsReason' | 'requestsMessage'> {
  const seen = group.flatMap(({ pod, state }) => {
    const requests = state?.window.requests;
    return requests === undefined ? [] : [{ pod, ...requests }];
  });
  const hidden = seen.find(({ state }) => state === 'NotObservable');
  if (hidden === undefined) return seen.length === 0 ? {} : { requests: 'Seen' };
  const { pod, reason, message } = hidden;
  return {
    requests: 'NotObservable',
    requestsReason: reason,
    requestsMessage: `${pod}: ${message}`.slice(0, 256),
  };
}

/** Agents of before do not say it, and know perf maps only. */
const symbolsFrom = ({ symbols, state }: JvmSeen): WorkloadStatus['symbols'] =>
  symbols ?? (state === 'Profiled' ? 'PerfMap' : 'None');

const BEST_REASONS: ReadonlySet<string> = new Set(['', 'VmStructs', 'PerfMap', 'ForeignPerfMap']);

/** Names that are only second best say why, though the pods are profiled. */
function secondBest(group: readonly SelectedContainer[]): string {
  const jvm = group
    .map(({ state }) => state?.window.jvm)
    .find((seen) => seen?.state === 'Profiled' && !BEST_REASONS.has(seen.reason));
  return jvm === undefined ? '' : `; ${jvm.message}`;
}

function reasonOf(
  group: readonly SelectedContainer[],
  profiled: number,
  nowMs: number,
): { readonly reason: string; readonly message: string } {
  if (profiled === group.length) {
    const message = `${profiled} of ${group.length} pods are profiled${secondBest(group)}`;
    return { reason: 'Profiled', message: message.slice(0, 1024) };
  }
  const others = group
    .filter((container) => !isProfiled(container, nowMs))
    .map((container) => trouble(container, nowMs));
  const byReason = [...Map.groupBy(others, ({ reason }) => reason).values()];
  const [commonest] = byReason.toSorted((a, b) => b.length - a.length);
  const reason = commonest?.[0]?.reason ?? 'WaitingForAgents';
  const example = commonest?.[0]?.message ?? '';
  const message = `${commonest?.length ?? 0} of ${group.length} pods: ${example}`;
  return { reason, message: message.slice(0, 1024) };
}

function trouble(
  { pod, container, running, phase, state }: SelectedContainer,
  nowMs: number,
): { readonly reason: string; readonly message: string } {
  if (!running) {
    return {
      reason: 'ContainerNotRunning',
      message: `container ${container} of ${pod} does not run, pod phase ${phase}`,
    };
  }
  if (state === undefined) {
    return { reason: 'WaitingForAgents', message: `no agent has reported ${pod} yet` };
  }
  const silentMs = nowMs - state.reportedAtMs;
  if (silentMs > FRESH_MS) {
    const seconds = Math.round(silentMs / 1000);
    return { reason: 'AgentSilent', message: `the last report of ${pod} is ${seconds} s old` };
  }
  const { jvm } = state.window;
  const reason = /^[A-Z][A-Za-z0-9]*$/.test(jvm.reason) ? jvm.reason : jvm.state;
  return { reason, message: jvm.message === '' ? `${pod}: ${jvm.state}` : `${pod}: ${jvm.message}` };
}
