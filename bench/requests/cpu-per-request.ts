/**
 * CPU a request of a service while its requests are watched, against the same service a few seconds before and after, in turns
 * under one load. The service's own CPU, in which the kernel's hooks run; what the agent takes is not in it.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { jdkHome, type Release } from '../../src/jvm/testing/a-jvm.ts';
import { cgroupIdOf } from '../../src/native/cgroup-id.ts';
import { openRequestWatcher } from '../../src/native/request-watcher.ts';
import { cgroupCpuSeconds } from '../../src/native/sampler-fixture.ts';
import { peersClassPath, watcherOptions } from '../../src/native/testing/peers.ts';
import { seededRandom } from '../../test/reference/simulated-pods.ts';
import { type Estimate, mean, pairedRatio, type RoundCosts } from '../overhead/paired-ratio.ts';
import { startService } from '../overhead/service.ts';
import type { Route } from './pace.ts';
import { ask } from './paced-client.ts';
import { startServer } from './server.ts';

export interface CpuPerRequest {
  readonly service: string;
  readonly rate: number;
  readonly rounds: number;
  /** Unwatched. */
  readonly cpuMsPerRequest: number;
  readonly ratio: Estimate;
  /** Of the unwatched to each other. */
  readonly noise: Estimate;
  /** Exchanges that were seen, of the requests that were made while it was watched. */
  readonly seenShare: number;
}

export interface Rounds {
  readonly rounds: number;
  readonly seconds: number;
  readonly warmSeconds: number;
}

const ORDERS = fileURLToPath(new URL('../../samples/orders/build.sh', import.meta.url));
const CGROUPS = '/sys/fs/cgroup/unified';
const RELEASE: Release = 21;
const ARMS = ['bare', 'watched', 'bare2'] as const;
const SEED = 1;
const LAST_EXCHANGES_MS = 300;

/** Of the sample service, whose requests do some work. */
export async function ordersCpuPerRequest(rounds: Rounds): Promise<CpuPerRequest> {
  await using started = new AsyncDisposableStack();
  const directory = mkdtempSync(join(tmpdir(), 'flamegate-cpu-'));
  started.defer(() => rmSync(directory, { recursive: true }));
  const jar = execFileSync(ORDERS, { encoding: 'utf8' }).trim();
  const program = { javaHome: jdkHome(RELEASE), jar, directory };
  const bare = { name: 'bare', options: [], env: {}, restartNeeded: false } as const;
  const { cgroup, port } = await startService(bare, program, started);
  const routes = Array.from({ length: 100 }, (_, id) => ({ path: `/orders/${id}` }));
  return await measured('orders', { cgroup, host: '127.0.0.1', port, rate: 100, routes }, rounds);
}

/** Of a server that answers at once: the least that a request can cost, so the most that watching adds. */
export async function emptyCpuPerRequest(rounds: Rounds): Promise<CpuPerRequest> {
  const cgroup = join(CGROUPS, `flamegate-empty-${process.pid}`);
  mkdirSync(cgroup);
  try {
    const java = [join(jdkHome(RELEASE), 'bin/java'), '-Xmx128m', '-cp', peersClassPath()];
    const server = await startServer(cgroup, [...java, 'PeersKt', 'netty-nio']);
    try {
      const load = { host: '127.0.0.1', port: server.port, rate: 1_000, routes: [{ path: '/fast' }] };
      return await measured('netty-nio', { cgroup, ...load }, rounds);
    } finally {
      await server.stop();
    }
  } finally {
    rmdirSync(cgroup);
  }
}

interface Load {
  readonly cgroup: string;
  readonly host: string;
  readonly port: number;
  readonly rate: number;
  readonly routes: readonly Route[];
}

async function measured(service: string, { cgroup, ...load }: Load, of: Rounds): Promise<CpuPerRequest> {
  await ask({ ...load, seconds: of.warmSeconds });
  const watcher = openRequestWatcher(watcherOptions({ maxExchanges: 1_000_000 }));
  const requests = load.rate * of.seconds;
  let seen = 0;
  const costOf = async (arm: (typeof ARMS)[number]): Promise<number> => {
    if (arm === 'watched') watcher.watch(cgroupIdOf(cgroup), 1);
    const before = cgroupCpuSeconds(cgroup);
    await ask({ ...load, seconds: of.seconds });
    const cpuSeconds = cgroupCpuSeconds(cgroup) - before;
    await delay(LAST_EXCHANGES_MS);
    if (arm === 'watched') watcher.unwatch(cgroupIdOf(cgroup));
    seen += [...watcher.take()].filter(({ path }) => load.routes.some((route) => route.path === path)).length;
    return (cpuSeconds * 1000) / requests;
  };
  try {
    const costs: RoundCosts[] = [];
    for (let round = 0; round < of.rounds; round++) {
      const costsOfRound = new Map<string, number>();
      for (let turn = 0; turn < ARMS.length; turn++) {
        const arm = ARMS[(round + turn) % ARMS.length] ?? 'bare'; // each is as often first
        costsOfRound.set(arm, await costOf(arm));
      }
      costs.push(costsOfRound);
    }
    const random = seededRandom(SEED);
    return {
      ...{ service, rate: load.rate, rounds: of.rounds },
      cpuMsPerRequest: mean(costs.map((round) => round.get('bare') ?? Number.NaN)),
      ratio: pairedRatio(costs, 'watched', ['bare', 'bare2'], random),
      noise: pairedRatio(costs, 'bare2', ['bare'], random),
      seenShare: seen / (requests * of.rounds),
    };
  } finally {
    watcher.close();
  }
}
