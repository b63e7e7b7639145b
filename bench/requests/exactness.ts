/**
 * Latencies as the kernel's hooks tell them against a capture on the veth of the server's network namespace, for each
 * server: both see the same requests, at a constant rate, and none may be missing.
 */
import { mkdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { jdkHome, type Release } from '../../src/jvm/testing/a-jvm.ts';
import { cgroupIdOf } from '../../src/native/cgroup-id.ts';
import { openRequestWatcher } from '../../src/native/request-watcher.ts';
import { type JavaPeer, peersClassPath, watcherOptions } from '../../src/native/testing/peers.ts';
import { quantile } from '../overhead/paired-ratio.ts';
import { startCapture } from './capture.ts';
import { exchangesOf } from './captured-exchanges.ts';
import { ask } from './paced-client.ts';
import { segmentsOf } from './pcap.ts';
import { makePodNetwork, type PodNetwork } from './pod-network.ts';
import { startServer } from './server.ts';

export interface RouteExactness {
  readonly stack: string;
  readonly route: string;
  readonly requests: number;
  /** Exchanges seen, of those captured. */
  readonly countedShare: number;
  readonly p50ErrorMs: number;
  readonly p99ErrorMs: number;
  readonly p50ErrorPercent: number;
  readonly p99ErrorPercent: number;
  /** By the capture. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly clientP99Ms: number;
}

/** Kept apart by path; none takes the time of another. */
type LatenciesByPath = ReadonlyMap<string, readonly number[]>;

const CGROUPS = '/sys/fs/cgroup/unified';
const RELEASE: Release = 21;
const RATE = 300;
const PATHS = ['/fast', '/echo', '/fast', '/chunked'];
const WARM_SECONDS = 8;
const LAST_EXCHANGE_MS = 6_000; // an end that is not certain is decided after five quiet seconds

export async function exactnessOf(peer: JavaPeer, seconds: number): Promise<readonly RouteExactness[]> {
  const network = makePodNetwork();
  const cgroup = join(CGROUPS, `flamegate-exact-${process.pid}`);
  mkdirSync(cgroup);
  try {
    const java = [join(jdkHome(RELEASE), 'bin/java'), '-Xmx128m', '-cp', peersClassPath(), 'PeersKt', peer];
    const argv = [...network.prefix, 'env', `HOST=${network.address}`, ...java];
    const server = await startServer(cgroup, argv);
    try {
      return await compared(peer, network, { cgroup, port: server.port }, seconds);
    } finally {
      await server.stop();
    }
  } finally {
    rmdirSync(cgroup);
    network.remove();
  }
}

async function compared(
  stack: string,
  { networkInterface, address }: PodNetwork,
  { cgroup, port }: { readonly cgroup: string; readonly port: number },
  seconds: number,
): Promise<readonly RouteExactness[]> {
  const pace = { host: address, port, rate: RATE, paths: PATHS };
  await ask({ ...pace, seconds: WARM_SECONDS });
  const watcher = openRequestWatcher(watcherOptions({ maxExchanges: 1_000_000 }));
  try {
    watcher.watch(cgroupIdOf(cgroup), 1);
    const capture = await startCapture(networkInterface, port);
    const client = byPath(await ask({ ...pace, seconds }));
    const captured = byPath(exchangesOf(segmentsOf(await capture.stop()), `${address}:${port}`));
    await delay(LAST_EXCHANGE_MS);
    const seen = byPath([...watcher.take()]);
    return [...captured].map(([route, wire]) => exactness(stack, route, { wire, seen, client }));
  } finally {
    watcher.close();
  }
}

function exactness(
  stack: string,
  route: string,
  all: { readonly wire: readonly number[]; readonly seen: LatenciesByPath; readonly client: LatenciesByPath },
): RouteExactness {
  const seen = all.seen.get(route) ?? [];
  const [p50Ns, p99Ns] = [quantile(all.wire, 0.5), quantile(all.wire, 0.99)];
  const [p50Off, p99Off] = [quantile(seen, 0.5) - p50Ns, quantile(seen, 0.99) - p99Ns];
  return {
    ...{ stack, route, requests: all.wire.length },
    countedShare: seen.length / all.wire.length,
    ...{ p50ErrorMs: milliseconds(p50Off), p99ErrorMs: milliseconds(p99Off) },
    ...{ p50ErrorPercent: percent(p50Off / p50Ns), p99ErrorPercent: percent(p99Off / p99Ns) },
    ...{ p50Ms: milliseconds(p50Ns), p99Ms: milliseconds(p99Ns) },
    clientP99Ms: milliseconds(quantile(all.client.get(route) ?? [], 0.99)),
  };
}

function byPath(
  exchanges: readonly { readonly path: string; readonly latencyNs: number }[],
): LatenciesByPath {
  const latencies = new Map<string, number[]>();
  for (const { path, latencyNs } of exchanges) {
    const known = latencies.get(path);
    if (known) known.push(latencyNs);
    else latencies.set(path, [latencyNs]);
  }
  return latencies;
}

const milliseconds = (ns: number) => Number((ns / 1e6).toFixed(3));
const percent = (share: number) => Number((100 * share).toFixed(2));
