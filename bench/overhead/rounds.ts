/** All variants one after another in a new order each round, so that the machine's drift hits all of them alike. */
import type { Knobs } from './knobs.ts';
import type { Load } from './load.ts';
import type { NodeAgent } from './node-agent.ts';
import type { Service } from './service.ts';
import { measureWindow, type Window } from './window.ts';

export interface Measured {
  readonly name: string;
  readonly service: Service;
  /** Watched by the agent while its window runs; undefined: the agent rests. */
  readonly watchedAtHz?: number;
}

export interface RoundsContext {
  readonly knobs: Knobs;
  readonly load: Load;
  readonly agent: NodeAgent | undefined;
  readonly bpfIsMeasured: boolean;
  readonly random: () => number;
  took(window: Window): void;
  /** The agent did not profile: the window is left out, and with it its round. */
  missed(name: string, round: number): void;
}

export async function runRounds(
  measured: readonly Measured[],
  context: RoundsContext,
): Promise<readonly Window[]> {
  const windows: Window[] = [];
  for (let round = 0; round < context.knobs.rounds; round++) {
    for (const each of shuffled(measured, context.random)) {
      const window = await oneWindow(each, round, context);
      if (window) {
        context.took(window);
        windows.push(window);
      } else context.missed(each.name, round);
    }
  }
  return windows;
}

/** Each has the same lead, so that none is warmer than another. */
async function oneWindow({ name, service, watchedAtHz }: Measured, round: number, context: RoundsContext) {
  const { knobs, load, bpfIsMeasured } = context;
  const agent = watchedAtHz === undefined ? undefined : context.agent;
  const [lead, isReady] = await Promise.all([
    load(service.port, knobs.rate, knobs.leadSeconds),
    watchedAtHz === undefined ? true : agent?.watch(service.containerId, watchedAtHz),
  ]);
  const processes = { service: service.pid, agent: agent?.pid, bpfIsMeasured };
  const measured = () =>
    measureWindow(processes, { variant: name, round, leadRequests: lead.requests }, () =>
      load(service.port, knobs.rate, knobs.windowSeconds),
    );
  const window = isReady ? await measured() : undefined;
  await agent?.rest();
  return window;
}

function shuffled<T>(items: readonly T[], random: () => number): readonly T[] {
  return items
    .map((item) => ({ item, key: random() }))
    .sort((a, b) => a.key - b.key)
    .map(({ item }) => item);
}
