/** One gate, played from its first look to its verdict on a clock of the test's, undisturbed or with something that breaks on the way. */
import { mkdirSync, mkdtempDisposableSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RegressionGate, RegressionGateSpec } from '../../src/crds/regression-gate.ts';
import type { RegressionReport } from '../../src/crds/regression-report.ts';
import { aSimulatedAgent, type SimulatedAgent } from '../agents/simulated-agent.ts';
import { NODES, type OneCluster, oneCluster, tokenOf } from './one-cluster.ts';
import { type OneLeader, oneLeader } from './one-leader.ts';
import { aService, type PlayedService, type Service, STARTED_MS } from './played-service.ts';

/** What breaks, and when, in seconds since the first look. Everything is absent of an undisturbed gate. */
export interface Breakage {
  /** The leader is killed, and its store goes with it. */
  readonly leaderDiesAtS?: number;
  readonly nextLeadsAtS?: number;
  /** When each node's agent has found the next leader, and how many batches it sends at a time from then on. */
  readonly foundAtS?: readonly [number, number];
  readonly atOnce?: readonly [number, number];
  /** This agent is killed after an answer that it could not write down, once it has found the leader. */
  readonly killed?: number;
  /** Until the given second a second one leads as well, on what it knew when the next one began. */
  readonly staleLooksToS?: number;
  /** The leader ends, and its pod's next process finds nonsense in its database. */
  readonly storeBreaksAtS?: number;
  readonly storeBytes?: number;
  readonly spoolBytes?: number;
  /** Of one agent: its node makes no windows, or they do not reach the leader. */
  readonly stopped?: Pause;
  readonly cutOff?: Pause;
  /** The leader's clock is set: so far ahead, or back where it is negative. */
  readonly clockSet?: Omit<Pause, 'node'> & { readonly ms: number };
  /** A node's clock is set so far ahead; windows that it watches whole meanwhile are of that time. */
  readonly agentAhead?: Pause & { readonly ms: number };
  /** The node is gone from then on, with its pods and its agent. */
  readonly nodeGone?: { readonly node: number; readonly atS: number };
}

export interface Pause {
  readonly node: number;
  readonly fromS: number;
  readonly toS: number;
}

export interface Played {
  readonly gate: RegressionGate;
  readonly report: RegressionReport | undefined;
  /** Answers to pushes, counted. */
  readonly pushed: Readonly<Record<string, number>>;
  /** Windows that agents dropped unsent. */
  readonly dropped: number;
  /** Databases moved aside, and windows dropped before their age was up, by the last leader. */
  readonly corruptFiles: number;
  readonly droppedEarly: number;
  /** Windows that came after the verdict, as the last leader counts them. */
  readonly late: number;
  /** Looks that ended in an error, by its code. */
  readonly failedLooks: readonly string[];
}

const STEP_S = 5;
const WINDOW_S = 10;
const LOOK_S = 15;

interface Stage {
  readonly cluster: OneCluster;
  readonly directory: string;
  readonly service: PlayedService;
  readonly breakage: Breakage;
  readonly pushed: Record<string, number>;
}

