/** A look at the machine from outside the cluster: processes and loaded BPF programs. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { kubectl } from '../../cluster/cluster.ts';

function processIds(): readonly number[] {
  return readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? [Number(name)] : []));
}

function readProc(pid: number, file: 'cgroup' | 'cmdline'): string {
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
