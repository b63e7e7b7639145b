/** Which processes of this machine are meant: one with all that it started, or those of a container. */
import { readdirSync, readFileSync } from 'node:fs';
import { findCgroupRoots } from '../../agent/cgroup-roots.ts';
import { readPids } from '../../agent/cgroup-usage.ts';
import { cgroupSubtree, findContainerCgroups } from '../../agent/container-cgroups.ts';
import { CliError } from '../cli-error.ts';

/** The process and its descendants, itself first; empty when it has ended. One whose parent ended is no longer among them. */
export function processTree(procRoot: string, pid: number): readonly number[] {
  const children = new Map<number, number[]>();
  let isThere = false;
  for (const name of readdirSync(procRoot)) {
    const each = Number(name);
    if (!Number.isInteger(each)) continue;
    const parent = parentOf(procRoot, each);
    if (parent === undefined) continue;
    if (each === pid) isThere = true;
    children.set(parent, [...(children.get(parent) ?? []), each]);
  }
  if (!isThere) return [];
  const tree = [pid];
  for (let i = 0; i < tree.length; i++) tree.push(...(children.get(tree[i] ?? 0) ?? []));
  return tree;
}

/** Undefined when it has ended, or is a zombie. */
function parentOf(procRoot: string, pid: number): number | undefined {
  try {
    const stat = readFileSync(`${procRoot}/${pid}/stat`, 'utf8');
    // the second field, the command, may hold spaces and parentheses
    const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return state === 'Z' || state === 'X' ? undefined : Number(parent);
  } catch {
    return undefined; // it ended meanwhile
  }
}

/** Asked again and again: the processes of a container by its id, of any runtime. Throws CONTAINER_NOT_FOUND. */
export function containerProcesses(cgroupRoot: string, containerId: string): () => readonly number[] {
  const roots = findCgroupRoots(cgroupRoot);
  const root = roots.v2 ?? roots.v1Accounting ?? '';
  const relative = findContainerCgroups(root, new Set([containerId])).get(containerId);
  if (relative === undefined) {
    throw new CliError(
      'CONTAINER_NOT_FOUND',
      `no cgroup of this machine bears the container id ${containerId}`,
    );
  }
  const directory = `${root}${relative}`;
  if (roots.v2 === undefined) return () => readPids(directory);
  return () => cgroupSubtree(directory).flatMap(({ path }) => readPids(path));
}
