/** A controller whose API server goes away while a gate is open, and comes back. */
import { mkdirSync, mkdtempDisposableSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../cluster/cluster.ts';
import { freePort } from '../free-port.ts';
import { bareApiServer } from './api-server.ts';
import { bareCluster } from './cluster.ts';
import { type ControllerProcess, startControllerProcess } from './controller-process.ts';
import { startPushing } from './pushing-nodes.ts';
import { isAsUndisturbed } from './undisturbed.ts';

export interface ApiServerAway {
  readonly verdict: string;
  readonly sameVerdict: boolean;
  /** Batches that were not taken in the end. */
  readonly lost: number;
  /** How often the controller ended, and was started again as a kubelet does. */
  readonly restarts: number;
  /** From when the API server answers again until the verdict, and until all that waited is sent. */
  readonly verdictS: number;
  readonly sentS: number;
}

const VERDICT_S = 900;

export async function measureApiServerAway(whileAway: () => Promise<void>): Promise<ApiServerAway> {
  await using begun = new AsyncDisposableStack();
  const directory = begun.use(mkdtempDisposableSync(join(tmpdir(), 'flamegate-away-'))).path;
  const api = await bareApiServer();
  begun.defer(api.close);
  const duration = { warmUp: '10s', min: '1m', deadline: '15m' };
  const cluster = await bareCluster(api.client, { nodes: 2, podsOfNode: 3, duration });
  const port = await freePort();
  const kept = keptRunning(() =>
    startControllerProcess({
      ...{ kubeconfigFile: api.kubeconfigFile, httpsPort: port, podName: 'controller' },
      dataDirectory: join(directory, 'data'),
    }),
  );
  begun.defer(kept.stop);
  mkdirSync(join(directory, 'agents'));
  const caFile = await cluster.caFile(directory);
  const pushing = await startPushing(cluster, { directory: join(directory, 'agents'), caFile, port });
  begun.defer(pushing.stop);
  await eventually('an evaluation', 300, async () => (await cluster.reports())[0]);
  await api.stop();
  await whileAway();
  await api.start();
  const backMs = performance.now();
  const seconds = () => (performance.now() - backMs) / 1_000;
  const report = await eventually('a verdict', VERDICT_S, async () => {
    const [first] = await cluster.reports();
    return first?.status?.decidedAt === undefined ? undefined : first;
  });
  const verdictS = seconds();
  const sameVerdict = await isAsUndisturbed(report, cluster, pushing.batches);
  await eventually('all is sent', 120, () => (pushing.unsent() === 0 ? true : undefined));
  const sentS = seconds();
  const verdict = `${report.status?.verdict} ${report.status?.reason}`;
  return { verdict, sameVerdict, lost: pushing.unsent(), restarts: kept.restarts(), verdictS, sentS };
}

const LOOK_MS = 500;

/** As a kubelet does, without its growing pauses. */
function keptRunning(start: () => ControllerProcess) {
  let restarts = 0;
  let current = start();
  const timer = setInterval(() => {
    if (!current.ended()) return;
    restarts += 1;
    current = start();
  }, LOOK_MS);
  return {
    restarts: () => restarts,
    async stop() {
      clearInterval(timer);
      await current.kill();
    },
  };
}
