/** Nodes of a service whose canary is slower: a window of each every ten seconds, in real time, pushed by the agents' own code. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { aBatch, aPodWindow, WINDOW_MS } from '../../src/store/testing/a-batch.ts';
import type { Batch } from '../../src/wire/batch-schema.ts';
import { aSimulatedAgent, type SimulatedAgent } from '../agents/simulated-agent.ts';
import { type BareCluster, SHOP } from './cluster.ts';

/** Of 340 samples a window; grown so little that it takes some looks to prove it. */
const SLOWER = 24;

export interface Pushing {
  /** Of nodes that are there, and what those that were lost had told the controller. */
  readonly batches: readonly Batch[];
  /** Windows that no agent could send until now, or that were refused or dropped. */
  unsent(): number;
  /** The node goes, with its agent and the agent's spool. */
  lose(node: string): Promise<void>;
  stop(): Promise<void>;
}

export interface Way {
  readonly directory: string;
  readonly caFile: string;
  readonly port: number;
}

export type PushedCluster = Pick<BareCluster, 'nodes' | 'pods' | 'tokenFile'>;

/** From now on, in real time, a window of each node every ten seconds. */
export async function startPushing(
  cluster: PushedCluster,
  { directory, caFile, port }: Way,
): Promise<Pushing> {
  const agents = new Map<string, SimulatedAgent>();
  for (const node of cluster.nodes) {
    mkdirSync(join(directory, node));
    const agent = await aSimulatedAgent({
      ...{ url: new URL(`https://localhost:${port}`), caFile, directory: join(directory, node) },
      tokenFile: await cluster.tokenFile(node, directory),
    });
    agent.run();
    agents.set(node, agent);
  }
  let batches: Batch[] = [];
  const end = new AbortController();
  const running = (async () => {
    for (let sequence = 0; ; sequence++) {
      const endMs = Math.floor(Date.now() / WINDOW_MS + 1) * WINDOW_MS;
      await delay(endMs - Date.now(), undefined, { signal: end.signal });
      for (const [node, agent] of agents) {
        const batch = batchOf(cluster, { node, sequence, startMs: endMs - WINDOW_MS });
        batches.push(batch);
        await agent.add(batch);
      }
    }
  })().catch((error: unknown) => {
    if (!end.signal.aborted) throw error;
  });
  const all = () => [...agents.values()].map(({ spool }) => spool);
  return {
    get batches() {
      return batches;
    },
    async lose(node) {
      const agent = agents.get(node);
      agents.delete(node);
      await agent?.stop();
      const told = new Set(agent?.spool.entries().flatMap(({ id, state }) => (state === 'sent' ? [id] : [])));
      batches = batches.filter((batch) => batch.node !== node || told.has(`${batch.boot}-${batch.sequence}`));
    },
    unsent: () =>
      all().reduce(
        (sum, { dropped, entries }) =>
          sum + dropped + entries().filter(({ state }) => state !== 'sent').length,
        0,
      ),
    async stop() {
      end.abort();
      await running;
      for (const agent of agents.values()) await agent.stop();
    },
  };
}

interface Window {
  readonly node: string;
  readonly sequence: number;
  readonly startMs: number;
}

function batchOf(cluster: PushedCluster, { node, sequence, startMs }: Window): Batch {
  const pods = cluster.pods
    .filter((pod) => pod.node === node)
    .map((pod, index) => {
      const { uid, name, track, namespace = SHOP, container = 'app', environment } = pod;
      const slower = track === 'canary' ? SLOWER : 0;
      const counts = [20 + slower, 120, 110, 90].map((count, stack): [number, number] => [
        stack,
        count + ((sequence * 7 + stack * 5 + index * 3) % 11),
      ]);
      const samples = counts.reduce((sum, [, count]) => sum + count, 0);
      const { jvm } = aPodWindow();
      return aPodWindow({
        ...{ podUid: uid, pod: name, namespace, container, counts, samples },
        ...{
          startedAtMs: startMs - 3_600_000,
          jvm: environment ? { ...jvm, environment: [...environment] } : jvm,
        },
      });
    });
  return aBatch({
    ...{ node, boot: `boot-of-${node}`, sequence, startMs, endMs: startMs + WINDOW_MS, pods },
    strings: ['shop.Json.encode', 'shop.Orders.handle', 'shop.Http.read', 'shop.Thread.run', 'shop.Db.query'],
    stacks: [
      [0, 1, 3],
      [1, 3],
      [2, 3],
      [4, 1, 3],
    ],
  });
}
