/** The agent as it is installed beside busy JVMs: CPU, memory, what it got of the samples; and many JVMs that come and go. */
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { RELEASES } from '../../src/jvm/testing/a-jvm.ts';
import type { Batch } from '../../src/wire/batch-schema.ts';
import { type NodeAgent, startNodeAgent } from '../overhead/node-agent.ts';
import { usageOf } from '../process-usage.ts';
import { type AgentFigures, agentFigures, slope } from './agent-figures.ts';
import { type ContainerJvm, smallJvms } from './container-jvm.ts';
import { makeMemoryCgroup } from './memory-cgroup.ts';

export interface AgentMeasured {
  readonly at49Hz: AgentFigures;
  readonly at99Hz: AgentFigures;
  /** The highest while six JVMs were watched. */
  readonly rssMb: number;
  readonly cgroupAnonKernelMb: number | null;
}

export interface Redeploys {
  readonly redeploys: number;
  /** Windows in which one of them was Profiled. */
  readonly profiledWindows: number;
  /** Behind the first third, in which caches fill; null of too few. */
  readonly slopeMbPer100: number | null;
  /** Of anonymous memory, where a leak would be. */
  readonly anonSlopeMbPer100: number | null;
  /** The least that was seen in each round: what is for a moment only is no leak. */
  readonly rssMb: readonly number[];
  readonly anonMb: readonly number[];
}

const DIRECTORY = fileURLToPath(new URL('../../build/bench-agent', import.meta.url));
const WINDOW_MS = 10_000;
const WARM_WINDOWS = 3;
/** More threads than cores, so that none is idle, with stacks of every kind. */
const BUSY: readonly (readonly string[])[] = [
  ['collections', 'recursive'],
  ['natives', 'collections'],
  ['systemCalls', 'inlined'],
  ['collections'],
  ['collections', 'natives'],
  ['recursive', 'collections'],
];
const AT_ONCE = 6;
const LIVE_SECONDS = 12; // a look every two seconds, a window every ten

export async function measureAgent(windows: number, tickMicros: number): Promise<AgentMeasured> {
  await using started = new AsyncDisposableStack();
  const batches: Batch[] = [];
  const memory = makeMemoryCgroup();
  if (memory) started.defer(() => memory.remove());
  const agent = await anAgent(started, (batch) => batches.push(batch), memory?.procs);
  const jvms = started.use(smallJvms());
  const ids = BUSY.map((shapes, i) => {
    const jvm = jvms.start(RELEASES[i % RELEASES.length] ?? 17, shapes);
    started.defer(() => jvm.stop());
    return jvm.containerId;
  });
  let rssMb = 0;
  let cgroupAnonKernelMb: number | null = null;
  const figuresAt = async (hz: number): Promise<AgentFigures> => {
    agent.assign(hz, ids);
    await delay(WARM_WINDOWS * WINDOW_MS);
    batches.length = 0;
    for (let window = 0; window < windows; window++) {
      await delay(WINDOW_MS);
      rssMb = Math.max(rssMb, usageOf(agent.pid).rssMb);
      const anonKernel = memory?.anonAndKernelMb() ?? null;
      if (anonKernel !== null) cgroupAnonKernelMb = Math.max(cgroupAnonKernelMb ?? 0, anonKernel);
    }
    const whole = batches.filter(({ pods }) => pods.length > 0 && pods.every((pod) => pod.hz === hz));
    return agentFigures(whole, { tickMicros, cpus: availableParallelism() });
  };
  const at49Hz = await figuresAt(49);
  const at99Hz = await figuresAt(99);
  return { at49Hz, at99Hz, rssMb: Number(rssMb.toFixed(1)), cgroupAnonKernelMb };
}

/** Six at a time, in new cgroups, under the agent's eyes. */
export async function measureRedeploys(count: number): Promise<Redeploys> {
  await using started = new AsyncDisposableStack();
  let profiledWindows = 0;
  const agent = await anAgent(started, ({ pods }) => {
    profiledWindows += pods.filter(({ jvm }) => jvm.state === 'Profiled').length;
  });
  const jvms = started.use(smallJvms());
  const rss: [number, number][] = [];
  const anon: [number, number][] = [];
  for (let done = 0; done < count; done += AT_ONCE) {
    const round: ContainerJvm[] = [];
    for (let i = 0; i < AT_ONCE; i++) round.push(jvms.start(17, ['collections']));
    agent.assign(
      49,
      round.map(({ containerId }) => containerId),
    );
    const seen: { readonly rssMb: number; readonly anonMb: number }[] = [];
    for (let second = 0; second < LIVE_SECONDS; second++) {
      await delay(1000);
      seen.push({ rssMb: usageOf(agent.pid).rssMb, anonMb: anonMbOf(agent.pid) });
    }
    await Promise.all(round.map((jvm) => jvm.stop()));
    rss.push([done + AT_ONCE, Math.min(...seen.map(({ rssMb }) => rssMb))]);
    anon.push([done + AT_ONCE, Math.min(...seen.map(({ anonMb }) => anonMb))]);
  }
  const isLater = ([redeploys]: readonly [number, number]) => redeploys > count / 3;
  const per100 = (points: readonly [number, number][]) => {
    const perRedeploy = slope(points.filter(isLater));
    return perRedeploy === null ? null : Number((100 * perRedeploy).toFixed(3));
  };
  const rounded = (points: readonly [number, number][]) => points.map(([, mb]) => Number(mb.toFixed(1)));
  return {
    ...{ redeploys: rss.at(-1)?.[0] ?? 0, profiledWindows },
    ...{ slopeMbPer100: per100(rss), anonSlopeMbPer100: per100(anon) },
    ...{ rssMb: rounded(rss), anonMb: rounded(anon) },
  };
}

function anonMbOf(pid: number): number {
  const kilobytes = /^RssAnon:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1];
  return Number(kilobytes ?? Number.NaN) / 1024;
}

async function anAgent(
  started: AsyncDisposableStack,
  took: (batch: Batch) => void,
  cgroupProcs?: string,
): Promise<NodeAgent> {
  rmSync(DIRECTORY, { recursive: true, force: true });
  mkdirSync(DIRECTORY, { recursive: true });
  return startNodeAgent(DIRECTORY, started, { took, ...(cgroupProcs === undefined ? {} : { cgroupProcs }) });
}
