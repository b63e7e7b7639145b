/** A server in a cgroup, which says `listening PORT` and ends with its standard input. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

export interface Server {
  readonly port: number;
  /** Until it has ended. */
  stop(): Promise<void>;
}

export async function startServer(cgroup: string, argv: readonly string[]): Promise<Server> {
  const child = spawn('sh', ['-c', 'echo $$ >"$0/cgroup.procs"; exec "$@"', cgroup, ...argv]);
  child.stderr.pipe(process.stderr);
  const stop = async () => {
    child.stdin.end();
    if (child.exitCode === null) await once(child, 'exit');
  };
  try {
    return { port: await portOf(child), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function portOf({ stdout }: ChildProcessWithoutNullStreams): Promise<number> {
  for await (const line of createInterface(stdout)) {
    const port = /^listening (\d+)$/.exec(line)?.[1];
    if (port !== undefined) return Number(port);
  }
  throw new Error('the server ended before it listened');
}
