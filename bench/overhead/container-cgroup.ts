/** A cgroup like a container's, for the agent finds containers by the id in the name of theirs. */
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, rmdirSync } from 'node:fs';

export interface ContainerCgroup {
  readonly containerId: string;
  readonly directory: string;
  /** When nothing runs in it any more. */
  remove(): void;
}

/** Every service gets one, watched or not, so that all are scheduled alike. Throws where there is no cgroup v2. */
export function makeContainerCgroup(): ContainerCgroup {
  const mount = /^\S+ (\S+) cgroup2 /m.exec(readFileSync('/proc/self/mounts', 'utf8'))?.[1];
  if (mount === undefined) throw new Error('no cgroup v2 is mounted here');
  const containerId = randomBytes(32).toString('hex');
  const parent = `${mount}/flamegate-bench-${containerId.slice(0, 12)}`;
  const directory = `${parent}/${containerId}`;
  mkdirSync(directory, { recursive: true });
  return {
    containerId,
    directory,
    remove() {
      rmdirSync(directory);
      rmdirSync(parent);
    },
  };
}
