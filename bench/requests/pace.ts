/** What is asked at a constant rate, whether the earlier requests are answered or not, as users send them. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Timed } from './timed.ts';

export interface Route {
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** With one it is posted to. */
  readonly body?: Buffer;
}

export interface Pace {
  readonly host: string;
  readonly port: number;
  /** A second. */
  readonly rate: number;
  readonly seconds: number;
  /** In turns. */
  readonly routes: readonly Route[];
}

/** As its client saw it. Its latency is from when it was due. */
export interface Asked extends Timed {
  /** From when it was sent. */
  readonly tookNs: number;
  /** By the server's own timer, where it has one: its header Took-Ns. */
  readonly appNs: number | undefined;
}

/** Rejects when one of them does. */
export async function paced<T>(
  { rate, seconds, routes }: Pace,
  ask: (route: Route, dueMs: number) => Promise<T>,
): Promise<readonly T[]> {
  const begun = performance.now();
  const answers: Promise<T>[] = [];
  for (let i = 0; i < rate * seconds; i++) {
    const route = routes[i % routes.length];
    if (route === undefined) throw new RangeError('there is no route to ask for');
    const dueMs = begun + (i * 1000) / rate;
    const wait = dueMs - performance.now();
    if (wait > 0) await delay(wait);
    const answer = ask(route, dueMs);
    answer.catch(() => undefined); // it is told when all were asked
    answers.push(answer);
  }
  return Promise.all(answers);
}

export function tookNsOf(header: unknown): number | undefined {
  return typeof header === 'string' && header !== '0' ? Number(header) : undefined;
}
