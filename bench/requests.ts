/**
 * What watching requests costs: in the kernel by BPF's run statistics, for requests of a watched server, by HTTP/2 too, and for
 * socket calls of everybody else, by both sets of hooks; in user space by C++, and by TypeScript doing the same. SECONDS=5 of load each.
 * How exact latencies are: against a capture on a veth (tcpdump), for each server (EXACT_SECONDS=20 each).
 * Writes bench/results/requests.json. Hooks at system calls need tracefs at /sys/kernel/tracing.
 */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, rmdirSync, statSync } from 'node:fs';
import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openRequestWatcher, type RequestHooks } from '../src/native/request-watcher.ts';
import { watcherOptions } from '../src/native/testing/peers.ts';
import { writeResult } from './machine.ts';
import { switchCost } from './off-cpu/switch-cost.ts';
import { exactnessOf, type RouteExactness } from './requests/exactness.ts';
import { type Server, startServer } from './requests/server.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const CGROUPS = '/sys/fs/cgroup/unified';
const SECONDS = Number(process.env['SECONDS'] ?? 5);
const EXACT_SECONDS = Number(process.env['EXACT_SECONDS'] ?? 20);
const SERVERS = ['netty-nio', 'netty-epoll', 'ktor-cio', 'ktor-netty', 'jdk'] as const;
const CONNECTIONS = 8;
const REQUEST = Buffer.from(
  'GET /orders/4711?lines=3 HTTP/1.1\r\nHost: orders\r\nAccept: application/json\r\n\r\n',
);

interface Runs {
  readonly requests: number;
  /** By program. */
  readonly nsPerRun: Record<string, number>;
  /** All programs together. */
  readonly nsPerRequest: number;
  readonly exchanges: number;
}

/** Closed loop on keep-alive connections; resolves to how many responses came. */
async function load(port: number): Promise<number> {
  const end = performance.now() + SECONDS * 1000;
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
async function loadHttp2(port: number): Promise<number> {
  const end = performance.now() + SECONDS * 1000;
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

async function measured(
  hooks: RequestHooks,
  port: number,
  cgroup: string,
  loadOf: (port: number) => Promise<number>,
): Promise<Runs> {
  const watcher = openRequestWatcher(watcherOptions({ hooks, maxExchanges: 1_000_000, measure: true }));
  try {
    watcher.watch(statSync(cgroup, { bigint: true }).ino, 1);
    const requests = await loadOf(port);
    const exchanges = watcher.take().length;
    const { programs } = watcher.counters();
    const ran = programs.filter((program) => program.runs > 0);
    return {
      requests,
      exchanges,
      nsPerRun: Object.fromEntries(ran.map((one) => [one.name, Math.round(one.runNs / one.runs)])),
      nsPerRequest: Math.round(ran.reduce((sum, one) => sum + one.runNs, 0) / requests),
    };
  } finally {
    watcher.close();
  }
}

/** The least that TypeScript would have to do for a record: its header's numbers, its text, its first line and framing. */
function parsedByTypeScript(count: number): number {
  const header = 56;
  const record = Buffer.concat([Buffer.alloc(header), REQUEST]);
  const response = Buffer.concat([
    Buffer.alloc(header),
    Buffer.from(
      'HTTP/1.1 200 OK\r\nContent-Length: 20\r\nContent-Type: application/json\r\n\r\n{"id":4711,"sum":12}',
    ),
  ]);
  const connections = new Map<bigint, { started: bigint; path: string }>();
  let finished = 0;
  const started = performance.now();
  for (let i = 0; i < count; i++) {
    const request = Buffer.from(record); // a copy of the ring's bytes, as an addon hands it over
    const [method = '', target = ''] = request
      .toString('latin1', header, request.indexOf('\r\n', header))
      .split(' ');
    const length = /\r\ncontent-length: *(\d+)/i.exec(request.toString('latin1', header))?.[1];
    const path = target.split('?', 1)[0] ?? '';
    connections.set(request.readBigUInt64LE(8), {
      started: request.readBigUInt64LE(24),
      path: method + path + (length ?? ''),
    });
    const answer = Buffer.from(response);
    const status = Number(answer.toString('latin1', header + 9, header + 12));
    const body = /\r\ncontent-length: *(\d+)/i.exec(answer.toString('latin1', header))?.[1];
    const exchange = connections.get(answer.readBigUInt64LE(8));
    if (exchange !== undefined && status === 200 && body === '20')
      finished += Number(exchange.started === 0n);
  }
  if (finished !== count) throw new Error(`${finished} of ${count} exchanges`);
  return Math.round(((performance.now() - started) * 1e6) / count);
}

const mounts = !existsSync('/sys/kernel/tracing/events');
if (mounts) execFileSync('mount', ['-t', 'tracefs', 'tracefs', '/sys/kernel/tracing']);
const watchedCgroup = join(CGROUPS, `flamegate-bench-${process.pid}`);
const otherCgroup = join(CGROUPS, `flamegate-other-${process.pid}`);
for (const cgroup of [watchedCgroup, otherCgroup]) mkdirSync(cgroup);
const servers: Server[] = [];
try {
  for (const file of ['node-peer.ts', 'http2-peer.ts']) {
    const argv = [process.execPath, join(ROOT, 'src/native/testing', file)];
    servers.push(await startServer(watchedCgroup, argv));
  }
  const [port = 0, http2Port = 0] = servers.map((server) => server.port);
  await load(port); // warm
  await loadHttp2(http2Port);
  const kernel: Record<string, { watched: Runs; others: Runs; http2: Runs }> = {};
  for (const hooks of ['sockets', 'systemCalls'] as const) {
    kernel[hooks] = {
      watched: await measured(hooks, port, watchedCgroup, load),
      others: await measured(hooks, port, otherCgroup, load),
      http2: await measured(hooks, http2Port, watchedCgroup, loadHttp2),
    };
  }
  const native = execFileSync(join(ROOT, 'build/http-pace'), ['500000'], { encoding: 'utf8' });
  parsedByTypeScript(20_000);
  const userSpaceNsPerExchange = {
    cpp: Number(native.split(' ')[0]),
    cppGrpc: Number(native.split(' ')[2]),
    typeScript: parsedByTypeScript(200_000),
  };
  const routes: RouteExactness[] = [];
  for (const server of SERVERS) {
    const exactness = await exactnessOf(server, EXACT_SECONDS);
    console.table(exactness);
    routes.push(...exactness);
  }
  const foreignSwitchNs = (await switchCost()).foreign.nsPerSwitch;
  const result = { routes, kernel, userSpaceNsPerExchange, foreignSwitchNs };
  console.log(JSON.stringify({ kernel, userSpaceNsPerExchange, foreignSwitchNs }, null, 2));
  console.log(writeResult('requests', 'make bench-requests', '21', result));
} finally {
  for (const server of servers) await server.stop();
  for (const cgroup of [watchedCgroup, otherCgroup]) rmdirSync(cgroup);
  if (mounts) execFileSync('umount', ['/sys/kernel/tracing']);
}
