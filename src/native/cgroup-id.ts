import { statSync } from 'node:fs';

/** The id of a cgroup v2 directory, as BPF sees it: its inode number. Throws ENOENT when the cgroup is gone. */
export function cgroupIdOf(directory: string): bigint {
  return statSync(directory, { bigint: true }).ino;
}
