/** One running samples/orders, in a JVM and a cgroup of its own. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import { freePort } from '../../test/free-port.ts';
import { usageOf } from '../process-usage.ts';
import { answers, startProcess, until } from './child-process.ts';
import { makeContainerCgroup } from './container-cgroup.ts';
import { parseUsedHeapMb } from './heap-info.ts';
import type { Variant } from './variants.ts';

export interface Service {
  readonly name: string;
  readonly pid: number;
  readonly port: number;
  readonly containerId: string;
  /** Directory of its cgroup. */
  readonly cgroup: string;
  /** Until it answered its first request: CPU and wall time. */
  readonly startCpuS: number;
  readonly startS: number;
  /** Collects first, so it is what lives. */
  usedHeapMb(): Promise<number>;
  /** Stopping twice is fine. */
  stop(): Promise<void>;
}

export interface Program {
  readonly javaHome: string;
  readonly jar: string;
  /** For what it says. */
  readonly directory: string;
}

const JVM = ['-Xms256m', '-Xmx256m', '-XX:+UseG1GC']; // G1 is the default only where the machine is large enough
const START_SECONDS = 120; // an agent that rewrites classes takes 12 s of CPU, and more where others work
/** Moves itself into the cgroup before it becomes the JVM, so all of the JVM's CPU time is the cgroup's. */
const ENTER = 'echo $$ > "$0/cgroup.procs" && exec "$@"';

/** Whatever becomes of it, it ends with `started`. */
export async function startService(
  { name, options, env }: Variant,
  program: Program,
  started: AsyncDisposableStack,
): Promise<Service> {
  const { javaHome, jar, directory } = program;
  const cgroup = makeContainerCgroup();
  const port = await freePort();
  const begun = performance.now();
  const java = [`${javaHome}/bin/java`, ...JVM, ...options, '-jar', jar];
  const child = startProcess({
    command: ['sh', '-c', ENTER, cgroup.directory, ...java],
    env: { PORT: String(port), ...env },
    log: `${directory}/${name}.log`,
  });
  let stopped: Promise<void> | undefined;
  const stop = () => {
    stopped ??= child.stop().then(cgroup.remove);
    return stopped;
  };
  started.defer(stop);
  await until(`${name} answers; see ${directory}/${name}.log`, START_SECONDS, () =>
    answers(`http://127.0.0.1:${port}/healthz`),
  );
  return {
    ...{ name, port, stop, pid: child.pid, containerId: cgroup.containerId, cgroup: cgroup.directory },
    startCpuS: usageOf(child.pid).cpuSeconds,
    startS: (performance.now() - begun) / 1000,
    async usedHeapMb() {
      await jcmd(javaHome, child.pid, 'GC.run');
      return parseUsedHeapMb(await jcmd(javaHome, child.pid, 'GC.heap_info'));
    },
  };
}

async function jcmd(javaHome: string, pid: number, command: string): Promise<string> {
  const own = `${javaHome}/bin/jcmd`; // a run-time image has none; any JDK's can ask any JVM
  const { stdout } = await promisify(execFile)(existsSync(own) ? own : 'jcmd', [String(pid), command]);
  return stdout;
}
