/** Where the node's cgroup hierarchies are: v2 alone, v1 beside v2 (hybrid), or v1 alone. */
import { existsSync, statfsSync } from 'node:fs';
import { AgentError } from './agent-error.ts';

export interface CgroupRoots {
  /** The v2 hierarchy, whose directory inodes are the ids BPF sees. */
  readonly v2: string | undefined;
  /** v1 hierarchies: of the cpu controller (throttling) and of CPU accounting. */
  readonly v1Cpu: string | undefined;
  readonly v1Accounting: string | undefined;
}

const CGROUP2_MAGIC = 0x63677270; // include/uapi/linux/magic.h

/** Throws AGENT_CGROUP_ROOT_MISSING. */
export function findCgroupRoots(configured: string): CgroupRoots {
  const root = [configured, '/sys/fs/cgroup'].find((each) => existsSync(each));
  if (root === undefined) {
    throw new AgentError('AGENT_CGROUP_ROOT_MISSING', `there is neither ${configured} nor /sys/fs/cgroup`);
  }
  const first = (...names: string[]) =>
    names.map((name) => `${root}/${name}`).find((each) => existsSync(each));
  const v2 = [root, `${root}/unified`].find(isCgroup2);
  if (v2 === root) return { v2, v1Cpu: undefined, v1Accounting: undefined };
  const roots = { v2, v1Cpu: first('cpu', 'cpu,cpuacct'), v1Accounting: first('cpuacct', 'cpu,cpuacct') };
  if (v2 === undefined && roots.v1Accounting === undefined) {
    throw new AgentError('AGENT_CGROUP_ROOT_MISSING', `${root} holds no cgroup hierarchy`);
  }
  return roots;
}

function isCgroup2(path: string): boolean {
  return existsSync(path) && statfsSync(path).type === CGROUP2_MAGIC;
}
