/** A look at the machine from outside the cluster: processes and loaded BPF programs. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { kubectl } from '../../cluster/cluster.ts';

function processIds(): readonly number[] {
  return readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? [Number(name)] : []));
}

function readProc(pid: number, file: 'cgroup' | 'cmdline' | 'stat'): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1');
  } catch {
    return ''; // the process ended between the listing and the read
  }
}

/** Host pid of the process of a pod whose command line holds `text`. */
export async function pidInPod(namespace: string, selector: string, text: string): Promise<number> {
  const uid = await kubectl(
    'get',
    'pods',
    '-n',
    namespace,
    '-l',
    selector,
    '-o',
    'jsonpath={.items[0].metadata.uid}',
  );
  const found = processIds().find(
    (pid) => readProc(pid, 'cgroup').includes(uid) && readProc(pid, 'cmdline').includes(text),
  );
  if (found === undefined) throw new Error(`no process of ${namespace} ${selector} runs ${text}`);
  return found;
}

const TICKS_PER_SECOND = 100; // USER_HZ, the same on every Linux that Flamegate runs on

/** CPU time that the processes of a namespace's pods have used so far. */
export async function cpuSecondsOfPods(namespace: string): Promise<number> {
  const listed = await kubectl('get', 'pods', '-n', namespace, '-o', 'jsonpath={.items[*].metadata.uid}');
  const uids = listed.split(' ').filter((uid) => uid !== '');
  const isOfPods = (cgroup: string): boolean => uids.some((uid) => cgroup.includes(uid));
  const ticks = processIds()
    .filter((pid) => isOfPods(readProc(pid, 'cgroup')))
    .map((pid) => {
      // proc_pid_stat(5): utime and stime are fields 14 and 15; the command, field 2, may hold spaces
      const afterCommand = readProc(pid, 'stat').split(') ').at(-1)?.split(' ') ?? [];
      return Number(afterCommand[11] ?? 0) + Number(afterCommand[12] ?? 0);
    });
  return ticks.reduce((sum, each) => sum + each, 0) / TICKS_PER_SECOND;
}

export function isAlive(pid: number): boolean {
  return readProc(pid, 'cmdline') !== '';
}

interface BpfProgram {
  readonly type: string;
  readonly name?: string;
}

/** How many CPU samplers the kernel holds, whoever loaded them. */
export function loadedSamplers(): number {
  const programs: readonly BpfProgram[] = JSON.parse(
    execFileSync('/usr/sbin/bpftool', ['-j', 'prog', 'list'], { encoding: 'utf8' }),
  );
  return programs.filter((program) => program.type === 'perf_event').length;
}
