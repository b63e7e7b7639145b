import { readFileSync } from 'node:fs';

const MAX_CPUS = 8192; // NR_CPUS of the largest distribution kernels

/** The CPUs that are online now, ascending. */
export function onlineCpus(): readonly number[] {
  return parseCpuList(readFileSync('/sys/devices/system/cpu/online', 'utf8'));
}

/** Parses the kernel's list format: `0-3,8` is 0, 1, 2, 3, 8. Throws on anything else. */
export function parseCpuList(text: string): readonly number[] {
  return text.trim().split(',').flatMap(parseRange);
}

function parseRange(range: string): readonly number[] {
  const match = /^(\d+)(?:-(\d+))?$/.exec(range);
  const first = Number(match?.[1] ?? Number.NaN);
  const last = Number(match?.[2] ?? first);
  if (!(first <= last && last < MAX_CPUS))
    throw new RangeError(`not a list of CPUs: ${JSON.stringify(range)}`);
  return Array.from({ length: last - first + 1 }, (_, offset) => first + offset);
}
