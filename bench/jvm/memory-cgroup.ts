/** A cgroup that accounts memory, of either hierarchy: what a process has that is nobody else's. */
import { existsSync, mkdirSync, readFileSync, rmdirSync } from 'node:fs';

export interface MemoryCgroup {
  readonly procs: string;
  /** Anonymous memory and the kernel's for it (BPF maps, ring, page tables), in MB; null where it is not told. */
  anonAndKernelMb(): number | null;
  /** When nothing runs in it any more. */
  remove(): void;
}

const MOUNTS = ['/sys/fs/cgroup', '/sys/fs/cgroup/unified', '/sys/fs/cgroup/memory'];
const NAME = `flamegate-bench-agent-${process.pid}`;

/** Undefined where neither hierarchy accounts memory below its root. */
export function makeMemoryCgroup(): MemoryCgroup | undefined {
  for (const mount of MOUNTS.filter((each) => existsSync(`${each}/cgroup.procs`))) {
    const directory = `${mount}/${NAME}`;
    mkdirSync(directory);
    if (existsSync(`${directory}/memory.stat`)) {
      return {
        procs: `${directory}/cgroup.procs`,
        anonAndKernelMb: () => anonAndKernelMb(directory),
        remove: () => rmdirSync(directory),
      };
    }
    rmdirSync(directory);
  }
  return undefined;
}

function anonAndKernelMb(directory: string): number | null {
  const stat = readFileSync(`${directory}/memory.stat`, 'utf8');
  const kmem = `${directory}/memory.kmem.usage_in_bytes`; // v1 has it in a file of its own, and calls anon rss
  const bytesOf = (name: string) => Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(stat)?.[1] ?? Number.NaN);
  const bytes = existsSync(kmem)
    ? bytesOf('rss') + Number(readFileSync(kmem, 'utf8'))
    : bytesOf('anon') + bytesOf('kernel');
  return Number.isNaN(bytes) ? null : Number((bytes / 2 ** 20).toFixed(1));
}
