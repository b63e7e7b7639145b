/** For tests: what sinks send to, on loopback, made of what their makers publish (main.go). */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';

export interface Receivers {
  readonly endpoint: string;
  received(): Promise<Received>;
  /** The bytes of the pprof that came as the nth. */
  profile(at: number): Promise<Buffer>;
}

export interface Received {
  readonly pushes: readonly {
    readonly headers: Readonly<Record<string, string>>;
    readonly profiles: readonly ReceivedProfile[];
  }[];
  readonly webhooks: readonly { readonly problem: string; readonly body: string }[];
}

export interface ReceivedProfile {
  readonly labels: Readonly<Record<string, string>>;
  readonly sampleType: string;
  readonly periodType: string;
  readonly period: number;
  readonly timeNanos: number;
  readonly durationNanos: number;
  readonly total: number;
  /** Root first, each frame with its place: `main(Main.kt:3);work`. */
  readonly stacks: Readonly<Record<string, number>>;
}

const BUILD = fileURLToPath(new URL('build.sh', import.meta.url));

export async function aReceivers(t: TestContext, webhookSecret = 'whsec_AAAA'): Promise<Receivers> {
  const binary = join(execFileSync(BUILD, { encoding: 'utf8' }).trim(), 'sink-receivers');
  const child = spawn(binary, [webhookSecret], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, 'exit');
    child.kill('SIGKILL');
    await exit;
  });
  const [address] = await once(createInterface(child.stdout), 'line');
  const endpoint = `http://${address}`;
  return {
    endpoint,
    received: async () => (await (await fetch(`${endpoint}/received`)).json()) as Received,
    profile: async (at) => Buffer.from(await (await fetch(`${endpoint}/profiles/${at}`)).arrayBuffer()),
  };
}
