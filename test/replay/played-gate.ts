/** One gate, played from its first look to its verdict on a clock of the test's, with a leader that stays or one that is lost on the way. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RegressionGate, RegressionGateSpec } from '../../src/crds/regression-gate.ts';
import type { RegressionReport } from '../../src/crds/regression-report.ts';
import { aBatch, aPodWindow, WINDOW_MS } from '../../src/store/testing/a-batch.ts';
import type { Batch } from '../../src/wire/batch-schema.ts';
import { aSimulatedAgent, type SimulatedAgent } from '../agents/simulated-agent.ts';
import { QUIET, simulateRequests } from '../reference/simulated-requests.ts';
import { NODES, type OneCluster, oneCluster, podsOfNode, tokenOf } from './one-cluster.ts';
import { type OneLeader, oneLeader } from './one-leader.ts';

export interface Service {
  /** What the canary needs for encoding beside the baseline's 20, and from which second on. */
  readonly slow: number;
  readonly slowFromS: number;
  /** A canary pod that is gone from then on. */
  readonly podGoneAtS?: number;
}

export interface Disturbance {
  readonly leaderDiesAtS: number;
  readonly nextLeadsAtS: number;
  /** When each node's agent has found the next leader. */
  readonly foundAtS: readonly [number, number];
  /** Batches that each sends at a time while it sends again. */
  readonly atOnce: readonly [number, number];
  /** This agent is killed after an answer it could not write down, once it has found the leader. */
  readonly killed?: number;
}

export interface Played {
  readonly gate: RegressionGate;
  readonly report: RegressionReport | undefined;
  /** Duplicates, by what the leaders counted. */
  readonly pushed: Readonly<Record<string, number>>;
}

const STEP_MS = 5_000;
const STARTED_MS = Math.floor(Date.now() / WINDOW_MS) * WINDOW_MS;

interface Stage {
  readonly cluster: OneCluster;
  readonly directory: string;
  readonly service: Service;
  readonly requests: ReadonlyMap<string, Batch['pods'][number]['requests']>;
  readonly now: () => number;
  readonly pushed: Record<string, number>;
}

export async function play(
  spec: Partial<RegressionGateSpec>,
  service: Service,
  seconds: number,
  disturbance?: Disturbance,
): Promise<Played> {
  let nowMs = STARTED_MS;
  const now = () => nowMs;
  const directory = mkdtempSync(join(tmpdir(), 'flamegate-played-'));
  const cluster = oneCluster(spec, now);
  const stage = { cluster, directory, service, requests: requestsBy(seconds), now, pushed: {} };
  let leader: OneLeader | undefined = await oneLeader(cluster, now);
  let agents = await agentsOf(stage, leader);
  for (let s = 0; s <= seconds; s += STEP_MS / 1_000) {
    nowMs = STARTED_MS + s * 1_000;
    if (s === service.podGoneAtS) losePod(cluster);
    if (s === disturbance?.leaderDiesAtS) {
      await leader?.stop();
      leader = undefined;
    }
    if (s === disturbance?.nextLeadsAtS) {
      leader = await oneLeader(cluster, now);
      for (const agent of agents) await agent.stop();
      agents = await agentsOf(stage, leader);
    }
    if (s % 10 === 5 && s > 10) await closeWindows(stage, agents, Math.floor(s / 10) - 1);
    if (leader !== undefined) await pushAll(agents, s, disturbance);
    if (s % 15 === 0) await leader?.look();
  }
  for (const agent of agents) await agent.stop();
  await leader?.stop();
  rmSync(directory, { recursive: true });
  return { gate: cluster.gate(), report: cluster.reports()[0], pushed: stage.pushed };
}

function agentsOf({ directory, pushed }: Stage, { port, ca }: OneLeader): Promise<SimulatedAgent[]> {
  return Promise.all(
    NODES.map((node) => {
      mkdirSync(join(directory, node), { recursive: true });
      const [caFile, tokenFile] = [join(directory, `${node}.crt`), join(directory, `${node}.token`)];
      writeFileSync(caFile, ca);
      writeFileSync(tokenFile, tokenOf(node));
      return aSimulatedAgent({
        ...{ url: new URL(`https://localhost:${port}`), caFile, tokenFile },
        ...{ directory: join(directory, node), random: () => 0 },
        pushed: (result, code) => {
          const what = `${result} ${code}`.trim();
          pushed[what] = (pushed[what] ?? 0) + 1;
        },
      });
    }),
  );
}

