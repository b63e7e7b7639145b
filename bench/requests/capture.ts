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
const LISTENING_EVERY_MS = 20;
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
  const said = saidBy(tcpdump);
  try {
    await said.line(/listening on .*\n/);
    const result = await run();
    await delay(LAST_PACKETS_MS);
    await stop(tcpdump);
    if (!/\n0 packets dropped by kernel/.test(said.all())) throw new Error(`tcpdump says: ${said.all()}`);
    return { result, file: readFileSync(path) };
  } finally {
    await stop(tcpdump);
    rmSync(path, { force: true });
  }
}

async function stop(tcpdump: ChildProcess): Promise<void> {
  if (tcpdump.exitCode !== null || tcpdump.signalCode !== null) return;
  const ended = once(tcpdump, 'close');
  tcpdump.kill('SIGINT');
  await ended;
}

/** All of its words are taken, for it ends when nobody does. */
function saidBy(tcpdump: ChildProcess) {
  let all = '';
  tcpdump.stderr?.setEncoding('utf8').on('data', (text: string) => {
    all += text;
  });
  return {
    all: () => all,
    async line(pattern: RegExp): Promise<void> {
      for (; !pattern.test(all); await delay(LISTENING_EVERY_MS)) {
        if (tcpdump.exitCode !== null || tcpdump.signalCode !== null) throw new Error(`tcpdump says: ${all}`);
      }
    },
  };
}
