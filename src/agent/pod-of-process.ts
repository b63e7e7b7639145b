/** Which container of which pod a process runs in, told by the kernel and what the kubelet mounts, before any controller knows. */
import { readText } from './bounded-read.ts';

const MAX_CGROUP_BYTES = 16 * 1024; // a line for each hierarchy
const MAX_MOUNTINFO_BYTES = 1024 * 1024; // 100 bytes a mount; a container has fifty

/** Of the pod's cgroup; undefined outside of pods, and when the process ended. */
export function podUidOf(procRoot: string, pid: number): string | undefined {
  const text = readText(`${procRoot}/${pid}/cgroup`, MAX_CGROUP_BYTES);
  for (const line of text?.split('\n') ?? []) {
    const uid = line.split('/').map(podUidIn).find(isThere);
    if (uid !== undefined) return uid;
  }
  return undefined;
}

/** Of a cgroup directory's name: `pod<uid>` (cgroupfs) or `kubepods-burstable-pod<uid with _>.slice` (systemd). */
export function podUidIn(directory: string): string | undefined {
  return /(?:^|-)pod([0-9a-z_-]+)(?:\.slice)?$/.exec(directory)?.[1]?.replaceAll('_', '-');
}

/** By the kubelet's file for the termination message, which it mounts into each container from `…/pods/UID/containers/NAME/`. */
export function containerNameOf(procRoot: string, pid: number, podUid: string): string | undefined {
  const mounts = readText(`${procRoot}/${pid}/mountinfo`, MAX_MOUNTINFO_BYTES) ?? '';
  const marker = `/pods/${podUid}/containers/`;
  for (const line of mounts.split('\n')) {
    const root = line.split(' ')[3] ?? '';
    const at = root.indexOf(marker);
    const name = at < 0 ? undefined : root.slice(at + marker.length).split('/')[0];
    if (name !== undefined && name !== '') return name;
  }
  return undefined;
}

const isThere = <T>(value: T | undefined): value is T => value !== undefined;