async function pushAll(
  agents: readonly SimulatedAgent[],
  s: number,
  disturbance: Disturbance | undefined,
): Promise<void> {
  for (const [index, agent] of agents.entries()) {
    const { foundAtS, atOnce, nextLeadsAtS, killed } = disturbance ?? {};
    const isAfter = nextLeadsAtS !== undefined && s >= nextLeadsAtS;
    if (isAfter && s < (foundAtS?.[index] ?? 0)) continue;
    if (killed === index && s === foundAtS?.[index]) await sendTwice(agent);
    await agent.flush(isAfter ? atOnce?.[index] : undefined);
  }
}

/** As if it had been killed between the answer and its note of it. */
async function sendTwice(agent: SimulatedAgent): Promise<void> {
  const before = agent.spool.entries().filter(({ state }) => state === 'sent');
  await agent.flush(3);
  if (before.length === 0) throw new Error('nothing has been sent that could be sent again');
  await agent.spool.markAllWaiting();
}

async function closeWindows(stage: Stage, agents: readonly SimulatedAgent[], at: number): Promise<void> {
  for (const [index, node] of NODES.entries()) {
    await agents[index]?.add(batchOf(stage, node, at), stage.now());
  }
}

const STRINGS = [
  'shop.Json.encode',
  'shop.Orders.handle',
  'shop.Http.read',
  'shop.Thread.run',
  'shop.Db.query',
];
const STACKS = [
  [0, 1, 3],
  [1, 3],
  [2, 3],
  [4, 1, 3],
];

function batchOf({ service, requests }: Stage, node: string, at: number): Batch {
  const startMs = STARTED_MS + at * WINDOW_MS;
  const isGone = (pod: string) =>
    pod === GONE && at * 10 + 10 > (service.podGoneAtS ?? Number.POSITIVE_INFINITY);
  const pods = podsOfNode(node)
    .filter(([pod]) => !isGone(pod))
    .map(([pod, track]) => {
      const isSlow = track === 'canary' && at * 10 >= service.slowFromS;
      const counts = [isSlow ? 20 + service.slow : 20, 120, 110, 90].map((count, stack): [number, number] => [
        stack,
        count + ((at * 7 + stack * 5 + pod.length + Number(pod.at(-1))) % 11),
      ]);
      const of = requests.get(`${pod} ${at}`);
      return aPodWindow({
        ...{ pod, podUid: `uid-${pod}`, startedAtMs: STARTED_MS - 3_600_000, counts },
        samples: counts.reduce((sum, [, count]) => sum + count, 0),
        ...(of && { requests: of }),
      });
    });
  return aBatch({
    ...{ node, boot: `boot-of-${node}`, sequence: at, startMs, endMs: startMs + WINDOW_MS },
    ...{ strings: STRINGS, stacks: STACKS, pods },
  });
}

const GONE = 'orders-bbb-2';

function losePod({ view }: OneCluster): void {
  view.change({ pods: view.pods().filter(({ metadata }) => metadata?.name !== GONE) });
}

/** By pod and number of the window. */
function requestsBy(seconds: number): Stage['requests'] {
  const { baseline, canary } = simulateRequests({
    ...{ seed: 11, requestsPerSecond: 120, canaryPart: 0.5, baselinePods: 3, canaryPods: 3 },
    ...{ windows: Math.ceil(seconds / 10), noise: QUIET },
  });
  const nameOf = (pod: string) =>
    pod.replace(
      /^(baseline|canary)-(\d)$/,
      (_, arm, index) => `orders-${arm === 'baseline' ? 'aaa' : 'bbb'}-${Number(index) + 1}`,
    );
  return new Map(
    [...baseline, ...canary].map(({ pod, startMs, requests }) => [
      `${nameOf(pod)} ${startMs / WINDOW_MS}`,
      requests,
    ]),
  );
}
