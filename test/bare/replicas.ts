/** Two replicas of the controller as it ships, one of which leads, and whose leader may be killed. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { call } from '../../src/controller/ingest/testing/https-client.ts';
import { BATCHES_PATH } from '../../src/wire/endpoints.ts';
import { eventually } from '../cluster/cluster.ts';
import { freePort } from '../free-port.ts';
import { type ControllerProcess, startControllerProcess } from './controller-process.ts';

export interface Failover {
  /** From the kill until the other answers agents, and until it has looked at the gates. */
  readonly servesS: number;
  readonly reconcilesS: number;
}

export interface Replicas {
  readonly ports: readonly number[];
  /** Kills the leader, or asks it to end, and waits for the other; what ended is started again, with nothing on its disk. */
  failOver(ca: string, how?: 'kill' | 'ask'): Promise<Failover>;
  stop(): Promise<void>;
}

interface Replica {
  readonly name: string;
  readonly httpsPort: number;
  readonly httpPort: number;
  starts: number;
  process: ControllerProcess;
}

const PATIENCE_S = 300; // on a busy machine; how long it takes is for the benchmark to judge
const POLL_MS = 50;

export async function startReplicas(kubeconfigFile: string, directory: string): Promise<Replicas> {
  const start = (replica: Omit<Replica, 'process'>): ControllerProcess => {
    const dataDirectory = join(directory, `${replica.name}-${replica.starts}`);
    mkdirSync(dataDirectory);
    const { httpsPort, httpPort } = replica;
    // a pod of another name each time: the one before it may run as far as anybody knows
    const podName = `${replica.name}-${replica.starts}`;
    return startControllerProcess({ kubeconfigFile, dataDirectory, httpsPort, httpPort, podName });
  };
  const replicas: Replica[] = [];
  for (const name of ['first', 'second']) {
    const replica = { name, httpsPort: await freePort(), httpPort: await freePort(), starts: 0 };
    replicas.push({ ...replica, process: start(replica) });
  }
  await eventually('both are ready and one leads', PATIENCE_S, () => {
    const dead = replicas.find(({ process }) => process.ended());
    if (dead !== undefined) throw new Error(dead.process.log());
    return replicas.every(({ process }) => process.has('controller started')) &&
      leaderOf(replicas) !== undefined
      ? true
      : undefined;
  });
  return {
    ports: replicas.map(({ httpsPort }) => httpsPort),
    async failOver(ca, how = 'kill') {
      const leader = leaderOf(replicas);
      const standby = replicas.find((replica) => replica !== leader);
      if (leader === undefined || standby === undefined) throw new Error('nobody leads');
      const killedMs = performance.now();
      if (how === 'ask') leader.process.signal('SIGTERM');
      else await leader.process.kill();
      await untilItServes(standby, ca);
      const servesS = (performance.now() - killedMs) / 1_000;
      await untilItReconciled(standby);
      const reconcilesS = (performance.now() - killedMs) / 1_000;
      await eventually('it has ended', PATIENCE_S, () => leader.process.ended() || undefined);
      leader.starts += 1;
      leader.process = start(leader);
      await eventually(
        'a new standby',
        PATIENCE_S,
        () => leader.process.has('controller started') || undefined,
      );
      return { servesS, reconcilesS };
    },
    async stop() {
      await Promise.all(replicas.map(({ process }) => process.kill()));
    },
  };
}

const leaderOf = (replicas: readonly Replica[]): Replica | undefined =>
  replicas.find(({ process }) => !process.ended() && process.has('leading'));

/** It asks for a token, where a standby says that it does not lead. */
async function untilItServes({ httpsPort: port }: Replica, ca: string): Promise<void> {
  await until(async () => {
    const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' };
    const { status } = await call({ port, ca, path: BATCHES_PATH, headers, method: 'POST' });
    return status === 401;
  });
}

async function untilItReconciled({ httpPort }: Replica): Promise<void> {
  await until(async () => {
    const text = await (await fetch(`http://127.0.0.1:${httpPort}/metrics`)).text();
    return /controller_runtime_reconcile_total\{[^}]*controller="regressiongate"[^}]*result="(success|requeue_after)"[^}]*\} [1-9]/.test(
      text,
    );
  });
}

async function until(probe: () => Promise<boolean>): Promise<void> {
  const endMs = performance.now() + PATIENCE_S * 1_000;
  while (performance.now() < endMs) {
    if (await probe().catch(() => false)) return;
    await delay(POLL_MS);
  }
  throw new Error(`not within ${PATIENCE_S} s`);
}