export async function play(
  spec: Partial<RegressionGateSpec>,
  service: Service,
  seconds: number,
  breakage: Breakage = {},
): Promise<Played> {
  const clock = { s: 0 };
  const now = () => STARTED_MS + clock.s * 1_000;
  const leadersNow = () => now() + (isWithin(clock.s, breakage.clockSet) ? (breakage.clockSet?.ms ?? 0) : 0);
  using scratch = mkdtempDisposableSync(join(tmpdir(), 'flamegate-played-'));
  const directory = scratch.path;
  const cluster = oneCluster(spec, now);
  const stage: Stage = { cluster, directory, service: aService(service, seconds), breakage, pushed: {} };
  const aLeader = (before?: { readonly directory: string }) =>
    oneLeader(cluster, { now: leadersNow, elapsed: now, maxBytes: breakage.storeBytes, ...before });
  const failedLooks: string[] = [];
  let leader: OneLeader | undefined = await aLeader();
  let stale: OneLeader | undefined;
  let agents = await agentsOf(stage, leader);
  for (; clock.s <= seconds; clock.s += STEP_S) {
    const { s } = clock;
    if (s === service.podGoneAtS) stage.service.losePod(cluster);
    if (s === breakage.nodeGone?.atS) stage.service.loseNode(cluster, NODES[breakage.nodeGone.node] ?? '');
    if (s === breakage.leaderDiesAtS && breakage.staleLooksToS === undefined) {
      await leader?.stop();
      leader = undefined;
    }
    if (s === breakage.storeBreaksAtS && leader !== undefined) {
      leader = await aLeader({ directory: await leader.endWithBrokenStore() });
      for (const agent of agents) await agent.stop();
      agents = await agentsOf(stage, leader);
    }
    if (s === breakage.nextLeadsAtS) {
      if (breakage.staleLooksToS !== undefined) stale = leader?.frozen();
      leader = await aLeader();
      for (const agent of agents) await agent.stop();
      agents = await agentsOf(stage, leader);
    }
    if (s % WINDOW_S === STEP_S && s > WINDOW_S) await closeWindows(stage, agents, s, now());
    if (leader !== undefined) await pushAll(agents, s, breakage);
    if (s % LOOK_S === 0) {
      for (const one of [stale, leader]) failedLooks.push(...((await one?.look()) ?? []));
    }
    if (s === breakage.staleLooksToS) {
      await stale?.stop();
      stale = undefined;
    }
  }
  for (const agent of agents) await agent.stop();
  const { corruptFiles = 0, windowsDroppedEarly = 0 } = leader?.store.stats() ?? {};
  const late = leader?.lateWindows() ?? 0;
  const dropped = agents.reduce((sum, { spool }) => sum + spool.dropped, 0);
  await leader?.stop();
  const { pushed } = stage;
  const ends = { gate: cluster.gate(), report: cluster.reports()[0], pushed, dropped, failedLooks };
  return { ...ends, late, corruptFiles, droppedEarly: windowsDroppedEarly };
}

const isWithin = (s: number, pause: Omit<Pause, 'node'> | undefined): boolean =>
  pause !== undefined && s >= pause.fromS && s < pause.toS;

function agentsOf(
  { directory, pushed, breakage }: Stage,
  { port, ca }: OneLeader,
): Promise<SimulatedAgent[]> {
  return Promise.all(
    NODES.map((node) => {
      mkdirSync(join(directory, node), { recursive: true });
      const [caFile, tokenFile] = [join(directory, `${node}.crt`), join(directory, `${node}.token`)];
      writeFileSync(caFile, ca);
      writeFileSync(tokenFile, tokenOf(node));
      return aSimulatedAgent({
        ...{ url: new URL(`https://localhost:${port}`), caFile, tokenFile },
        ...{ directory: join(directory, node), random: () => 0 },
        ...(breakage.spoolBytes === undefined ? {} : { spoolBytes: breakage.spoolBytes }),
        pushed: (result, code) => {
          const what = `${result} ${code}`.trim();
          pushed[what] = (pushed[what] ?? 0) + 1;
        },
      });
    }),
  );
}

async function pushAll(agents: readonly SimulatedAgent[], s: number, breakage: Breakage): Promise<void> {
  for (const [index, agent] of agents.entries()) {
    const { foundAtS, atOnce, nextLeadsAtS, killed, cutOff, stopped, nodeGone } = breakage;
    if (nodeGone?.node === index && s >= nodeGone.atS) continue;
    const isAfter = nextLeadsAtS !== undefined && s >= nextLeadsAtS;
    if (isAfter && s < (foundAtS?.[index] ?? 0)) continue;
    if ([cutOff, stopped].some((pause) => pause?.node === index && isWithin(s, pause))) continue;
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

async function closeWindows(
  { service, breakage: { stopped, agentAhead } }: Stage,
  agents: readonly SimulatedAgent[],
  s: number,
  nowMs: number,
): Promise<void> {
  const number = Math.floor(s / WINDOW_S) - 1;
  for (const [index, node] of NODES.entries()) {
    const isStopped = stopped?.node === index && isWithin(s, stopped);
    if (isStopped) continue;
    const aheadMs = agentAhead?.node === index && isWithin(s, agentAhead) ? agentAhead.ms : 0;
    const batch = service.batch(node, number);
    const [startMs, endMs] = [batch.startMs + aheadMs, batch.endMs + aheadMs];
    await agents[index]?.add({ ...batch, startMs, endMs }, nowMs + aheadMs);
  }
}
