/**
 * How long nobody leads after a leader is killed, and whether the next one, with an empty store, comes to the verdict of an undisturbed
 * judgement of the same windows. Processes as they ship, a real API server, real tokens; only the nodes are simulated.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bareApiServer } from '../../test/bare/api-server.ts';
import { bareCluster } from '../../test/bare/cluster.ts';
import { startPushing } from '../../test/bare/pushing-nodes.ts';
import { type Failover, startReplicas } from '../../test/bare/replicas.ts';
import { bareService } from '../../test/bare/service.ts';
import { isAsUndisturbed } from '../../test/bare/undisturbed.ts';
import { eventually } from '../../test/cluster/cluster.ts';

export interface FailoverFigures {
  /** Of the slowest failover, until another leader answers agents and has looked at the gates. */
  readonly failoverS: number;
  readonly failovers: readonly Failover[];
  /** Of a leader that was asked to end, as a rollout of the controller does. */
  readonly rolled?: Failover;
  readonly verdict: string;
  readonly sameVerdictAfterFailover: boolean;
}

export interface FailoverOptions {
  /** Leaders that are killed, one after the other, while the gate is open. */
  readonly failovers: number;
  /** Then one is asked to end. */
  readonly roll?: boolean;
}

const NODES = 2;
const PODS_OF_NODE = 3;
const VERDICT_S = 600;
const DURATION = { warmUp: '10s', min: '1m', deadline: '10m' };

export async function measureFailover({
  failovers,
  roll = false,
}: FailoverOptions): Promise<FailoverFigures> {
  const directory = mkdtempSync(join(tmpdir(), 'flamegate-failover-'));
  const api = await bareApiServer();
  const ends: (() => Promise<void>)[] = [api.close];
  try {
    const cluster = await bareCluster(api.client, {
      ...{ nodes: NODES, podsOfNode: PODS_OF_NODE, duration: DURATION },
    });
    const replicas = await startReplicas(api.kubeconfigFile, directory);
    ends.push(replicas.stop);
    const service = await bareService(replicas.ports);
    ends.push(service.stop);
    const caFile = await cluster.caFile(directory);
    const pushing = await startPushing(cluster, { directory, caFile, port: service.port });
    ends.push(pushing.stop);
    await eventually('an evaluation', 300, async () => (await cluster.reports())[0]);
    const measured: Failover[] = [];
    for (let failover = 0; failover < failovers; failover++) {
      measured.push(await replicas.failOver(readFileSync(caFile, 'utf8')));
    }
    const rolled = roll ? await replicas.failOver(readFileSync(caFile, 'utf8'), 'ask') : undefined;
    const report = await eventually('a verdict', VERDICT_S, async () => {
      const [first] = await cluster.reports();
      return first?.status?.decidedAt === undefined ? undefined : first;
    });
    return {
      failoverS: Math.max(...measured.map(({ servesS, reconcilesS }) => Math.max(servesS, reconcilesS))),
      failovers: measured,
      ...(rolled && { rolled }),
      verdict: `${report.status?.verdict} ${report.status?.reason}`,
      sameVerdictAfterFailover: await isAsUndisturbed(report, cluster, pushing.batches),
    };
  } finally {
    for (const end of ends.toReversed()) await end();
    rmSync(directory, { recursive: true });
  }
}

if (import.meta.main) {
  const failovers = Number(process.env['FAILOVERS'] ?? 5);
  console.log(JSON.stringify(await measureFailover({ failovers }), undefined, 2));
}
