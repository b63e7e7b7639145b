/** A cluster with one gate, in memory, as much of its API server as leaders ask for: what they write is what the next one reads. */
import { testApiServer } from '../../src/controller/ingest/testing/api-server.ts';
import {
  aGate,
  aPod,
  aPolicy,
  aView,
  NAMESPACE,
  type TestView,
} from '../../src/controller/regression-gate/testing/a-cluster.ts';
import type { RegressionGate, RegressionGateSpec } from '../../src/crds/regression-gate.ts';
import type { RegressionReport } from '../../src/crds/regression-report.ts';
import type { KubeClient, ObjectRef } from '../../src/kube/client.ts';
import { KubeError } from '../../src/kube/kube-error.ts';
import { AGENT_AUDIENCE } from '../../src/wire/endpoints.ts';

export interface OneCluster {
  readonly client: KubeClient;
  readonly view: TestView;
  readonly api: ReturnType<typeof testApiServer>;
  gate(): RegressionGate;
  reports(): readonly RegressionReport[];
}

export const NODES = ['node-a', 'node-b'] as const;
export const tokenOf = (node: string): string => `token-of-the-agent-on-${node}`;
const ACCOUNT = 'system:serviceaccount:flamegate-agents:flamegate-agent';

/** Three pods an arm, on two nodes. */
const PODS = [
  ['orders-aaa-1', 'stable', 'node-a'],
  ['orders-aaa-2', 'stable', 'node-a'],
  ['orders-aaa-3', 'stable', 'node-b'],
  ['orders-bbb-1', 'canary', 'node-b'],
  ['orders-bbb-2', 'canary', 'node-b'],
  ['orders-bbb-3', 'canary', 'node-a'],
] as const;

export const podsOfNode = (node: string) => PODS.filter(([, , home]) => home === node);

export function oneCluster(spec: Partial<RegressionGateSpec>, now: () => number): OneCluster {
  const api = testApiServer();
  for (const node of NODES) {
    api.tokens.set(tokenOf(node), { username: ACCOUNT, audience: AGENT_AUDIENCE, node });
  }
  const pods = PODS.map(([name, track, node]) =>
    aPod({
      ...{ name, node, startedAtMs: now() - 3_600_000 },
      labels: { app: 'orders', track, 'pod-template-hash': name.split('-')[1] ?? '' },
    }),
  );
  const view = aView({ policies: [aPolicy()], pods, gates: [aGate({ spec })] });
  return {
    ...{ api, view, client: clientOn(view, api.client, now) },
    gate: () => view.gates()[0] ?? aGate(),
    reports: () => view.reports(NAMESPACE),
  };
}

type Ours = RegressionGate | RegressionReport;

/** Creates reports and replaces statuses, refusing what was read too long ago; the rest goes to the API server of the ingest's tests. */
function clientOn(view: TestView, below: KubeClient, now: () => number): KubeClient {
  let version = 1;
  const at = ({ plural, name }: Pick<ObjectRef, 'plural' | 'name'>): Ours | undefined =>
    (plural === 'regressiongates' ? view.gates() : view.reports(NAMESPACE)).find(
      ({ metadata }) => metadata.name === name,
    );
  const put = (object: Ours): void => {
    const others = <T extends Ours>(all: readonly T[]) =>
      all.filter(({ metadata }) => metadata.name !== object.metadata.name);
    if (object.kind === 'RegressionGate')
      view.change({ gates: [...others(view.gates()), object as RegressionGate] });
    else view.change({ reports: [...others(view.reports(NAMESPACE)), object as RegressionReport] });
  };
  return {
    ...below,
    get: async <T>(ref: ObjectRef) => (at(ref) as T | undefined) ?? below.get<T>(ref),
    async create<T>(ref: Omit<ObjectRef, 'name'>, object: unknown) {
      if (ref.plural !== 'regressionreports') return below.create<T>(ref, object);
      const report = object as RegressionReport;
      version += 1;
      const created = {
        ...report,
        metadata: {
          ...report.metadata,
          ...{ uid: `uid-${report.metadata.name}`, resourceVersion: String(version), generation: 1 },
          creationTimestamp: new Date(now()).toISOString(),
        },
      };
      put(created);
      return created as T;
    },
    async apply<T>(ref: ObjectRef, object: unknown, options: Parameters<KubeClient['apply']>[2]) {
      const stored = at(ref);
      if (stored === undefined || options.subresource !== 'status')
        return below.apply<T>(ref, object, options);
      const { status } = object as Ours;
      const metadata: { readonly resourceVersion?: string } = (object as Ours).metadata;
      if (
        metadata.resourceVersion !== undefined &&
        metadata.resourceVersion !== stored.metadata.resourceVersion
      ) {
        throw new KubeError('KUBE_CONFLICT', `${ref.name} has been modified`, { status: 409 });
      }
      version += 1;
      const written = {
        ...stored,
        status,
        metadata: { ...stored.metadata, resourceVersion: String(version) },
      };
      put(JSON.parse(JSON.stringify(written)) as Ours);
      return written as T;
    },
  };
}
