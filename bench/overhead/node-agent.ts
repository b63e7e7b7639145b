/** The agent as it is installed: the bundle, its Node flags, its capabilities; only its controller is the bench's. */
import { mkdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Batch } from '../../src/wire/batch-schema.ts';
import { freePort } from '../../test/free-port.ts';
import { usageOf } from '../process-usage.ts';
import { parseAgentGrant } from './agent-grant.ts';
import { answers, startProcess, until } from './child-process.ts';
import { startLoopbackController } from './loopback-controller.ts';
import { addBatch, NOTHING_PUSHED, type PushedWindows } from './pushed-windows.ts';

export interface NodeAgent {
  readonly pid: number;
  /** CPU time until it was ready. */
  readonly startCpuS: number;
  readonly pushed: PushedWindows;
  /** True when a window of the container came with its JVM Profiled: what follows is everyday work. False: none came. */
  watch(containerId: string, frequencyHz: number): Promise<boolean>;
  /** Watches these from now on. */
  assign(frequencyHz: number, containerIds: readonly string[]): void;
  /** Resolves when nothing is sampled any more. */
  rest(): Promise<void>;
}

const ROOT = resolve(import.meta.dirname, '../..');
const IDLE_HZ = 49;
const START_SECONDS = 60;
const PROFILED_MS = 90_000; // two windows, and a machine with other work
const POLL_MS = 100;
const REST_SECONDS = 60; // a sampler is closed at the end of the window

export interface NodeAgentOptions {
  /** The cgroup.procs it enters before anything of it is in memory. */
  readonly cgroupProcs?: string;
  /** Of all that it pushes. */
  readonly took?: (batch: Batch) => void;
}

/** It ends with `started`. */
export async function startNodeAgent(
  directory: string,
  started: AsyncDisposableStack,
  { cgroupProcs = '/dev/null', took }: NodeAgentOptions = {},
): Promise<NodeAgent> {
  mkdirSync(`${directory}/spool`, { recursive: true });
  let pushed = NOTHING_PUSHED;
  const controller = await startLoopbackController(directory, (batch) => {
    pushed = addBatch(pushed, batch);
    took?.(batch);
  });
  started.defer(controller.stop);
  const { command, env, capabilities } = parseAgentGrant(
    readFileSync(`${ROOT}/config/agent/agent.yaml`, 'utf8'),
  );
  const port = await freePort();
  const own = command.slice(1).map((word) => word.replace(/^\/app\//, `${ROOT}/`));
  const bounding = ['-all', ...capabilities.map((name) => `+${name.toLowerCase()}`)].join(',');
  const child = startProcess({
    command: [
      ...['sh', '-c', 'echo $$ >"$0"; exec "$@"', cgroupProcs],
      ...['setpriv', '--bounding-set', bounding, '--inh-caps', '-all', '--', process.execPath, ...own],
    ],
    env: {
      ...env,
      ...{ NODE_NAME: 'bench', FLAMEGATE_CONTROLLER: controller.url, FLAMEGATE_SPOOL: `${directory}/spool` },
      ...{ FLAMEGATE_CA_FILE: controller.caFile, FLAMEGATE_TOKEN_FILE: controller.tokenFile },
      ...{ FLAMEGATE_CGROUP_ROOT: '/sys/fs/cgroup', FLAMEGATE_HTTP_PORT: String(port) },
    },
    log: `${directory}/agent.log`,
  });
  started.defer(child.stop);
  const metrics = async () => (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  const log = `see ${directory}/agent.log`;
  await until(`the agent is up; ${log}`, START_SECONDS, () => answers(`http://127.0.0.1:${port}/healthz`));
  return {
    ...{ pid: child.pid, startCpuS: usageOf(child.pid).cpuSeconds },
    get pushed() {
      return pushed;
    },
    assign: controller.assign,
    async watch(containerId, frequencyHz) {
      const before = pushed.profiled;
      controller.assign(frequencyHz, [containerId]);
      for (const end = Date.now() + PROFILED_MS; Date.now() < end; await pause(POLL_MS)) {
        if (pushed.profiled > before) return true;
      }
      return false;
    },
    async rest() {
      controller.assign(IDLE_HZ, []);
      const isClosed = async () => /^flamegate_agent_sampler_open 0$/m.test(await metrics());
      await until(`the sampler is closed; ${log}`, REST_SECONDS, isClosed, 500); // each look is work for the agent
    },
  };
}
