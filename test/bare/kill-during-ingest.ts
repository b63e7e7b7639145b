/** Kills a controller again and again while agents push, and holds what its store has in the end against what they were told it had. */
import { mkdirSync, mkdtempDisposableSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { StoredWindow } from '../../src/store/stored-window.ts';
import { aBatch, aPodWindow } from '../../src/store/testing/a-batch.ts';
import { openStore, type WindowStore } from '../../src/store/window-store.ts';
import type { Batch, PodWindow } from '../../src/wire/batch-schema.ts';
import { aSimulatedAgent, type SimulatedAgent } from '../agents/simulated-agent.ts';
import { eventually } from '../cluster/cluster.ts';
import { freePort } from '../free-port.ts';
import { seededRandom } from '../reference/simulated-pods.ts';
import { bareApiServer } from './api-server.ts';
import { type BareCluster, bareCluster } from './cluster.ts';
import { type ControllerProcess, startControllerProcess } from './controller-process.ts';

export interface KillOutcome {
  readonly kills: number;
  /** Windows that agents were told to be stored. */
  readonly acknowledged: number;
  readonly lost: number;
  /** Windows that are there more than once, or with other counts than were pushed. */
  readonly doubled: number;
  /** Kills amid a push: it was not answered. */
  readonly unanswered: number;
}

export interface KillOptions {
  readonly kills: number;
  readonly seed: number;
}

const NODES = 3;
const PODS_OF_NODE = 4;
const WINDOW_MS = 1_000;
const BEGAN_BEFORE_MS = 50 * 60_000; // within the hour that is kept
const LONGEST_LIFE_MS = 600;
const LONGEST_SILENCE_MS = 120_000; // on a busy machine
const FULL_SPOOL = 4; // waiting batches of a node beyond which the test makes no more

interface Node {
  readonly name: string;
  readonly made: Batch[];
  agent: SimulatedAgent;
}

export async function killDuringIngest({ kills, seed }: KillOptions): Promise<KillOutcome> {
  await using begun = new AsyncDisposableStack();
  const directory = begun.use(mkdtempDisposableSync(join(tmpdir(), 'flamegate-kill-'))).path;
  const random = seededRandom(seed);
  const api = await bareApiServer();
  begun.defer(api.close);
  const httpsPort = await freePort();
  const dataDirectory = join(directory, 'data');
  const start = (): ControllerProcess =>
    startControllerProcess({
      kubeconfigFile: api.kubeconfigFile,
      dataDirectory,
      httpsPort,
      podName: 'controller',
    });
  let controller = start();
  begun.defer(() => controller.kill());
  const cluster = await bareCluster(api.client, { nodes: NODES, podsOfNode: PODS_OF_NODE });
  await untilLeading(controller);
  const tally = { sent: 0, failed: 0, unanswered: 0 };
  const options = await agentOptions(cluster, directory, httpsPort, tally);
  const nodes: Node[] = [];
  for (const name of cluster.nodes) {
    nodes.push({ name, made: [], agent: await aSimulatedAgent(options(name)) });
  }
  for (let kill = 0; kill < kills; kill++) {
    for (const node of nodes) node.agent.run();
    await pushFor(random() * LONGEST_LIFE_MS, nodes, cluster, tally);
    const failedBefore = tally.failed;
    await controller.kill();
    // an agent is restarted too, and finds what its spool says
    await Promise.all(nodes.map(({ agent }) => agent.stop()));
    tally.unanswered += tally.failed - failedBefore;
    controller = start();
    for (const node of nodes) node.agent = await aSimulatedAgent(options(node.name));
    await untilLeading(controller);
  }
  for (const { agent } of nodes) agent.run();
  await eventually(
    'all is sent',
    240,
    () => nodes.every(({ agent }) => agent.spool.nextWaiting() === undefined) || undefined,
  );
  await Promise.all(nodes.map(({ agent }) => agent.stop()));
  await controller.kill();
  return {
    kills,
    unanswered: tally.unanswered,
    ...comparedWithStore(join(dataDirectory, 'windows.sqlite'), nodes),
  };
}

const untilLeading = (controller: ControllerProcess): Promise<unknown> =>
  eventually('a leader', 180, () => {
    if (controller.ended()) throw new Error(controller.log());
    return controller.has('leading') || undefined;
  });

async function agentOptions(
  cluster: BareCluster,
  directory: string,
  httpsPort: number,
  tally: { sent: number; failed: number },
) {
  const caFile = await cluster.caFile(directory);
  const tokens = new Map<string, string>();
  for (const node of cluster.nodes) {
    tokens.set(node, await cluster.tokenFile(node, directory));
    mkdirSync(join(directory, node));
  }
  return (node: string) => ({
    ...{ url: new URL(`https://localhost:${httpsPort}`), caFile, tokenFile: tokens.get(node) ?? '' },
    directory: join(directory, node),
    random: () => 0.05, // hardly a pause between two pushes
    pushed: (result: string) => {
      if (result === 'sent') tally.sent += 1;
      if (result === 'failed') tally.failed += 1;
    },
  });
}

/** Keeps every agent busy until so long after the first answer. */
async function pushFor(
  ms: number,
  nodes: readonly Node[],
  cluster: BareCluster,
  tally: { readonly sent: number },
): Promise<void> {
  const sentBefore = tally.sent;
  const latestMs = performance.now() + LONGEST_SILENCE_MS;
  let endMs = Number.POSITIVE_INFINITY;
  while (performance.now() < endMs) {
    if (tally.sent === sentBefore && performance.now() > latestMs) throw new Error('no push is answered');
    for (const node of nodes) {
      const waiting = node.agent.spool.entries().filter(({ state }) => state === 'waiting').length;
      if (waiting < FULL_SPOOL) await addBatch(node, cluster);
    }
    if (endMs === Number.POSITIVE_INFINITY && tally.sent > sentBefore) endMs = performance.now() + ms;
    await delay(5);
  }
}

const startedMs = Math.floor(Date.now() / WINDOW_MS) * WINDOW_MS - BEGAN_BEFORE_MS;

async function addBatch(node: Node, cluster: BareCluster): Promise<void> {
  const sequence = node.made.length;
  const startMs = startedMs + sequence * WINDOW_MS;
  const pods = cluster.pods
    .filter((pod) => pod.node === node.name)
    .map(({ uid, name }, index) => {
      const count = 1 + ((sequence * 13 + index) % 97);
      return aPodWindow({
        ...{ podUid: uid, pod: name, samples: count + 7, startedAtMs: startedMs - 600_000 },
        counts: [
          [0, count],
          [1, 7],
        ],
      });
    });
  const times = { startMs, endMs: startMs + WINDOW_MS };
  const batch = aBatch({ node: node.name, boot: `boot-of-${node.name}`, sequence, ...times, pods });
  node.made.push(batch);
  await node.agent.add(batch);
}

type Compared = Pick<KillOutcome, 'acknowledged' | 'lost' | 'doubled'>;

function comparedWithStore(path: string, nodes: readonly Node[]): Compared {
  const store = openStore(path, { now: Date.now });
  const found = nodes.flatMap((node) => fatesOf(node, store));
  store.close();
  const count = (fate: Fate): number => found.filter((one) => one === fate).length;
  return { acknowledged: found.length, lost: count('lost'), doubled: count('doubled') };
}

type Fate = 'there' | 'lost' | 'doubled';

/** What became of each window that the node's agent was told to be stored. */
function fatesOf({ made, agent }: Node, store: WindowStore): readonly Fate[] {
  const sent = new Set(agent.spool.entries().flatMap(({ id, state }) => (state === 'sent' ? [id] : [])));
  const told = made.filter(({ boot, sequence }) => sent.has(`${boot}-${sequence}`));
  const uids = new Set(made.flatMap(({ pods }) => pods.map(({ podUid }) => podUid)));
  const pods = [...uids].map((podUid) => ({ podUid }));
  const stored = Map.groupBy(
    store.windows({ pods, fromMs: 0, toMs: Number.MAX_SAFE_INTEGER }),
    ({ pod, startMs }) => `${pod} ${startMs}`,
  );
  return told.flatMap(({ startMs, pods: windows }) =>
    windows.map((window) =>
      fateOf(window, stored.get(`${window.podUid}/${window.container} ${startMs}`) ?? []),
    ),
  );
}

function fateOf({ samples, counts }: PodWindow, [first, ...others]: readonly StoredWindow[]): Fate {
  if (first === undefined) return 'lost';
  const isAsPushed =
    others.length === 0 &&
    first.samplesTaken === samples &&
    Array.from(first.stacks, ({ count }) => count).join() === counts.map(([, count]) => count).join();
  return isAsPushed ? 'there' : 'doubled';
}
