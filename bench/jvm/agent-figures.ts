/** What the agent cost and got, from the batches it pushed: pure. */
import type { Batch } from '../../src/wire/batch-schema.ts';

export interface AgentFigures {
  readonly samples: number;
  /** Of one core, the agent's process alone. */
  readonly corePercent: number | null;
  /** With the time of the BPF program and of the ticks themselves, which the kernel spends. */
  readonly corePercentWithKernel: number | null;
  /** Everything the process did, divided among its samples: it does not depend on how much CPU was left. */
  readonly cpuMicrosPerSample: number | null;
  /** Samples that came, of those due for the CPU time the containers had. */
  readonly samplesGotShare: number | null;
  /** Of those that came: ring or table full. */
  readonly samplesLostShare: number | null;
}

export interface Ticking {
  readonly tickMicros: number;
  readonly cpus: number;
}

/** Of windows that are whole. */
export function agentFigures(batches: readonly Batch[], { tickMicros, cpus }: Ticking): AgentFigures {
  const sums = { ms: 0, cpuUsec: 0, bpfUsec: 0, ticks: 0, samples: 0, lost: 0, due: 0 };
  for (const { startMs, endMs, agent, pods } of batches) {
    const seconds = (endMs - startMs) / 1000;
    sums.ms += endMs - startMs;
    sums.cpuUsec += agent.cpuUsec;
    sums.bpfUsec += agent.bpfRunNs / 1000;
    sums.ticks += (pods[0]?.hz ?? 0) * seconds * cpus;
    for (const { samples, losses, cpuUsec, hz } of pods) {
      const lost = losses.ringFull + losses.tableFull;
      sums.samples += samples;
      sums.lost += lost;
      sums.due += (cpuUsec / 1e6) * hz;
    }
  }
  const kernelUsec = sums.bpfUsec + sums.ticks * tickMicros;
  const percent = (usec: number) => ratio(usec / 10, sums.ms, 3);
  return {
    samples: sums.samples,
    corePercent: percent(sums.cpuUsec),
    corePercentWithKernel: percent(sums.cpuUsec + kernelUsec),
    cpuMicrosPerSample: ratio(sums.cpuUsec, sums.samples, 1),
    samplesGotShare: ratio(sums.samples, sums.due, 4),
    samplesLostShare: ratio(sums.lost, sums.samples + sums.lost, 5),
  };
}

/** The slope of a straight line through the points (least squares); null of fewer than three. */
export function slope(points: readonly (readonly [x: number, y: number])[]): number | null {
  if (points.length < 3) return null;
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [meanX, meanY] = [mean(points.map(([x]) => x)), mean(points.map(([, y]) => y))];
  const covered = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0);
  const spread = points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
  return spread === 0 ? null : covered / spread;
}

function ratio(part: number, whole: number, digits: number): number | null {
  return whole === 0 ? null : Number((part / whole).toFixed(digits));
}
