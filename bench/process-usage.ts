/** CPU and memory of a running process, as the kernel accounts them. */
import { readFileSync } from 'node:fs';

const CLOCK_TICKS_PER_SECOND = 100; // USER_HZ, fixed in the kernel's user interface

export interface Usage {
  readonly cpuSeconds: number;
  readonly rssMb: number;
}

/** Field 14 and 15 of /proc/PID/stat (proc(5)) and VmRSS of /proc/PID/status. */
export function usageOf(pid: number): Usage {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(fields[11]) + Number(fields[12]);
  const rssKb = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1];
  return { cpuSeconds: ticks / CLOCK_TICKS_PER_SECOND, rssMb: Number(rssKb ?? Number.NaN) / 1024 };
}

/** Share of one core a process burnt over a span, its highest memory within it, and the two halves of the span as noise. */
export async function watchUsage(
  pid: number,
  seconds: number,
): Promise<{ core: number; halves: [number, number]; maxRssMb: number }> {
  const half = seconds / 2;
  let maxRssMb = 0;
  const coreOver = async (span: number): Promise<number> => {
    const from = usageOf(pid).cpuSeconds;
    const end = Date.now() + span * 1000;
    while (Date.now() < end) {
      await new Promise((wake) => setTimeout(wake, 1000));
      maxRssMb = Math.max(maxRssMb, usageOf(pid).rssMb);
    }
    return (usageOf(pid).cpuSeconds - from) / span;
  };
  const halves: [number, number] = [await coreOver(half), await coreOver(half)];
  return { core: (halves[0] + halves[1]) / 2, halves, maxRssMb };
}
