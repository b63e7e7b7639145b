/** What passes an interface, recorded by tcpdump while something else measures the same. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

export interface CaptureOf {
  readonly networkInterface: string;
  readonly port: number;
  /** Of each packet: what is behind it is not recorded. */
  readonly snapBytes: number;
}

const KERNEL_BUFFER_KB = '65536';
const LAST_PACKETS_MS = 300;

/** What `run` comes to, and the file's bytes of what passed meanwhile. */
export async function capturing<T>(
  { networkInterface, port, snapBytes }: CaptureOf,
  run: () => Promise<T>,
): Promise<{ readonly result: T; readonly file: Buffer }> {
  const path = join(tmpdir(), `flamegate-capture-${process.pid}.pcap`);
  const options = ['-i', networkInterface, '-w', path, '-U', '-s', String(snapBytes), '-B', KERNEL_BUFFER_KB];
  // Immediate, for else packets come in blocks, of which the last is lost when the capture ends.
  const format = ['--immediate-mode', '-n', '-Z', 'root', '--time-stamp-precision=nano'];
  const tcpdump = spawn('tcpdump', [...options, ...format, 'tcp', 'port', String(port)], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  try {
    await saysListening(tcpdump);
    const result = await run();
    await delay(LAST_PACKETS_MS);
    await stop(tcpdump);
    return { result, file: readFileSync(path) };
  } finally {
    await stop(tcpdump);
    rmSync(path, { force: true });
  }
}

async function stop(tcpdump: ChildProcess): Promise<void> {
  if (tcpdump.exitCode !== null || tcpdump.signalCode !== null) return;
  const ended = once(tcpdump, 'exit');
  tcpdump.kill('SIGINT');
  await ended;
}

async function saysListening(tcpdump: ChildProcess): Promise<void> {
  const ended = once(tcpdump, 'exit').then(([code]) => {
    throw new Error(`tcpdump ended with ${code}`);
  });
  const listening = (async () => {
    for await (const text of tcpdump.stderr ?? []) if (/listening on/.test(String(text))) return;
  })();
  await Promise.race([listening, ended]);
  ended.catch(() => undefined); // it ends when it is stopped
}
