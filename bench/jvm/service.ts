/** A service in a JVM of its own on loopback, and the load it is under. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startLoad } from '../../scripts/demo/load.ts';
import { jdkHome, type Release } from '../../src/jvm/testing/a-jvm.ts';
import { freePort } from '../../test/free-port.ts';

export type ServiceName = 'shallow' | 'deep';

export interface Service {
  readonly pid: number;
  /** Settles when it answers. */
  readonly answers: Promise<void>;
  /** From then on; the load ends by itself behind `maxSeconds`. */
  startLoad(requestsPerSecond: number, maxSeconds: number): { stop(): Promise<unknown> };
  stop(): Promise<void>;
}

const BUILD = {
  shallow: fileURLToPath(new URL('../../samples/orders/build.sh', import.meta.url)),
  deep: fileURLToPath(new URL('../deep-service/build.sh', import.meta.url)),
} as const;
// Two compiler threads and few collector threads: the machine has two cores, and others use it.
const SMALL = ['-XX:CICompilerCount=2', '-XX:ParallelGCThreads=2', '-XX:ConcGCThreads=1'];
const HEAP = { shallow: '-Xmx128m', deep: '-Xmx224m' } as const;
const ANSWERS_MS = 180_000; // Spring on a machine that does other things needs 20 s and, if it does many, 90
const LOWEST_PRIORITY = '19';

export async function startService(
  release: Release,
  name: ServiceName,
  flags: readonly string[] = [],
): Promise<Service> {
  const jar = execFileSync(BUILD[name], { encoding: 'utf8' }).trim();
  const port = await freePort();
  const log = openSync(`/tmp/flamegate-bench-${name}-${release}.log`, 'w');
  const java = join(jdkHome(release), 'bin/java');
  const argv = [
    '-n',
    LOWEST_PRIORITY,
    java,
    HEAP[name],
    ...SMALL,
    ...flags,
    `-Dserver.port=${port}`,
    '-jar',
    jar,
  ];
  const child = spawn('nice', argv, {
    env: { ...process.env, PORT: String(port) },
    stdio: ['ignore', log, log],
  });
  const exited = once(child, 'exit');
  const address = `127.0.0.1:${port}`;
  return {
    pid: child.pid ?? Number.NaN, // nice becomes java
    answers: answering(`http://${address}/orders/299`),
    startLoad: (requestsPerSecond, maxSeconds) =>
      startLoad({ all: [address] }, requestsPerSecond, maxSeconds),
    async stop() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

async function answering(url: string): Promise<void> {
  for (const end = Date.now() + ANSWERS_MS; ; ) {
    const status = await fetch(url).then(
      async (response) => {
        await response.arrayBuffer();
        return response.status;
      },
      () => 0,
    );
    if (status === 200) return;
    if (Date.now() > end) throw new Error(`${url} did not answer within ${ANSWERS_MS / 1000} s`);
    await new Promise((wake) => setTimeout(wake, 100));
  }
}
