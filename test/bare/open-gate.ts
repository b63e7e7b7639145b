/** A real API server, a controller as it ships and nodes that push: a gate is open, and something can be broken until there is a verdict. */
import { mkdirSync, mkdtempDisposableSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RegressionReport } from '../../src/crds/regression-report.ts';
import { eventually } from '../cluster/cluster.ts';
import { freePort } from '../free-port.ts';
import { type BareApiServer, bareApiServer } from './api-server.ts';
import { type BareCluster, bareCluster } from './cluster.ts';
import { type ControllerProcess, startControllerProcess } from './controller-process.ts';
import { type Pushing, startPushing } from './pushing-nodes.ts';
import { isAsUndisturbed } from './undisturbed.ts';

export interface OpenGate {
  readonly api: BareApiServer;
  readonly cluster: BareCluster;
  readonly pushing: Pushing;
  readonly controller: ControllerProcess;
  /** That is final. */
  verdict(): Promise<RegressionReport>;
  /** Whether it is that of one leader with all that had been told. */
  isAsUndisturbed(report: RegressionReport): Promise<boolean>;
}

export interface OpenGateOptions {
  readonly nodes: number;
  readonly deadline: string;
  /** Of kube-apiserver, besides its own. */
  readonly apiFlags?: readonly string[];
}

const PODS_OF_NODE = 3;
const WATCHED_MS = 10_000; // past the warm-up of the gate's first look
const VERDICT_S = 900;

/** From the moment that the evaluation has windows of each node. What was started is ended, and what was written removed. */
export async function withOpenGate<T>(
  { nodes, deadline, apiFlags = [] }: OpenGateOptions,
  act: (gate: OpenGate) => Promise<T>,
): Promise<T> {
  await using begun = new AsyncDisposableStack();
  const directory = begun.use(mkdtempDisposableSync(join(tmpdir(), 'flamegate-open-gate-'))).path;
  const api = await bareApiServer(apiFlags);
  begun.defer(api.close);
  const duration = { warmUp: '10s', min: '1m', deadline };
  const cluster = await bareCluster(api.client, { nodes, podsOfNode: PODS_OF_NODE, duration });
  const port = await freePort();
  const controller = startControllerProcess({
    ...{ kubeconfigFile: api.kubeconfigFile, httpsPort: port, podName: 'controller' },
    dataDirectory: join(directory, 'data'),
  });
  begun.defer(controller.kill);
  mkdirSync(join(directory, 'agents'));
  const caFile = await cluster.caFile(directory);
  const pushing = await startPushing(cluster, { directory: join(directory, 'agents'), caFile, port });
  begun.defer(pushing.stop);
  await eventually('an evaluation that has windows of each node', 300, async () => {
    const [report] = await cluster.reports();
    const fromMs = Date.parse(report?.status?.startedAt ?? '') + WATCHED_MS;
    const isWatched = (node: string) =>
      pushing.batches.some((one) => one.node === node && one.startMs > fromMs);
    return cluster.nodes.every(isWatched) || undefined;
  });
  return await act({
    ...{ api, cluster, pushing, controller },
    verdict: () =>
      eventually('a verdict', VERDICT_S, async () => {
        if (controller.ended()) throw new Error(controller.log());
        const [first] = await cluster.reports();
        return first?.status?.decidedAt === undefined ? undefined : first;
      }),
    isAsUndisturbed: (report) => isAsUndisturbed(report, cluster, pushing.batches),
  });
}
