/** Small valid objects for the tests of this room; each test says what differs. */
import type { V1Container, V1Deployment, V1EnvVar } from '@kubernetes/client-node';
import type { ProfilingPolicy } from '../../../crds/profiling-policy.ts';
import type { ContainerState } from '../../agent-reports.ts';
import { FLAG_LINE, type FlagItem, type FlagVariable, INJECT_MANAGER } from '../flag-variables.ts';
import type { Observed, SelectedContainer } from '../gather.ts';

export const NOW_MS = Date.UTC(2026, 0, 1, 12);

export const ours = (variable: FlagVariable): V1EnvVar => ({ name: variable, value: FLAG_LINE });

export const aContainer = (name: string, env: readonly V1EnvVar[] = []): V1Container => ({
  name,
  image: 'example/service:1',
  env: [...env],
});

/** `owned`: the items that managedFields give to our field manager. */
export function aDeployment(
  containers: readonly V1Container[],
  owned: readonly FlagItem[] = [],
): V1Deployment {
  const byContainer = Map.groupBy(owned, ({ container }) => container);
  const fields = [...byContainer].map(([container, items]) => [
    `k:{"name":"${container}"}`,
    {
      '.': {},
      'f:name': {},
      'f:env': Object.fromEntries(items.map(({ variable }) => [`k:{"name":"${variable}"}`, { '.': {} }])),
    },
  ]);
  const fieldsV1 = {
    'f:spec': { 'f:template': { 'f:spec': { 'f:containers': Object.fromEntries(fields) } } },
  };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {
      name: 'orders',
      namespace: 'shop',
      uid: 'u-1',
      generation: 1,
      ...(owned.length === 0
        ? {}
        : { managedFields: [{ manager: INJECT_MANAGER, operation: 'Apply', fieldsV1 }] }),
    },
    spec: {
      selector: { matchLabels: { app: 'orders' } },
      template: { metadata: { labels: { app: 'orders' } }, spec: { containers: [...containers] } },
    },
  };
}

export function aPolicy(
  spec: {
    readonly mode?: ProfilingPolicy['spec']['jvm']['flags']['mode'];
    readonly containers?: string[];
  } = {},
): ProfilingPolicy {
  return {
    apiVersion: 'flamegate.dev/v1alpha1',
    kind: 'ProfilingPolicy',
    metadata: {
      name: 'orders',
      namespace: 'shop',
      uid: 'p-1',
      generation: 3,
      resourceVersion: '1',
      creationTimestamp: '2026-01-01T00:00:00Z',
    },
    spec: {
      podSelector: { matchLabels: { app: 'orders' } },
      containers: spec.containers ?? [],
      cpu: { frequencyHz: 49 },
      jvm: {
        flags: { mode: spec.mode ?? 'Never', acknowledgeRestarts: true },
        symbols: 'Auto',
      },
      requests: { enabled: true, routes: [], spans: { enabled: false } },
      offCpu: { enabled: false, minDuration: '1ms' },
      io: { enabled: false, minDuration: '10ms' },
    },
  };
}

export function aJvm(jvm: Partial<ContainerState['window']['jvm']> = {}, ageMs = 5_000): ContainerState {
  return {
    reportedAtMs: NOW_MS - ageMs,
    window: {
      namespace: 'shop',
      pod: 'orders-1',
      podUid: 'pod-1',
      container: 'main',
      containerId: 'c-1',
      startedAtMs: NOW_MS - 600_000,
      hz: 49,
      cpuUsec: 1,
      throttledUsec: 0,
      samples: 10,
      losses: { ringFull: 0, tableFull: 0, noUserStack: 0, truncated: 0, unnamed: 0 },
      jvm: { state: 'Profiled', reason: '', message: '', jdk: '17.0.15', flags: [], ...jvm },
    },
  };
}

export const aSelected = (more: Partial<SelectedContainer> = {}): SelectedContainer => ({
  namespace: 'shop',
  owner: { kind: 'Deployment', name: 'orders' },
  pod: 'orders-1',
  container: 'main',
  running: true,
  phase: 'Running',
  state: aJvm(),
  hasFlags: false,
  ...more,
});

export function anObserved(more: Partial<Observed> = {}): Observed {
  const containers = more.containers ?? [aSelected()];
  return {
    policy: aPolicy(),
    namespaces: ['shop'],
    pods: new Set(containers.map(({ pod }) => pod)).size,
    overruled: [],
    containers,
    agents: [
      {
        node: 'n1',
        reportedAtMs: NOW_MS - 5_000,
        cpuPercentOfCore: 0.8,
        rssBytes: 58 * 2 ** 20,
        samplesPerSecond: 40,
        lostShare: 0.01,
        sinks: [],
      },
    ],
    daemonSet: {
      metadata: { name: 'flamegate-agent', creationTimestamp: new Date(NOW_MS - 3_600_000) },
      status: {
        desiredNumberScheduled: 1,
        numberReady: 1,
        currentNumberScheduled: 1,
        numberMisscheduled: 0,
      },
    },
    flags: [],
    overruledDeployments: 0,
    limits: { maxFrequencyHz: 199, maxRaisedFrequencyHz: 199, maxAgentCpu: '5%' },
    sinks: [],
    listeningSinceMs: NOW_MS - 3_600_000,
    nowMs: NOW_MS,
    ...more,
  };
}
