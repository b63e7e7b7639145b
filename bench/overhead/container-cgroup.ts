/** A cgroup like a container's, for the agent finds containers by the id in the name of theirs. */
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, rmdirSync } from 'node:fs';

export interface ContainerCgroup {
  readonly containerId: string;
  readonly directory: string;
  /** What stands for the root of a node's cgroups. */
  readonly node: string;
  /** When nothing runs in it any more. */
  remove(): void;
}

/**
 * Every service gets one, watched or not, so that all are scheduled alike. `above`: directories between the node's and the
 * container's. Throws where there is no cgroup v2.
 */
export function makeContainerCgroup(above = ''): ContainerCgroup {
  const mount = /^\S+ (\S+) cgroup2 /m.exec(readFileSync('/proc/self/mounts', 'utf8'))?.[1];
  if (mount === undefined) throw new Error('no cgroup v2 is mounted here');
  const containerId = randomBytes(32).toString('hex');
  const parent = `${mount}/flamegate-bench-${containerId.slice(0, 12)}`;
  const parts = [...above.split('/').filter((each) => each !== ''), containerId];
  const directory = [parent, ...parts].join('/');
  mkdirSync(directory, { recursive: true });
  return {
    ...{ containerId, directory, node: parent },
    remove() {
      for (let kept = parts.length; kept >= 0; kept--) rmdirSync([parent, ...parts.slice(0, kept)].join('/'));
    },
  };
}
