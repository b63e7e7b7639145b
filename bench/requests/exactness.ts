/**
 * Latencies as the kernel's hooks tell them against a capture on the veth of the server's network namespace, for each
 * server: both see the same requests, at a constant rate, and none may be missing.
 */
import { mkdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { jdkHome, type Release } from '../../src/jvm/testing/a-jvm.ts';
import { cgroupIdOf } from '../../src/native/cgroup-id.ts';
import type { Exchange } from '../../src/native/exchange-batch.ts';
import { openRequestWatcher, type RequestWatcher } from '../../src/native/request-watcher.ts';
import { type JavaPeer, peersClassPath, watcherOptions } from '../../src/native/testing/peers.ts';
import { capturing } from './capture.ts';
import { exchangesOf } from './captured-exchanges.ts';
import { streamsOf } from './captured-streams.ts';
import type { Told } from './compared.ts';
import type { Pace } from './pace.ts';
import { ask } from './paced-client.ts';
import { askByHttp2 } from './paced-http2-client.ts';
import { type Segment, segmentsOf } from './pcap.ts';
import { makePodNetwork, type PodNetwork } from './pod-network.ts';
import { startServer } from './server.ts';
import { STACKS, type Stack } from './stacks.ts';
import { numbered, type Timed } from './timed.ts';

const CGROUPS = '/sys/fs/cgroup/unified';
const RELEASE: Release = 21;
const RATE = 300;
const WARM_SECONDS = 8;
const LAST_EXCHANGE_MS = 6_000; // an end that is not certain is decided after five quiet seconds
const TAKE_EVERY_MS = 200;
/** Heads of HTTP/1.1 are at the beginning of a segment; of HTTP/2 every frame's is needed. */
const SNAP_BYTES = { 'HTTP/1.1': 512, 'HTTP/2': 262_144 } as const;

export async function tellRequests(peer: JavaPeer, seconds: number): Promise<Told> {
  const { main, flags, ...asked } = STACKS[peer];
  const network = makePodNetwork();
  const cgroup = join(CGROUPS, `flamegate-exact-${process.pid}`);
  mkdirSync(cgroup);
  try {
    const java = [
      join(jdkHome(RELEASE), 'bin/java'),
      '-Xmx128m',
      ...flags,
      '-cp',
      peersClassPath(),
      main,
      peer,
    ];
    const argv = [...network.prefix, 'env', `HOST=${network.address}`, ...java];
    const server = await startServer(cgroup, argv);
    try {
      return { stack: peer, ...(await tell(asked, network, { cgroup, port: server.port }, seconds)) };
    } finally {
      await server.stop();
    }
  } finally {
    rmdirSync(cgroup);
    network.remove();
  }
}

async function tell(
  { protocol, routes }: Pick<Stack, 'protocol' | 'routes'>,
  { networkInterface, address }: PodNetwork,
  { cgroup, port }: { readonly cgroup: string; readonly port: number },
  seconds: number,
): Promise<Omit<Told, 'stack'>> {
  const by = PROTOCOLS[protocol];
  const pace = { host: address, port, rate: RATE, routes };
  await by.ask({ ...pace, seconds: WARM_SECONDS });
  const watcher = openRequestWatcher(watcherOptions({ maxExchanges: 1_000_000 }));
  try {
    watcher.watch(cgroupIdOf(cgroup), 1);
    const captureOf = { networkInterface, port, snapBytes: SNAP_BYTES[protocol] };
    // Connections of its own, all within the capture.
    const { result, file } = await capturing(captureOf, () => by.ask({ ...pace, seconds }));
    const { asked, captured } = result(segmentsOf(file), `${address}:${port}`);
    if (captured.length !== asked.length) {
      throw new Error(`of ${asked.length} requests ${captured.length} were captured`);
    }
    return { asked, captured, seen: by.seen(await exchangesFrom(watcher, asked.length)) };
  } finally {
    watcher.close();
  }
}

/** Until so many have come, and no longer than the last one may take. */
async function exchangesFrom(watcher: RequestWatcher, count: number): Promise<readonly Exchange[]> {
  const exchanges: Exchange[] = [];
  for (const end = performance.now() + LAST_EXCHANGE_MS; ; await delay(TAKE_EVERY_MS)) {
    exchanges.push(...watcher.take());
    if (exchanges.length >= count || performance.now() > end) return exchanges;
  }
}

interface Protocol {
  /** What was asked; and, of a capture meanwhile, what was captured of it. */
  ask(pace: Pace): Promise<(segments: readonly Segment[], server: string) => Omit<Told, 'stack' | 'seen'>>;
  /** With the ids that the others give them. */
  seen(exchanges: readonly Exchange[]): readonly Timed[];
}

const PROTOCOLS: Readonly<Record<Stack['protocol'], Protocol>> = {
  'HTTP/1.1': {
    async ask(pace) {
      const asked = await ask(pace);
      return (segments, server) => ({ asked, captured: exchangesOf(segments, server) });
    },
    seen: (exchanges) =>
      exchanges.map(({ path, latencyNs, traceParent }) => ({
        ...{ route: path, latencyNs },
        id: traceParent.slice(36, 52),
      })),
  },
  'HTTP/2': {
    async ask(pace) {
      const { asked, routes } = await askByHttp2(pace);
      return (segments, server) => {
        const streams = streamsOf(segments, server);
        return {
          asked,
          captured: numbered(streams.map((one) => ({ route: routes.get(one.client) ?? '', ...one }))),
        };
      };
    },
    seen: (exchanges) =>
      numbered(
        exchanges
          .toSorted((a, b) => a.startedAtNs - b.startedAtNs)
          .map(({ path, latencyNs }) => ({ route: path, latencyNs })),
      ),
  },
};
