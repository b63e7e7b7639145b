/**
 * What watching costs in the kernel, by BPF's run statistics and by both sets of hooks: for requests of a watched server, by
 * HTTP/2 too, for everybody else, and while nothing is watched. Hooks at system calls need tracefs at /sys/kernel/tracing.
 */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, rmdirSync } from 'node:fs';
import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cgroupIdOf } from '../../src/native/cgroup-id.ts';
import { openRequestWatcher, type RequestHooks } from '../../src/native/request-watcher.ts';
import { watcherOptions } from '../../src/native/testing/peers.ts';
import { type Server, startServer } from './server.ts';

export interface Runs {
  /** Requests, or calls of another kind. */
  readonly requests: number;
  readonly exchanges: number;
  readonly runs: number;
  /** By program. */
  readonly nsPerRun: Record<string, number>;
  /** All programs together. */
  readonly nsPerRequest: number;
}

export interface HooksCost {
  /** Of a watched server, by HTTP/1.1 and by HTTP/2. */
  readonly watched: Runs;
  readonly http2: Runs;
  /** Of the same server, while another is watched. */
  readonly others: Runs;
  /** Reads and writes that are of no socket, of a process nobody asks about. */
  readonly otherCalls: Runs;
  /** While no container is watched. */
  readonly nothingWatched: Runs;
}

export type KernelCost = Readonly<Record<RequestHooks, HooksCost>>;

const TESTING = fileURLToPath(new URL('../../src/native/testing', import.meta.url));
const CGROUPS = '/sys/fs/cgroup/unified';
const TRACING = '/sys/kernel/tracing';
const CONNECTIONS = 8;
const OTHER_CALLS = 400_000; // a read and a write each
const REQUEST = Buffer.from(
  'GET /orders/4711?lines=3 HTTP/1.1\r\nHost: orders\r\nAccept: application/json\r\n\r\n',
);

/** So many seconds of load for each figure. */
export async function kernelCost(seconds: number): Promise<KernelCost> {
  const mounts = !existsSync(`${TRACING}/events`);
  if (mounts) execFileSync('mount', ['-t', 'tracefs', 'tracefs', TRACING]);
  const watched = join(CGROUPS, `flamegate-bench-${process.pid}`);
  const other = join(CGROUPS, `flamegate-other-${process.pid}`);
  for (const cgroup of [watched, other]) mkdirSync(cgroup);
  const servers: Server[] = [];
  try {
    for (const file of ['node-peer.ts', 'http2-peer.ts']) {
      servers.push(await startServer(watched, [process.execPath, join(TESTING, file)]));
    }
    const [port = 0, http2Port = 0] = servers.map((server) => server.port);
    const http1 = () => load(port, seconds);
    const http2 = () => loadHttp2(http2Port, seconds);
    await http1(); // warm
    await http2();
    const costOf = async (hooks: RequestHooks): Promise<HooksCost> => ({
      watched: await measured(hooks, watched, http1),
      others: await measured(hooks, other, http1),
      http2: await measured(hooks, watched, http2),
      otherCalls: await measured(hooks, watched, otherCalls),
      nothingWatched: await measured(hooks, undefined, http1),
    });
    return { sockets: await costOf('sockets'), systemCalls: await costOf('systemCalls') };
  } finally {
    for (const server of servers) await server.stop();
    for (const cgroup of [watched, other]) rmdirSync(cgroup);
    if (mounts) execFileSync('umount', [TRACING]);
  }
}

/** A run of any of these programs, in the middle. */
export function nsPerRunOf({ nsPerRun }: Runs, programs: readonly string[]): number | null {
  const all = programs.flatMap((name) => nsPerRun[name] ?? []);
  return all.length === 0 ? null : Math.round(all.reduce((sum, ns) => sum + ns, 0) / all.length);
}

async function measured(
  hooks: RequestHooks,
  cgroup: string | undefined,
  load: () => Promise<number>,
): Promise<Runs> {
  const watcher = openRequestWatcher(watcherOptions({ hooks, maxExchanges: 1_000_000, measure: true }));
  try {
    if (cgroup !== undefined) watcher.watch(cgroupIdOf(cgroup), 1);
    const requests = await load();
    const exchanges = watcher.take().length;
    const ran = watcher.counters().programs.filter((program) => program.runs > 0);
    const sum = (of: (program: (typeof ran)[number]) => number) =>
      ran.reduce((total, program) => total + of(program), 0);
    return {
      ...{ requests, exchanges, runs: sum(({ runs }) => runs) },
      nsPerRun: Object.fromEntries(ran.map((one) => [one.name, Math.round(one.runNs / one.runs)])),
      nsPerRequest: Math.round(sum(({ runNs }) => runNs) / requests),
    };
  } finally {
    watcher.close();
  }
}

/** Closed loop on keep-alive connections; resolves to how many responses came. */
async function load(port: number, seconds: number): Promise<number> {
  const end = performance.now() + seconds * 1000;
  const counts = await Promise.all(
    Array.from({ length: CONNECTIONS }, async () => {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true });
      await once(socket, 'connect');
      let responses = 0;
      socket.on('data', () => {
        responses++;
        if (performance.now() < end) socket.write(REQUEST);
        else socket.end();
      });
      socket.write(REQUEST);
      await once(socket, 'close');
      return responses;
    }),
  );
  return counts.reduce((sum, count) => sum + count, 0);
}

/** The same with as many streams on one connection, without TLS. */
async function loadHttp2(port: number, seconds: number): Promise<number> {
  const end = performance.now() + seconds * 1000;
  const session = connectHttp2(`http://127.0.0.1:${port}`);
  const counts = await Promise.all(
    Array.from({ length: CONNECTIONS }, async () => {
      let responses = 0;
      while (performance.now() < end) {
        const stream = session.request({ ':path': '/orders/4711?lines=3', accept: 'application/json' });
        stream.resume();
        await once(stream, 'close');
        responses++;
      }
      return responses;
    }),
  );
  session.close();
  await once(session, 'close');
  return counts.reduce((sum, count) => sum + count, 0);
}

/** Resolves to the calls. */
async function otherCalls(): Promise<number> {
  const options = ['if=/dev/zero', 'of=/dev/null', 'bs=1', `count=${OTHER_CALLS}`, 'status=none'];
  execFileSync('dd', options);
  return 2 * OTHER_CALLS;
}
