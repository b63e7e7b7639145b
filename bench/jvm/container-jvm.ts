/** Small JVMs that compute, each in a cgroup like a container's. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { jdkHome, type Release } from '../../src/jvm/testing/a-jvm.ts';
import { type ContainerCgroup, makeContainerCgroup } from '../overhead/container-cgroup.ts';

export interface ContainerJvm {
  readonly containerId: string;
  readonly pid: number;
  /** Kills it and removes its cgroup. */
  stop(): Promise<void>;
}

export interface SmallJvms extends Disposable {
  /** `shapes`: words of Shapes.java, a busy thread each. */
  start(release: Release, shapes: readonly string[]): ContainerJvm;
}

const SOURCE = fileURLToPath(new URL('../../src/native/testing/Shapes.java', import.meta.url));
const SMALL = ['-Xmx32m', '-Xss512k', '-XX:+UseSerialGC', '-XX:CICompilerCount=2'];
const ENTER = 'echo $$ >"$0"; exec nice -n 19 "$@"';
const REMOVED_MS = 10_000;

/** Compiles what they run. */
export function smallJvms(): SmallJvms {
  const classes = mkdtempSync(join(tmpdir(), 'flamegate-shapes-'));
  execFileSync(join(jdkHome(17), 'bin/javac'), ['-g:source,lines', '-d', classes, SOURCE]);
  return {
    start(release, shapes) {
      const cgroup = makeContainerCgroup();
      const java = [join(jdkHome(release), 'bin/java'), ...SMALL, '-cp', classes, 'Shapes', ...shapes];
      // standard input stays open: they run until it ends
      const child = spawn('sh', ['-c', ENTER, `${cgroup.directory}/cgroup.procs`, ...java], {
        stdio: ['pipe', 'ignore', 'ignore'],
      });
      const exited = once(child, 'exit');
      return {
        containerId: cgroup.containerId,
        pid: child.pid ?? Number.NaN,
        async stop() {
          child.kill('SIGKILL');
          await exited;
          await removed(cgroup);
        },
      };
    },
    [Symbol.dispose]: () => rmSync(classes, { recursive: true, force: true }),
  };
}

// Busy until the last thread is gone, which no file tells beforehand.
async function removed(cgroup: ContainerCgroup): Promise<void> {
  for (const end = Date.now() + REMOVED_MS; ; await delay(50)) {
    try {
      cgroup.remove();
      return;
    } catch (error) {
      if (Date.now() > end) throw error;
    }
  }
}
