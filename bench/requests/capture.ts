/** What passes an interface, recorded by tcpdump while something else measures the same. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

export interface Capture {
  /** The file's bytes. */
  stop(): Promise<Buffer>;
}

// A whole segment of a response may be 64 KB; what is read of it is its beginning.
const SNAP_BYTES = '512';
const KERNEL_BUFFER_KB = '65536';
const LAST_PACKETS_MS = 300;

export async function startCapture(networkInterface: string, port: number): Promise<Capture> {
  const path = join(tmpdir(), `flamegate-capture-${process.pid}.pcap`);
  const options = ['-i', networkInterface, '-w', path, '-U', '-s', SNAP_BYTES, '-B', KERNEL_BUFFER_KB];
  const format = ['-n', '-Z', 'root', '--time-stamp-precision=nano'];
  const tcpdump = spawn('tcpdump', [...options, ...format, 'tcp', 'port', String(port)], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  await saysListening(tcpdump);
  return {
    async stop() {
      await delay(LAST_PACKETS_MS);
      const ended = once(tcpdump, 'exit');
      tcpdump.kill('SIGINT');
      await ended;
      const bytes = readFileSync(path);
      rmSync(path);
      return bytes;
    },
  };
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
