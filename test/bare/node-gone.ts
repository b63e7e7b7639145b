/** A node that goes while a gate is open: its agent at once, then its Node object, and its pods as the pod garbage collector finds them. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RegressionReport } from '../../src/crds/regression-report.ts';
import { eventually } from '../cluster/cluster.ts';
import { bareApiServer, freePort } from './api-server.ts';
import { bareCluster } from './cluster.ts';
import { startControllerProcess } from './controller-process.ts';
import { startPushing } from './pushing-nodes.ts';
import { isAsUndisturbed } from './undisturbed.ts';

export interface NodeGone {
  readonly report: RegressionReport;
  /** Whether it is that of one leader with all that had been told. */
  readonly sameVerdict: boolean;
  /** Pods of the report that ran on the node. */
  readonly membersThatWent: number;
  /** From when the node went until its pods were gone, and until the verdict. */
  readonly podsGoneS: number;
  readonly verdictS: number;
}

export interface NodeGoneOptions {
  readonly nodes: number;
  readonly deadline: string;
  /** Which nodes go, counted from the first. */
  readonly going: readonly number[];
}

const PODS_OF_NODE = 3;
const WATCHED_MS = 10_000; // past the warm-up of the gate's first look
const COLLECTED_S = 300; // it looks every 20 s, and waits for 40 whether the node comes back
const VERDICT_S = 900;

export async function measureNodeGone({ nodes, deadline, going }: NodeGoneOptions): Promise<NodeGone> {
  const directory = mkdtempSync(join(tmpdir(), 'flamegate-node-gone-'));
  const api = await bareApiServer();
  const ends: (() => Promise<void>)[] = [api.close];
  try {
    const duration = { warmUp: '10s', min: '1m', deadline };
    const cluster = await bareCluster(api.client, { nodes, podsOfNode: PODS_OF_NODE, duration });
    await api.runControllers(['pod-garbage-collector-controller']);
    const port = await freePort();
    const controller = startControllerProcess({
      ...{ kubeconfigFile: api.kubeconfigFile, httpsPort: port, podName: 'controller' },
      dataDirectory: join(directory, 'data'),
    });
    ends.push(controller.kill);
    mkdirSync(join(directory, 'agents'));
    const caFile = await cluster.caFile(directory);
    const pushing = await startPushing(cluster, { directory: join(directory, 'agents'), caFile, port });
    ends.push(pushing.stop);
    const gone = going.map((index) => cluster.nodes[index] ?? '');
    await eventually('an evaluation that has windows of each', 300, async () => {
      const [report] = await cluster.reports();
      const fromMs = Date.parse(report?.status?.startedAt ?? '') + WATCHED_MS;
      const isWatched = (node: string) =>
        pushing.batches.some((one) => one.node === node && one.startMs > fromMs);
      return gone.every(isWatched) || undefined;
    });
    const beganMs = performance.now();
    const seconds = () => (performance.now() - beganMs) / 1_000;
    for (const node of gone) {
      await pushing.lose(node);
      await cluster.deleteNode(node);
    }
    await eventually('its pods are gone', COLLECTED_S, async () => {
      const left = await Promise.all(gone.map(cluster.podsOf));
      return left.flat().length === 0 || undefined;
    });
    const podsGoneS = seconds();
    const report = await eventually('a verdict', VERDICT_S, async () => {
      const [first] = await cluster.reports();
      return first?.status?.decidedAt === undefined ? undefined : first;
    });
    const verdictS = seconds();
    const sameVerdict = await isAsUndisturbed(report, cluster, pushing.batches);
    const members = (report.status?.members ?? []).filter(({ node }) => gone.includes(node));
    return { report, sameVerdict, membersThatWent: members.length, podsGoneS, verdictS };
  } finally {
    for (const end of ends.toReversed()) await end();
    rmSync(directory, { recursive: true });
  }
}
