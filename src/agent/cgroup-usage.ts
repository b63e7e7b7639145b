/** CPU time and throttling of a container, and its processes, from its cgroup directories. */
import { readText } from './bounded-read.ts';
import type { CgroupRoots } from './cgroup-roots.ts';

export interface CpuUsage {
  readonly cpuUsec: number;
  readonly throttledUsec: number;
}

const MAX_STAT_BYTES = 4096;
const MAX_PROCS_BYTES = 16 * 1024;
const MAX_PIDS = 64; // of one container; a service has one JVM and perhaps a shell

/** Totals since the cgroup was made; undefined when it is gone. `relative` is the same in every hierarchy. */
export function readCpuUsage(roots: CgroupRoots, relative: string): CpuUsage | undefined {
  if (roots.v2 !== undefined) return fromV2(roots, roots.v2, relative);
  const nanoseconds = readText(`${roots.v1Accounting}${relative}/cpuacct.usage`, MAX_STAT_BYTES);
  if (nanoseconds === undefined) return undefined;
  return { cpuUsec: Math.floor(Number(nanoseconds) / 1000), throttledUsec: throttledByV1(roots, relative) };
}

/** Usage is there in every v2 cgroup; throttling only where the cpu controller belongs to v2. */
function fromV2(roots: CgroupRoots, v2: string, relative: string): CpuUsage | undefined {
  const stat = readText(`${v2}${relative}/cpu.stat`, MAX_STAT_BYTES);
  const cpuUsec = stat === undefined ? undefined : statField(stat, 'usage_usec');
  if (stat === undefined || cpuUsec === undefined) return undefined;
  return { cpuUsec, throttledUsec: statField(stat, 'throttled_usec') ?? throttledByV1(roots, relative) };
}

function throttledByV1({ v1Cpu }: CgroupRoots, relative: string): number {
  const stat = v1Cpu === undefined ? undefined : readText(`${v1Cpu}${relative}/cpu.stat`, MAX_STAT_BYTES);
  return stat === undefined ? 0 : Math.floor((statField(stat, 'throttled_time') ?? 0) / 1000);
}

function statField(stat: string, name: string): number | undefined {
  const value = new RegExp(`^${name} (\\d+)$`, 'm').exec(stat)?.[1];
  return value === undefined ? undefined : Number(value);
}

/** At most 64, the lowest. Empty when the cgroup is gone. */
export function readPids(directory: string): readonly number[] {
  const procs = readText(`${directory}/cgroup.procs`, MAX_PROCS_BYTES) ?? '';
  const pids = procs.split('\n').slice(0, -1).map(Number);
  return pids.filter((pid) => Number.isSafeInteger(pid) && pid > 0).slice(0, MAX_PIDS);
}
