/** Finds the cgroup directories of containers by the container id in their names. */
import { readdirSync, statSync } from 'node:fs';
import { isGone } from './bounded-read.ts';

const MAX_DEPTH = 12; // kubepods.slice/…-pod<uid>.slice/<id>.scope below the node's own nesting is 5 to 7
const MAX_DIRECTORIES = 20_000; // 250 pods of 4 containers and a systemd with a thousand units: a tenth of it
const MAX_SUBTREE = 64; // a container with its own systemd has about 30

/**
 * Paths relative to `root`, by container id. Runtimes name the directory `<id>` (cgroupfs), `cri-containerd-<id>.scope`,
 * `docker-<id>.scope` or `crio-<id>.scope`; crio also has a `crio-conmon-<id>.scope`, which is not the container.
 */
export function findContainerCgroups(root: string, ids: ReadonlySet<string>): Map<string, string> {
  const found = new Map<string, string>();
  let level = [''];
  let visited = 0;
  for (let depth = 0; depth < MAX_DEPTH && level.length > 0 && found.size < ids.size; depth++) {
    visited += level.length;
    if (visited > MAX_DIRECTORIES) break;
    const next: string[] = [];
    for (const path of level.flatMap((each) =>
      subdirectories(`${root}${each}`).map((name) => `${each}/${name}`),
    )) {
      const id = containerIdOf(path.slice(path.lastIndexOf('/') + 1));
      if (id === undefined) next.push(path);
      else if (ids.has(id)) found.set(id, path);
    }
    level = next;
  }
  return found;
}

/** Of a cgroup directory's name; undefined if it is not a container's. */
export function containerIdOf(name: string): string | undefined {
  return /^(?:(?:cri-containerd|docker|crio|libpod)-)?([0-9a-f]{64})(?:\.scope)?$/.exec(name)?.[1];
}

/** The directory and those below it; processes of a child cgroup are not in the parent's. Empty when it is gone. */
export function cgroupSubtree(directory: string): readonly { path: string; id: bigint }[] {
  const subtree: { path: string; id: bigint }[] = [];
  const waiting = [directory];
  for (let path = waiting.pop(); path !== undefined && subtree.length < MAX_SUBTREE; path = waiting.pop()) {
    const stats = statSync(path, { bigint: true, throwIfNoEntry: false });
    if (!stats) continue;
    subtree.push({ path, id: stats.ino });
    if (stats.nlink > 2n) waiting.push(...subdirectories(path).map((name) => `${path}/${name}`));
  }
  return subtree;
}

function subdirectories(path: string): string[] {
  try {
    const entries = readdirSync(path, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  } catch (error) {
    if (isGone(error)) return [];
    throw error;
  }
}
