/** One variant under load for a few seconds, and what that cost: the unit of everything the bench says. */
import { usageOf } from '../process-usage.ts';
import { bpfRunMs } from './bpf-run-time.ts';
import type { LoadSummary } from './load.ts';

export interface Window {
  readonly variant: string;
  readonly round: number;
  readonly seconds: number;
  readonly requests: number;
  /** Before it, in its lead. */
  readonly leadRequests: number;
  readonly errors: number;
  readonly achievedRate: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly serviceCpuMs: number;
  /** Of the node's agent, all of it, though it would serve other pods of the node, too. */
  readonly agentCpuMs: number;
  /** Of the agent's BPF programs; null where the kernel does not measure them. */
  readonly bpfCpuMs: number | null;
  readonly rssMb: number;
  readonly agentRssMb: number;
}

/**
 * CPU-ms per request, with all that runs outside the service for it. Where the kernel charges interrupts to the task they
 * interrupt (IRQ_TIME_ACCOUNTING off), the BPF time is in here twice: against Flamegate rather than for it.
 */
export function costOf({ serviceCpuMs, agentCpuMs, bpfCpuMs, requests }: Window): number {
  return (serviceCpuMs + agentCpuMs + (bpfCpuMs ?? 0)) / requests;
}

export interface MeasuredProcesses {
  readonly service: number;
  /** Undefined: nothing outside the service works for this variant. */
  readonly agent: number | undefined;
  readonly bpfIsMeasured: boolean;
}

export async function measureWindow(
  { service, agent, bpfIsMeasured }: MeasuredProcesses,
  given: Pick<Window, 'variant' | 'round' | 'leadRequests'>,
  load: () => Promise<LoadSummary>,
): Promise<Window> {
  const read = () => ({
    atMs: performance.now(),
    service: usageOf(service),
    agent: agent === undefined ? { cpuSeconds: 0, rssMb: 0 } : usageOf(agent),
    bpfMs: agent === undefined ? 0 : bpfRunMs(agent),
  });
  const before = read();
  const { requests, errors, achievedPerPod, p50Ms, p99Ms } = await load();
  const after = read();
  return {
    ...given,
    seconds: (after.atMs - before.atMs) / 1000,
    ...{ requests, errors, achievedRate: achievedPerPod, p50Ms, p99Ms },
    serviceCpuMs: 1000 * (after.service.cpuSeconds - before.service.cpuSeconds),
    agentCpuMs: 1000 * (after.agent.cpuSeconds - before.agent.cpuSeconds),
    bpfCpuMs: agent === undefined || bpfIsMeasured ? after.bpfMs - before.bpfMs : null,
    rssMb: after.service.rssMb,
    agentRssMb: after.agent.rssMb,
  };
}
