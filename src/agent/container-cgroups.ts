/** Finds the cgroup directories of containers by the container id in their names. */
import { readdirSync, statSync } from 'node:fs';
import { isGone } from './bounded-read.ts';

const MAX_DEPTH = 12; // kubepods.slice/…-pod<uid>.slice/<id>.scope below the node's own nesting is 5 to 7
const MAX_DIRECTORIES = 20_000; // 250 pods of 4 containers and a systemd with a thousand units: a tenth of it
const MAX_PODS_DEPTH = 5; // below the node's own nesting; in the first or second level mostly
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

/** The cgroup of all pods, by whose id execs are filtered; undefined where there is none of that name, or several. */
export function findPodsCgroup(root: string): string | undefined {
  const found: string[] = [];
  let level = [root];
  let visited = 0;
  for (let depth = 0; depth < MAX_PODS_DEPTH && level.length > 0 && visited < MAX_DIRECTORIES; depth++) {
    visited += level.length;
    const names = level.flatMap((path) =>
      subdirectories(path).map((name) => ({ name, path: `${path}/${name}` })),
    );
    const isPods = ({ name }: { name: string }) => /(?:^|-)kubepods(?:\.slice)?$/.test(name);
    found.push(...names.filter(isPods).map(({ path }) => path));
    level = names.filter((each) => !isPods(each)).map(({ path }) => path);
  }
  return found.length === 1 ? found[0] : undefined; // a node beside another one, in a test
}

/** Of the pods' own cgroups, by the uid in their names, those that there are. */
export function findPodCgroups(
  root: string,
  uids: ReadonlySet<string>,
  uidIn: (name: string) => string | undefined,
): readonly string[] {
  const found: string[] = [];
  let level = [root];
  for (let depth = 0; depth < MAX_DEPTH && level.length > 0 && found.length < uids.size; depth++) {
    const next: string[] = [];
    const names = level
      .slice(0, MAX_DIRECTORIES)
      .flatMap((path) => subdirectories(path).map((name) => ({ uid: uidIn(name), path: `${path}/${name}` })));
    for (const { uid, path } of names) {
      if (uid === undefined) next.push(path);
      else if (uids.has(uid)) found.push(path);
    }
    level = next;
  }
  return found;
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
