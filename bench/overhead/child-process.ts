/** Processes the bench starts: their output goes to a file, and they end with it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

export interface StartedProcess {
  readonly pid: number;
  /** SIGTERM, then SIGKILL. Stopping twice is fine. */
  stop(): Promise<void>;
}

export interface ProcessOptions {
  readonly command: readonly string[];
  /** All of it: nothing is inherited but PATH. */
  readonly env: Readonly<Record<string, string>>;
  readonly log: string;
}

const STOP_MS = 15_000;

export function startProcess({ command, env, log }: ProcessOptions): StartedProcess {
  const [file = '', ...args] = command;
  const output = openSync(log, 'w');
  const child = spawn(file, args, {
    stdio: ['ignore', output, output],
    env: { PATH: process.env['PATH'], ...env },
  });
  closeSync(output);
  if (child.pid === undefined) throw new Error(`${file} does not start`);
  return { pid: child.pid, stop: () => stop(child) };
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const killing = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
  await ended;
  clearTimeout(killing);
}

/** Polls until it is so; throws with what was waited for. */
export async function until(
  what: string,
  limitSeconds: number,
  isSo: () => boolean | Promise<boolean>,
  everyMs = 20,
): Promise<void> {
  for (const end = Date.now() + limitSeconds * 1000; Date.now() < end; await pause(everyMs)) {
    if (await isSo()) return;
  }
  throw new Error(`not within ${limitSeconds} s: ${what}`);
}

/** Whether a GET is answered with 200. */
export async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url);
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false; // nobody listens yet, which is an answer
  }
}
