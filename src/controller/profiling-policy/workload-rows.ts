/** status.workloads: one row per workload and container, with what its pods say in sum. Pure. */
import type { WorkloadStatus } from '../../crds/profiling-policy.ts';
import type { SelectedContainer } from './gather.ts';

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
  const flags = jvm?.flags.join(' ').slice(0, 256) ?? '';
  return {
    kind: first.owner.kind.slice(0, 63),
    name: first.owner.name,
    container: first.container,
    pods: group.length,
    profiled,
    ...(jvm === undefined ? {} : { jdk: jvm.jdk.slice(0, 32) }),
    symbols: profiled > 0 ? 'PerfMap' : 'None',
    ...(flags === '' ? {} : { flags }),
    ...reasonOf(group, profiled, nowMs),
  };
}

function reasonOf(
  group: readonly SelectedContainer[],
  profiled: number,
  nowMs: number,
): { readonly reason: string; readonly message: string } {
  if (profiled === group.length) {
    return { reason: 'Profiled', message: `${profiled} of ${group.length} pods are profiled` };
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
