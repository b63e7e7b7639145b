/** CPU and memory of a running process, as the kernel accounts them. */
import { readFileSync } from 'node:fs';

const CLOCK_TICKS_PER_SECOND = 100; // USER_HZ, fixed in the kernel's user interface

export interface Usage {
  readonly cpuSeconds: number;
  readonly rssMb: number;
}

export function usageOf(pid: number): Usage {
  return {
    cpuSeconds: parseCpuSeconds(readFileSync(`/proc/${pid}/stat`, 'latin1')),
    rssMb: parseRssMb(readFileSync(`/proc/${pid}/status`, 'latin1')),
  };
}

/** User and system time: fields 14 and 15 of /proc/PID/stat (proc(5)); the command before them may hold anything. */
export function parseCpuSeconds(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS_PER_SECOND;
}

/** VmRSS of /proc/PID/status, or VmHWM, the highest it ever was; NaN where there is none. */
export function parseRssMb(status: string, field: 'VmRSS' | 'VmHWM' = 'VmRSS'): number {
  return Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? Number.NaN) / 1024;
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
