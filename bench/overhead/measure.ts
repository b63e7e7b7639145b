/** The whole measurement, on services that run and are warm. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Steps } from '../../scripts/demo/step.ts';
import { usageOf } from '../process-usage.ts';
import type { NodeAgent } from './node-agent.ts';
import {
  EVERYDAY_HZ,
  FASTER_HZ,
  type Measurements,
  type ServiceFacts,
  UNWATCHED_PAIR,
  watchedAt,
} from './report.ts';
import { type RoundsContext, runRounds } from './rounds.ts';
import type { RunningService, RunningServices } from './running-services.ts';
import type { Window } from './window.ts';

const LAST_UPLOADS_MS = 12_000; // the Pyroscope agent uploads every 10 s, the OpenTelemetry agent every 5 s

/** Stops the services on its way: for the second part only the watched one is left, and recordings end with their JVM. */
export async function measure(
  running: RunningServices,
  context: RoundsContext,
  steps: Steps,
): Promise<Measurements> {
  const { services } = running;
  const { agent, knobs } = context;
  const watched = services.find(({ variant }) => variant.name === 'flamegate');
  const cpuBefore = services.map((service) => cpuSecondsOf(service, agent));
  const windows = await steps.run(`${knobs.rounds} rounds of ${services.length} windows`, () =>
    runRounds(services.map(asInstalled), context),
  );
  await pause(LAST_UPLOADS_MS);
  const facts: ServiceFacts[] = [];
  for (const [at, service] of services.entries()) {
    const { startCpuS, startS, variant } = service;
    const wholeRunCpuMs = 1000 * (cpuSecondsOf(service, agent) - (cpuBefore[at] ?? 0));
    const { name, restartNeeded } = variant;
    facts.push({ name, restartNeeded, startCpuS, startS, wholeRunCpuMs, heapMb: await service.usedHeapMb() });
  }
  await Promise.all(services.filter((service) => service !== watched).map((service) => service.stop()));
  const oneJvmWindows = watched ? await onOneJvm(watched, context, steps) : [];
  return {
    services: facts,
    ...{ windows, oneJvmWindows },
    deliveries: { ...running.delivered(), flamegate: agent?.pushed },
    agentStartCpuS: agent?.startCpuS ?? null,
  };
}

/** Two JVMs never compile alike; with one and the same the cost of being watched stands alone. */
function onOneJvm(service: RunningService, context: RoundsContext, steps: Steps): Promise<readonly Window[]> {
  const measured = [
    ...UNWATCHED_PAIR.map((name) => ({ name, service })),
    ...[EVERYDAY_HZ, FASTER_HZ].map((hz) => ({ name: watchedAt(hz), service, watchedAtHz: hz })),
  ];
  return steps.run(`${context.knobs.rounds} rounds on one JVM, watched and not`, () =>
    runRounds(measured, context),
  );
}

function asInstalled(service: RunningService) {
  const measured = { name: service.name, service };
  return service.variant.name === 'flamegate' ? { ...measured, watchedAtHz: EVERYDAY_HZ } : measured;
}

/** With the agent's, where it works for this service. */
function cpuSecondsOf({ pid, variant }: RunningService, agent: NodeAgent | undefined): number {
  const outside = variant.name === 'flamegate' && agent ? usageOf(agent.pid).cpuSeconds : 0;
  return usageOf(pid).cpuSeconds + outside;
}
