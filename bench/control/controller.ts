/** The controller's own process, as its image runs it, on the machine instead of in a pod. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { resolve } from 'node:path';
import { SYSTEM } from './size.ts';

const MAIN = resolve(import.meta.dirname, '../../dist/controller/main.mjs');
const READY_WITHIN_MS = 120_000;
const LEADS_WITHIN_MS = 60_000;

export interface ControllerPorts {
  readonly http: number;
  readonly https: number;
}

export interface RunningController {
  readonly pid: number;
  readonly readyAfterMs: number;
  /** Rejects when it ends by itself. */
  stop(): Promise<void>;
}

/** Resolves when it leads and its caches are filled. `flags` are node's. */
export async function startController(options: {
  readonly kubeconfig: string;
  readonly dataDir: string;
  readonly logFile: string;
  readonly ports: ControllerPorts;
  readonly flags?: readonly string[];
}): Promise<RunningController> {
  const { dataDir, kubeconfig, logFile, ports, flags = [] } = options;
  const env = {
    ...process.env,
    KUBECONFIG: kubeconfig,
    POD_NAME: 'flamegate-controller-bench',
    POD_NAMESPACE: SYSTEM,
    FLAMEGATE_DATA_DIR: dataDir,
    FLAMEGATE_HTTP_PORT: String(ports.http),
    FLAMEGATE_HTTPS_PORT: String(ports.https),
  };
  const startedMs = performance.now();
  const child = spawn(process.execPath, [...flags, MAIN], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const log = createWriteStream(logFile);
  child.stdout.pipe(log);
  child.stderr.pipe(log);
  await until(
    'is ready',
    READY_WITHIN_MS,
    child,
    async () => (await fetch(`http://127.0.0.1:${ports.http}/readyz`)).ok,
  );
  const readyAfterMs = performance.now() - startedMs;
  await until('leads', LEADS_WITHIN_MS, child, async () =>
    /leader_election_master_status\{[^}]*\} 1/.test(
      await (await fetch(`http://127.0.0.1:${ports.http}/metrics`)).text(),
    ),
  );
  const { pid } = child;
  if (pid === undefined) throw new Error('the controller has no process');
  return {
    pid,
    readyAfterMs,
    async stop() {
      if (child.exitCode !== null)
        throw new Error(`the controller has ended with ${child.exitCode}; its log is ${logFile}`);
      child.kill('SIGTERM');
      await once(child, 'exit');
    },
  };
}

async function until(
  what: string,
  withinMs: number,
  child: ChildProcess,
  probe: () => Promise<boolean>,
): Promise<void> {
  const end = Date.now() + withinMs;
  while (Date.now() < end) {
    if (child.exitCode !== null) throw new Error(`the controller has ended with ${child.exitCode}`);
    if (await probe().catch(() => false)) return;
    await new Promise((wake) => setTimeout(wake, 100));
  }
  throw new Error(`${withinMs / 1_000} s and no controller ${what}`);
}
