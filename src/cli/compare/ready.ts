/** Waiting until a service that was just started takes requests, and the port it takes them on. */
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Readiness } from './compare-options.ts';

const LOOK_MS = 200;
const ANSWER_MS = 2_000;

/** Nobody listens on it now; who is started next may. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** False when it was not ready in time, or `isOver`: it has ended. */
export async function isReady(
  ready: Readiness,
  port: number,
  { patienceMs, isOver }: { readonly patienceMs: number; readonly isOver: () => boolean },
): Promise<boolean> {
  const endsMs = Date.now() + (ready.kind === 'wait' ? ready.ms : patienceMs);
  while (!isOver()) {
    if (ready.kind === 'url' && (await answers(withPort(ready.url, port)))) return true;
    if (ready.kind === 'port' && (await listens(port))) return true;
    if (Date.now() >= endsMs) return ready.kind === 'wait';
    await delay(Math.min(LOOK_MS, Math.max(1, endsMs - Date.now())));
  }
  return false;
}

const withPort = (url: string, port: number): string =>
  url.replaceAll(/\$(?:PORT\b|\{PORT\})/g, String(port));

async function answers(url: string): Promise<boolean> {
  try {
    const { ok, body } = await fetch(url, { signal: AbortSignal.timeout(ANSWER_MS) });
    await body?.cancel();
    return ok;
  } catch {
    return false; // not yet
  }
}

async function listens(port: number): Promise<boolean> {
  const socket = connect({ port, host: '127.0.0.1' });
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(ANSWER_MS) });
    return true;
  } catch {
    return false; // not yet
  } finally {
    socket.destroy();
  }
}
