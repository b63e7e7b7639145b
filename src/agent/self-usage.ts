import type { Sampler } from '../native/sampler.ts';

/** What the agent itself used since the last call. */
export interface SelfUsage {
  take(sampler: Sampler | undefined): {
    readonly cpuUsec: number;
    readonly rssBytes: number;
    readonly bpfRunNs: number;
  };
}

export function measureSelf(): SelfUsage {
  let cpu = process.cpuUsage();
  let runNs = 0;
  let measured: Sampler | undefined;
  return {
    take(sampler) {
      const used = process.cpuUsage(cpu);
      cpu = process.cpuUsage();
      const counters = sampler?.counters();
      const total = (counters?.bpf?.runNs ?? 0) + (counters?.waits.bpf?.runNs ?? 0);
      const bpfRunNs = sampler === measured ? Math.max(0, total - runNs) : total;
      runNs = total;
      measured = sampler;
      return { cpuUsec: used.user + used.system, rssBytes: process.memoryUsage.rss(), bpfRunNs };
    },
  };
}
