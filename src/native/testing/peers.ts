/** For tests: HTTP servers in cgroups of their own, and watchers of their requests. */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { cpSync, readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../../test/free-port.ts';
import { jdkHome, type Release } from '../../jvm/testing/a-jvm.ts';
import { madeOnce } from '../../jvm/testing/made-once.ts';
import { cgroupIdOf } from '../cgroup-id.ts';
import type { Exchange } from '../exchange-batch.ts';
import { openRequestWatcher, type RequestWatcher, type RequestWatcherOptions } from '../request-watcher.ts';
import { aCgroup, endOf, eventually } from '../sampler-fixture.ts';

const BUILD = fileURLToPath(new URL('../../../build/', import.meta.url));
const SOURCES = fileURLToPath(new URL('../../../test/peers/', import.meta.url));
const ORDERS = fileURLToPath(new URL('../../../samples/orders/build.sh', import.meta.url));
const NODE_PEER = fileURLToPath(new URL('node-peer.ts', import.meta.url));
const NODE_HTTP2_PEER = fileURLToPath(new URL('http2-peer.ts', import.meta.url));

/** Servers of test/peers, by the file they are in. */
export type JavaPeer = Http1Peer | Http2Peer;
type Http1Peer = 'jdk' | 'netty-nio' | 'netty-epoll' | 'ktor-netty' | 'ktor-cio';
export type Http2Peer = 'netty-h2c' | 'grpc';

export interface Peer {
  readonly port: number;
  readonly pid: number;
  readonly cgroup: string;
  readonly cgroupId: bigint;
}

export interface WatchedPeer extends Peer {
  readonly watcher: RequestWatcher;
  /** Waits until so many exchanges have finished since the last time, and hands over all that did. */
  exchanges(count: number): Promise<readonly Exchange[]>;
}

export function watcherOptions(options: Partial<RequestWatcherOptions> = {}): RequestWatcherOptions {
  return {
    objectPath: join(BUILD, 'requests.bpf.o'),
    addonPath: join(BUILD, 'flamegate.node'),
    ringBytes: 1 << 20,
    maxContainers: 16,
    maxConnections: 1024,
    maxExchanges: 10_000,
    ...options,
  };
}

/** A watcher that is closed when the test ends. */
export function aWatcher(t: TestContext, options: Partial<RequestWatcherOptions> = {}): RequestWatcher {
  const watcher = openRequestWatcher(watcherOptions(options));
  t.after(() => watcher.close());
  return watcher;
}

/** The server of node-peer.ts. */
export function aNode(t: TestContext): Promise<Peer> {
  return listening(t, [process.execPath, NODE_PEER]);
}

/** The server of http2-peer.ts, watched from before its first request on. */
export async function aWatchedHttp2Node(
  t: TestContext,
  options: Partial<RequestWatcherOptions> = {},
): Promise<WatchedPeer> {
  return watched(t, await listening(t, [process.execPath, NODE_HTTP2_PEER]), options);
}

/** That of node-peer.ts, watched likewise. */
export async function aWatchedNode(
  t: TestContext,
  options: Partial<RequestWatcherOptions> = {},
): Promise<WatchedPeer> {
  return watched(t, await aNode(t), options);
}

/** The server of native/testing/socket_calls.c: each answer by other system calls. It has one connection. */
export async function aWatchedSocket(
  t: TestContext,
  options: Partial<RequestWatcherOptions> = {},
): Promise<WatchedPeer> {
  return watched(t, await listening(t, [join(BUILD, 'socket-calls')]), options);
}

/** A server of test/peers. */
export async function aWatchedJvm(
  t: TestContext,
  peer: JavaPeer,
  release: Release = 17,
  options: Partial<RequestWatcherOptions> = {},
): Promise<WatchedPeer> {
  return watched(t, await listening(t, [...javaOf(release), mainOf(peer), peer]), options);
}

/** The same, nobody watching, in a cgroup of the caller's. */
export const startedJvm = (
  t: TestContext,
  cgroup: string,
  peer: JavaPeer,
  release: Release = 17,
): Promise<Peer> => listeningIn(t, cgroup, [...javaOf(release), mainOf(peer), peer]);

export interface Answer {
  readonly status: number;
  /** What the server's own clock said, of servers that do. */
  readonly serverNs: number;
  readonly clientNs: number;
}

/** Has a JDK's HttpClient ask for paths, one after the other, from outside the cgroup. */
export function askedByJdk(
  t: TestContext,
  port: number,
  paths: readonly string[],
): Promise<readonly Answer[]> {
  return asked(t, [...javaOf(17), 'PeersKt', 'ask', `http://127.0.0.1:${port}`, ...paths]);
}

/** By HTTP/2, so many at a time behind the first; or calls of gRPC, by their methods. `meanwhile` is done at each `wait`. */
export function askedByHttp2(
  t: TestContext,
  { port, by, at = 1, meanwhile }: Http2Asking,
  paths: readonly string[],
): Promise<readonly Answer[]> {
  const argv = [by, `127.0.0.1:${port}`, String(at), ...paths];
  return asked(t, [...javaOf(21), 'Http2PeersKt', ...argv], meanwhile);
}

export interface Http2Asking {
  readonly port: number;
  readonly by: 'ask-jdk' | 'ask-grpc';
  readonly at?: number;
  readonly meanwhile?: () => Promise<void>;
}

async function asked(
  t: TestContext,
  [program = '', ...argv]: readonly string[],
  meanwhile?: () => Promise<void>,
): Promise<readonly Answer[]> {
  const child = spawn(program, argv, { stdio: ['pipe', 'pipe', 'inherit'] });
  t.after(() => endOf(child));
  const answers: Answer[] = [];
  for await (const line of createInterface(child.stdout)) {
    if (line === 'done') break;
    if (line === 'waiting') {
      await meanwhile?.();
      child.stdin.write('\n');
      continue;
    }
    const [status = 0, serverNs = 0, clientNs = 0] = line.split(' ').map(Number);
    answers.push({ status, serverNs, clientNs });
  }
  return answers;
}

/** They live for a few seconds, of which the optimizing compiler would take most. */
const SOON_READY = ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC'];

const javaOf = (release: Release): string[] => [
  join(jdkHome(release), 'bin/java'),
  ...SOON_READY,
  '-Xmx64m',
  '-cp',
  peersClassPath(),
];

function mainOf(peer: JavaPeer): string {
  return peer === 'netty-h2c' || peer === 'grpc' ? 'Http2PeersKt' : 'PeersKt';
}

async function watched(
  t: TestContext,
  peer: Peer,
  options: Partial<RequestWatcherOptions>,
): Promise<WatchedPeer> {
  const watcher = aWatcher(t, options);
  watcher.watch(peer.cgroupId, 1);
  return {
    ...peer,
    watcher,
    async exchanges(count) {
      const seen: Exchange[] = [];
      await eventually(`${count} exchanges have finished`, () => {
        seen.push(...watcher.take());
        return seen.length >= count;
      });
      return seen;
    },
  };
}

/** The sample service: Ktor on Netty, and a Ktor client with which it asks itself. */
export async function aWatchedOrders(t: TestContext): Promise<WatchedPeer> {
  const orders = await startedOrders(t, aCgroup(t));
  const peer = await watched(t, orders, {});
  await listens(orders);
  return peer;
}

/** The sample service, in a cgroup of the caller's; it listens later. */
export async function startedOrders(t: TestContext, cgroup: string): Promise<Peer> {
  const jar = execFileSync(ORDERS, { encoding: 'utf8' }).trim();
  const port = await freePort();
  const java = [join(jdkHome(17), 'bin/java'), ...SOON_READY, '-Xmx128m', '-jar', jar];
  const { pid } = startedIn(t, cgroup, ['env', `PORT=${port}`, ...java]);
  assert(pid !== undefined);
  return { port, pid, cgroup, cgroupId: cgroupIdOf(cgroup) };
}

export async function listens({ port }: Peer): Promise<void> {
  for (const end = Date.now() + 60_000; !(await accepts(port)); await delay(50)) assert(Date.now() < end);
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect({ port, host: '127.0.0.1' });
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/** Starts a program in a cgroup of its own, and waits for its `listening PORT`. */
const listening = (t: TestContext, argv: readonly string[]): Promise<Peer> =>
  listeningIn(t, aCgroup(t), argv);

/** The same in a cgroup of the caller's. */
export async function listeningIn(t: TestContext, cgroup: string, argv: readonly string[]): Promise<Peer> {
  const child = startedIn(t, cgroup, argv);
  const [line] = await once(createInterface(child.stdout), 'line');
  const port = /^listening (\d+)$/.exec(String(line))?.[1];
  assert(port !== undefined, `the server says ${String(line)}`);
  assert(child.pid !== undefined);
  return { port: Number(port), pid: child.pid, cgroup, cgroupId: cgroupIdOf(cgroup) };
}

function startedIn(t: TestContext, cgroup: string, argv: readonly string[]) {
  const child = spawn('sh', ['-c', 'echo $$ >"$0/cgroup.procs"; exec "$@"', cgroup, ...argv], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  t.after(() => endOf(child));
  return child;
}

/** Of test/peers, compiled once. */
export function peersClassPath(): string {
  const hash = createHash('sha256');
  for (const name of ['pom.xml', 'Peers.kt', 'Http2Peers.kt', 'Work.kt'])
    hash.update(readFileSync(join(SOURCES, name)));
  const kept = madeOnce(join(tmpdir(), `flamegate-peers-${hash.digest('hex').slice(0, 16)}`), compileInto);
  const jars = join(kept, 'target/jars');
  return [join(kept, 'target/classes'), ...readdirSync(jars).map((jar) => join(jars, jar))].join(':');
}

function compileInto(directory: string): void {
  cpSync(SOURCES, directory, { recursive: true });
  const goals = ['compile', 'dependency:copy-dependencies', '-DoutputDirectory=target/jars'];
  execFileSync('mvn', ['-q', '-B', ...goals], { cwd: directory, stdio: 'inherit' });
}
